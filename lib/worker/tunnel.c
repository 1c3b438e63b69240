/* SPDX-License-Identifier: BSD-3-Clause */
#include "mtu/payload.h"
#include "worker/address.h"
#include "worker/state.h"

/* Outer packets may not be longer than an IPv4 total length says. */
#define INNER_MAX (UINT16_MAX - SA_HEADER_MAX - 24)
#define IPV6_MTU_MIN 1280

/* Look the peer's address up again; only after the fib or the SA's addresses changed. */
static void refresh_hop(struct worker *w, struct sa_out *sa, uint8_t current, uint32_t tag)
{
	const struct ip_addr *remote = &sa->remote[current];
	uint8_t flags = sa->outer[current].flags;

	sa->hop = fib_lookup(w->g->fib, remote->family, remote->bytes);
	uint16_t mtu = sa->hop->mtu;
	if (nexthop_has_port(sa->hop) && (mtu == 0 || mtu > w->g->port[sa->hop->port].mtu))
		mtu = w->g->port[sa->hop->port].mtu;
	sa->mtu =
	    mtu == 0 ? INNER_MAX : mtu_payload(mtu, remote->family, (flags & SA_OUTER_UDP) != 0);
	sa->hop_tag = tag;
}

static inline void use_hop(struct worker *w, struct packet *p, uint64_t generation)
{
	struct sa_out *sa = p->out;
	uint8_t current = atomic_load_explicit(&sa->current, memory_order_acquire);
	uint32_t tag = (uint32_t)generation << 1 | current;

	if (unlikely(sa->hop_tag != tag || sa->hop == NULL))
		refresh_hop(w, sa, current, tag);
	p->hop = sa->hop;
}

/* Its lines, but for `marks`, and the first ones of the key. */
static inline void prefetch_sa(const struct sa_out *sa)
{
	for (unsigned int line = 0; line < 4; line++)
		rte_prefetch0((const uint8_t *)sa + line * 64);
	for (unsigned int line = 0; line < 4; line++)
		rte_prefetch0((const uint8_t *)&sa->key + line * 64);
}

void tunnel_sending_sa(struct worker *w, struct vector *v)
{
	uint64_t generation = atomic_load_explicit(&w->g->fib->generation, memory_order_acquire);
	bool waiting = unlikely(w->acquire.n > 0);
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++)
		rte_prefetch0(&w->sad->tunnel[v->p[i]->tunnel]);
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		p->out = atomic_load_explicit(&w->sad->tunnel[p->tunnel].out, memory_order_acquire);
		/* Behind those that wait already, if the SA has come just now. */
		if (unlikely(p->out == NULL || (waiting && acquire_waits(w, p->tunnel)))) {
			acquire_packet(w, p);
			continue;
		}
		prefetch_sa(p->out);
		v->p[kept++] = p;
	}
	v->n = kept;
	for (uint16_t i = 0; i < v->n; i++)
		use_hop(w, v->p[i], generation);
}

/* RFC 4301 8.2.1: the sender learns what fits; IPv6 is never told less than its minimum. */
static void too_big(struct worker *w, struct packet *p, uint16_t limit)
{
	p->out->too_big++;
	if (p->family == 6 && limit < IPV6_MTU_MIN)
		limit = IPV6_MTU_MIN;
	reply_and_drop(w, p, DROP_TOO_BIG, ICMP_ERROR_TOO_BIG, limit);
}

void tunnel_fit(struct worker *w, struct vector *v)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		uint16_t limit =
		    atomic_load_explicit(&w->sad->tunnel[p->tunnel].mtu, memory_order_relaxed);

		/* What the path carries bounds what the configuration says. */
		if (limit == 0 || limit > p->out->mtu)
			limit = p->out->mtu;
		if (unlikely(p->ip_len > limit)) {
			too_big(w, p, limit);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}
