/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESP_ECN_H
#define ESPALIER_ESP_ECN_H

#include <stdint.h>

/* The two ECN bits (RFC 3168 5). */
enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
#define ECN_DROP 0xff

/* RFC 6040 4.2, figure 4: the inner packet's bits on the way out, or ECN_DROP. */
static inline uint8_t ecn_decapsulate(uint8_t inner, uint8_t outer)
{
	static const uint8_t table[4][4] = {
	    /* outer: Not-ECT, ECT(1), ECT(0), CE */
	    [ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP},
	    [ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
	    [ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
	    [ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
	};

	return table[inner & 3][outer & 3];
}

#endif
