/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "packet/address.h"

typedef unsigned __int128 u128;

static u128 to_number(const struct ip_addr *a)
{
	u128 n = 0;

	for (size_t i = 0; i < ip_size(a->family); i++)
		n = n << 8 | a->bytes[i];
	return n;
}

static struct ip_addr from_number(uint8_t family, u128 n)
{
	struct ip_addr a = {.family = family};

	for (size_t i = ip_size(family); i-- > 0; n >>= 8)
		a.bytes[i] = (uint8_t)n;
	return a;
}

/* Take, from the front, the largest aligned block that does not pass the end. */
int ip_range_prefixes(const struct ip_addr *first, const struct ip_addr *last,
		      struct ip_prefix *out, size_t max)
{
	const unsigned int bits = ip_bits(first->family);
	u128 at = to_number(first);
	const u128 end = to_number(last);
	size_t n = 0;

	while (at <= end) {
		unsigned int host = 0; /* bits of the block's size */
		u128 top = at;         /* its last address */

		while (host < bits && (at >> host & 1) == 0) {
			u128 wider = top | (u128)1 << host;
			if (wider > end)
				break;
			top = wider;
			host++;
		}
		if (n == max)
			return -ENOSPC;
		out[n].addr = from_number(first->family, at);
		out[n].len = (uint8_t)(bits - host);
		n++;
		if (top == end)
			break;
		at = top + 1;
	}
	return (int)n;
}
