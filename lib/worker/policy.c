/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/address.h"
#include "worker/state.h"

/* What came out of a tunnel may go on where hosts of the protected side can be. */
static bool may_pass_on(const struct worker *w, const struct packet *p, const struct nexthop *hop)
{
	if ((p->flags & (PACKET_DECAPSULATED | PACKET_REPLY)) == 0)
		return false;
	return hop->type == NEXTHOP_KERNEL || (w->g->port[hop->port].role & PORT_PROTECTED) != 0;
}

/* No policy matches: a route into a tunnel protects, nothing else does (RFC 4301 5.1). */
static bool by_route(struct worker *w, struct packet *p, struct vector *clear)
{
	const struct nexthop *hop = route_to(w->g->fib, p);

	switch ((enum nexthop_type)hop->type) {
	case NEXTHOP_TUNNEL:
		p->tunnel = hop->tunnel;
		return true;
	case NEXTHOP_LOCAL:
		kernel_packet(w, p);
		return false;
	case NEXTHOP_NONE:
		drop(&w->drops, p->m, DROP_NO_ROUTE);
		return false;
	case NEXTHOP_BLACKHOLE:
		drop(&w->drops, p->m, DROP_BLACKHOLE);
		return false;
	default:
		if (may_pass_on(w, p, hop))
			vector_add(clear, p);
		else
			drop(&w->drops, p->m, DROP_NO_POLICY);
		return false;
	}
}

void policy_outbound(struct worker *w, struct vector *v, struct vector *clear)
{
	struct verdict verdict[VECTOR_MAX];
	bool ask = !spd_empty(w->g->spd);
	uint16_t kept = 0;

	if (ask)
		spd_lookup(w->policies, v, true, verdict);
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		switch (ask ? verdict[i].action : 0) {
		case POLICY_PROTECT:
			p->tunnel = verdict[i].tunnel;
			v->p[kept++] = p;
			break;
		case POLICY_BYPASS:
			vector_add(clear, p);
			break;
		case POLICY_DISCARD:
			drop(&w->drops, p->m, DROP_POLICY_DISCARD);
			break;
		default:
			if (by_route(w, p, clear))
				v->p[kept++] = p;
		}
	}
	v->n = kept;
}

/* What comes from a prefix that is routed into a tunnel should have come out of it. */
static bool source_is_tunnelled(const struct worker *w, const struct packet *p)
{
	return fib_lookup(w->g->fib, p->family, packet_source(p))->type == NEXTHOP_TUNNEL;
}

/*
 * Plaintext from an unprotected port. Stays in v: bypassed, to be routed. Goes to
 * `either`: no policy speaks of it, and the port is a protected one as well.
 */
void policy_inbound(struct worker *w, struct vector *v, struct vector *either)
{
	struct verdict verdict[VECTOR_MAX];
	bool ask = !spd_empty(w->g->spd);
	uint16_t kept = 0;

	if (ask)
		spd_lookup(w->policies, v, false, verdict);
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		uint8_t action = ask ? verdict[i].action : 0;

		if (action == POLICY_BYPASS) {
			v->p[kept++] = p;
		} else if (action == POLICY_DISCARD) {
			drop(&w->drops, p->m, DROP_POLICY_DISCARD);
		} else if (action == POLICY_PROTECT || source_is_tunnelled(w, p)) {
			drop(&w->drops, p->m, DROP_PLAINTEXT);
		} else if (route_to(w->g->fib, p)->type == NEXTHOP_LOCAL) {
			kernel_packet(w, p);
		} else if ((w->g->port[p->port].role & PORT_PROTECTED) != 0) {
			vector_add(either, p);
		} else {
			drop(&w->drops, p->m, DROP_NO_POLICY);
		}
	}
	v->n = kept;
}
