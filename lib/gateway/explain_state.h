/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_EXPLAIN_STATE_H
#define ESPALIER_GATEWAY_EXPLAIN_STATE_H

#include "gateway/explain.h"

/* Private to explain*.c. */
struct question {
	struct gateway *g;
	const struct flow *flow;
	uint16_t length;
	struct explain *out;
};

/* The end of the packet's way, and why. */
void explain_ends(const struct question *q, enum explain_fate fate, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void explain_dropped(const struct question *q, enum drop_reason reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The largest packet that the port and the route of `hop` take. */
uint16_t explain_port_mtu(const struct question *q, const struct nexthop *hop);

/* worker/transmit.c: what becomes of a packet to `to`, of which `what` says whose it is. */
void explain_sent(const struct question *q, const struct nexthop *hop, const struct ip_addr *to,
		  enum explain_fate fate, const char *what);

/* explain_tunnel.c: what a tunnel does with the packet. */
void explain_protect(const struct question *q, struct tunnel *t);

#endif
