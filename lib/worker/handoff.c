/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/cut.h"
#include "worker/state.h"

static void put(struct worker *w, uint16_t to, struct rte_mbuf **m, unsigned int n)
{
	unsigned int sent = rte_ring_mp_enqueue_burst(w->g->worker[to]->inbox, (void **)m, n, NULL);

	w->count.to_workers += sent;
	for (; sent < n; sent++)
		drop(&w->drops, m[sent], DROP_HANDOFF_FULL);
}

static void mark_inbound(const struct worker *w, struct packet *p)
{
	struct packet_carry *carry = packet_carry(p->m);

	(void)w;
	carry->kind = CARRY_INBOUND;
	carry->port = p->port;
}

static void mark_outbound(const struct worker *w, struct packet *p)
{
	struct packet_carry *carry = packet_carry(p->m);

	packet_cut(p->m, p->ip, p->ip_len);
	carry->kind = CARRY_OUTBOUND;
	carry->flags = p->flags;
	carry->tunnel = sad_tunnel_handle(w->sad, p->tunnel);
}

static uint16_t owner_inbound(const struct worker *w, const struct packet *p)
{
	(void)w;
	return p->in->owner;
}

static uint16_t owner_outbound(const struct worker *w, const struct packet *p)
{
	return w->sad->tunnel[p->tunnel].owner;
}

/* One burst for each other owner; what is ours stays. */
static inline void hand_over(struct worker *w, struct vector *v,
			     uint16_t (*owner)(const struct worker *, const struct packet *),
			     void (*mark)(const struct worker *, struct packet *))
{
	for (;;) {
		struct rte_mbuf *batch[VECTOR_MAX];
		unsigned int n = 0;
		uint16_t kept = 0, to = w->index;

		for (uint16_t i = 0; i < v->n; i++) {
			struct packet *p = v->p[i];
			uint16_t of = owner(w, p);

			if (of != w->index && (n == 0 || of == to)) {
				to = of;
				mark(w, p);
				batch[n++] = p->m;
			} else {
				v->p[kept++] = p;
			}
		}
		v->n = kept;
		if (n == 0)
			return;
		put(w, to, batch, n);
	}
}

void handoff_inbound(struct worker *w, struct vector *v)
{
	if (w->g->workers > 1)
		hand_over(w, v, owner_inbound, mark_inbound);
}

void handoff_outbound(struct worker *w, struct vector *v)
{
	if (w->g->workers > 1)
		hand_over(w, v, owner_outbound, mark_outbound);
}

void handoff_transmit(struct worker *w, uint16_t to, uint16_t port, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct packet_carry *carry = packet_carry(m[i]);
		carry->kind = CARRY_TRANSMIT;
		carry->port = port;
	}
	put(w, to, m, n);
}
