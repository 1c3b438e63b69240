/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/checksum.h"
#include "packet/cut.h"
#include "worker/address.h"
#include "worker/state.h"

#define IP_TTL_OFFSET4 8
#define IP_TTL_OFFSET6 7

/* False: the packet's hops have ended. A router lowers the TTL only when it forwards. */
static bool lower_ttl(struct worker *w, struct packet *p)
{
	if ((p->flags & PACKET_LOCAL) != 0)
		return true;
	uint8_t ttl = p->ip[p->family == 4 ? IP_TTL_OFFSET4 : IP_TTL_OFFSET6];
	if (unlikely(ttl <= 1)) {
		reply_and_drop(w, p, DROP_TTL_EXPIRED, ICMP_ERROR_TTL_EXPIRED, 0);
		return false;
	}
	ip_decrement_ttl(p->ip, p->family);
	p->flags |= PACKET_LOCAL; /* once is enough, wherever the packet is handed to */
	return true;
}

void forward_ttl(struct worker *w, struct vector *v)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		if (lower_ttl(w, v->p[i]))
			v->p[kept++] = v->p[i];
	}
	v->n = kept;
}

/* Out of a port in the clear. False: it does not fit, or its hops have ended. */
static bool fit_port(struct worker *w, struct packet *p, const struct nexthop *hop)
{
	if (!lower_ttl(w, p))
		return false;
	uint16_t mtu = w->g->port[hop->port].mtu;
	if (hop->mtu != 0 && hop->mtu < mtu)
		mtu = hop->mtu;
	if (unlikely(p->ip_len > mtu)) {
		reply_and_drop(w, p, DROP_TX_MTU, ICMP_ERROR_TOO_BIG, mtu);
		return false;
	}
	packet_cut(p->m, p->ip, p->ip_len);
	p->hop = hop;
	return true;
}

/*
 * Out of a tunnel, or made here: to this machine or to a port that is protected
 * and nothing else. Whatever would leave another way is asked for at the SPD.
 */
void route_inner(struct worker *w, struct vector *v, struct vector *again)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		const struct nexthop *hop = route_to(w->g->fib, p);

		if (hop->type == NEXTHOP_LOCAL) {
			kernel_packet(w, p);
		} else if (likely(nexthop_has_port(hop) &&
				  w->g->port[hop->port].role == PORT_PROTECTED)) {
			if (fit_port(w, p, hop))
				v->p[kept++] = p;
		} else {
			vector_add(again, p);
		}
	}
	v->n = kept;
	transmit(w, v);
}

/* Policy says bypass, or it is an outer packet of ours: by the route alone, never into a tunnel. */
void route_clear(struct worker *w, struct vector *v)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		const struct nexthop *hop = route_to(w->g->fib, p);

		if (hop->type == NEXTHOP_LOCAL || hop->type == NEXTHOP_KERNEL) {
			kernel_packet(w, p);
			continue;
		}
		p->hop = hop;
		if (nexthop_has_port(hop) && !fit_port(w, p, hop))
			continue;
		v->p[kept++] = p;
	}
	v->n = kept;
	transmit(w, v);
}
