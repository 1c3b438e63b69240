/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_EXPLAIN_H
#define ESPALIER_GATEWAY_EXPLAIN_H

#include "worker/gateway.h"

/*
 * What a packet from the protected side (or of this machine) would meet, by the
 * same tables that workers ask and in the order of worker/pipeline.c. Nothing is
 * sent, counted or changed. Control thread.
 */
enum explain_fate {
	EXPLAIN_PROTECT, /* leaves through a tunnel */
	EXPLAIN_CLEAR,   /* is forwarded in the clear by a bypass policy */
	EXPLAIN_KERNEL,  /* goes to this machine */
	EXPLAIN_HELD,    /* waits: for an SA (a trap), or for the next hop to answer */
	EXPLAIN_DROP,
};

struct explain {
	enum explain_fate fate;
	enum drop_reason drop;       /* with EXPLAIN_DROP */
	char why[256];               /* one sentence for an operator */
	const struct policy *policy; /* NULL: none matches */
	const struct tunnel *tunnel; /* by policy or by route; NULL: none */
	bool by_route;               /* a route led into the tunnel */
	const struct sa *sa;         /* that would send; NULL: none */
	const struct nexthop *route; /* of the inner packet, where no tunnel takes it */
	const struct nexthop *outer; /* of the ESP packet, with a tunnel and an SA */
	uint16_t mtu;                /* largest inner packet; 0: not known */
};

/*
 * `flow`: local is the source. Ports that are not given are unknown. `length` is
 * that of the inner packet; 0: one that fits. Policies are those in effect.
 */
void gateway_explain(struct gateway *g, const struct flow *flow, uint16_t length,
		     struct explain *out);

#endif
