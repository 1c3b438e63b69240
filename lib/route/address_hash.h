/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_ADDRESS_HASH_H
#define ESPALIER_ROUTE_ADDRESS_HASH_H

#include <string.h>
#include <rte_jhash.h>

#include "packet/address.h"

/* Hash of an address (its tail is zero where it is shorter) under `seed`. */
static inline uint32_t address_hash(const struct ip_addr *addr, uint32_t seed)
{
	uint32_t words[4];

	memcpy(words, addr->bytes, sizeof(words));
	return rte_jhash_32b(words, 4, seed);
}

#endif
