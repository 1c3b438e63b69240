/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_ADDRESS_H
#define ESPALIER_PACKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IP address, network order. IPv4 fills the first 4 bytes, the rest is zero. */
struct ip_addr {
	uint8_t family; /* 4, 6, or 0 for none */
	uint8_t bytes[16];
};

/* addr's host bits are zero wherever a prefix has been checked. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* 0 … 32 or 128 */
};

#define IP_TEXT_MAX 80 /* longest text of an address, a prefix or a range, with its NUL */

static inline uint8_t ip_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

static inline size_t ip_size(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
/* memcmp order of two addresses of one family. */
int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b);
bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
/* False for multicast, broadcast, loopback, unspecified: nothing a tunnel may end at. */
bool ip_addr_is_unicast(const struct ip_addr *a);

struct ip_addr ip_addr_from(uint8_t family, const void *bytes);
/* IPv4 as a host-order integer. */
uint32_t ip_addr_v4(const struct ip_addr *a);

/* Parse text; 0 or -EINVAL. A prefix without "/len" is a host; host bits must be zero. */
int ip_addr_parse(const char *text, struct ip_addr *out);
int ip_prefix_parse(const char *text, struct ip_prefix *out);
/*
 * "first-last", a prefix, an address, or "any"; 0 or -EINVAL. `family` is only
 * asked for "any", which is an error where it is 0.
 */
int ip_range_parse(const char *text, uint8_t family, struct ip_addr *first, struct ip_addr *last);

/* Print into buf of IP_TEXT_MAX bytes and return buf. */
char *ip_addr_text(const struct ip_addr *a, char *buf);
char *ip_prefix_text(const struct ip_prefix *p, char *buf);
/* As a prefix where the range is one. */
char *ip_range_text(const struct ip_addr *first, const struct ip_addr *last, char *buf);

/*
 * Split a range into the fewest prefixes that cover it exactly (at most 254 for
 * IPv6). Returns how many were written, or -ENOSPC.
 */
int ip_range_prefixes(const struct ip_addr *first, const struct ip_addr *last,
		      struct ip_prefix *out, size_t max);

#endif
