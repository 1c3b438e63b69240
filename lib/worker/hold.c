/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "worker/address.h"
#include "worker/state.h"

#define HOLD_SECONDS 2
#define RETRIES_A_SECOND 100

static bool ask(struct worker *w, uint16_t port, const struct ip_addr *gateway)
{
	struct unresolved *u = &w->unresolved;
	uint32_t tail = atomic_load_explicit(&u->tail, memory_order_relaxed);

	/* Full: the control thread is late; the next retry asks again. */
	if (tail - atomic_load_explicit(&u->head, memory_order_acquire) == UNRESOLVED_MAX)
		return false;
	u->entry[tail % UNRESOLVED_MAX] =
	    (struct worker_unresolved){.port = port, .gateway = *gateway};
	atomic_store_explicit(&u->tail, tail + 1, memory_order_release);
	return true;
}

bool worker_next_unresolved(struct worker *w, struct worker_unresolved *out)
{
	struct unresolved *u = &w->unresolved;
	uint32_t head = atomic_load_explicit(&u->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&u->tail, memory_order_acquire))
		return false;
	*out = u->entry[head % UNRESOLVED_MAX];
	atomic_store_explicit(&u->head, head + 1, memory_order_release);
	return true;
}

static struct ip_addr address_to_resolve(const struct packet *p)
{
	if (p->hop->type == NEXTHOP_UNRESOLVED)
		return p->hop->gateway;
	return ip_addr_from(p->family, packet_destination(p));
}

/* The mbuf's data is the IP packet. */
void hold_packet(struct worker *w, struct packet *p)
{
	struct hold *h = &w->hold;
	struct ip_addr gateway = address_to_resolve(p);
	unsigned int waiting = 0;

	for (uint16_t i = 0; i < h->n && waiting < HOLD_PER_HOP; i++)
		waiting += h->entry[i].port == p->hop->port &&
			   ip_addr_equal(&h->entry[i].gateway, &gateway);
	bool asked = waiting > 0 || ask(w, p->hop->port, &gateway);
	if (waiting >= HOLD_PER_HOP || h->n == HOLD_MAX) {
		drop(&w->drops, p->m, DROP_NEIGH_QUEUE);
		return;
	}
	h->entry[h->n++] = (struct held){.m = p->m,
					 .deadline = w->now + HOLD_SECONDS * w->hz,
					 .port = p->hop->port,
					 .gateway = gateway,
					 .asked = asked};
}

/* What a held packet needs to be routed again. */
static struct packet packet_again(const struct worker *w, struct rte_mbuf *m)
{
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
	struct packet p = {.m = m,
			   .ip = ip,
			   .ip_len = (uint16_t)m->pkt_len,
			   .family = ip[0] >> 4,
			   .port = PORT_NONE,
			   .tunnel = TUNNEL_NONE};

	p.hop = route_to(w->g->fib, &p);
	return p;
}

void hold_retry(struct worker *w)
{
	struct hold *h = &w->hold;
	uint64_t generation = atomic_load_explicit(&w->g->fib->generation, memory_order_acquire);
	uint16_t kept = 0;

	if (h->n == 0)
		return;
	w->now = rte_rdtsc();
	if (generation == h->generation && w->now < h->next_try)
		return;
	h->generation = generation;
	h->next_try = w->now + w->hz / RETRIES_A_SECOND;
	for (uint16_t i = 0; i < h->n; i++) {
		struct held *e = &h->entry[i];
		struct packet p = packet_again(w, e->m);

		if (p.hop->type == NEXTHOP_UNRESOLVED || p.hop->type == NEXTHOP_CONNECTED) {
			if (w->now > e->deadline) {
				drop(&w->drops, e->m, DROP_NEIGH_UNRESOLVED);
				continue;
			}
			if (!e->asked)
				e->asked = ask(w, e->port, &e->gateway);
			h->entry[kept++] = *e;
			continue;
		}
		/* The packet was let out on that side, and on no other. */
		if (nexthop_has_port(p.hop) &&
		    w->g->port[p.hop->port].role != w->g->port[e->port].role) {
			drop(&w->drops, e->m, DROP_NO_ROUTE);
			continue;
		}
		struct vector one = {.p = {&p}, .n = 1};
		transmit(w, &one);
	}
	h->n = kept;
}

void hold_drop_all(struct worker *w)
{
	for (uint16_t i = 0; i < w->hold.n; i++)
		drop(&w->drops, w->hold.entry[i].m, DROP_NEIGH_UNRESOLVED);
	w->hold.n = 0;
}
