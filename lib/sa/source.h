/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_SOURCE_H
#define ESPALIER_SA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Where ESP comes from, in one word that is cheap to compare: the address (an IPv6
 * one mixed down to 46 bits; only holders of the key could look for two that are
 * alike), then the UDP source port, 0 without UDP.
 */
static inline uint64_t sa_source_tag(uint8_t family, const uint8_t *address, uint16_t port)
{
	if (family == 4) {
		uint32_t a;
		memcpy(&a, address, sizeof(a));
		return (uint64_t)a << 16 | port;
	}
	uint64_t a[2];
	memcpy(a, address, sizeof(a));
	uint64_t mixed = a[0] * UINT64_C(0x9e3779b97f4a7c15) ^ a[1] * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (mixed ^ mixed >> 29) << 16 | UINT64_C(1) << 63 | port;
}

/*
 * ESP and ESP in UDP from one address are the same peer, who may use either at any
 * time (RFC 7296 2.23); otherwise the port counts, too.
 */
static inline bool sa_source_equal(uint64_t a, uint64_t b)
{
	if (a == b)
		return true;
	return a >> 16 == b >> 16 && ((uint16_t)a == 0 || (uint16_t)b == 0);
}

#endif
