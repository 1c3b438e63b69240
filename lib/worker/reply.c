/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/state.h"

/* RFC 1812 4.3.2.8, RFC 4443 2.4 f: a bound on how many errors a worker sends. */
#define REPLIES_A_SECOND 1000
#define REPLIES_BURST 50

static bool take_token(struct worker *w)
{
	uint64_t each = w->hz / REPLIES_A_SECOND;
	uint64_t earned = (w->now - w->reply_refill) / each;

	if (earned > 0) {
		w->reply_tokens = RTE_MIN(w->reply_tokens + earned, (uint64_t)REPLIES_BURST);
		w->reply_refill += earned * each;
	}
	if (w->reply_tokens == 0)
		return false;
	w->reply_tokens--;
	return true;
}

static void reply(struct worker *w, const struct packet *about, enum icmp_error_kind kind,
		  uint16_t mtu)
{
	const struct ip_addr *source = atomic_load_explicit(
	    &w->g->icmp_source[about->family == 4 ? 0 : 1], memory_order_acquire);

	if (source == NULL || w->replies.n == VECTOR_MAX || !icmp_error_allowed(about) ||
	    !take_token(w))
		return;
	struct rte_mbuf *m = icmp_error_build(w->g->pool, kind, about, source, mtu);
	if (m == NULL)
		return;
	struct packet *p = &w->reply_store[w->replies.n];
	*p = (struct packet){.m = m,
			     .ip = rte_pktmbuf_mtod(m, uint8_t *),
			     .port = PORT_NONE,
			     .tunnel = about->tunnel,
			     .flags = PACKET_LOCAL | PACKET_REPLY};
	if (packet_parse_ip(p, m->data_len, m->pkt_len) != 0) {
		rte_pktmbuf_free(m);
		return;
	}
	w->count.made++;
	vector_add(&w->replies, p);
}

void reply_and_drop(struct worker *w, struct packet *p, enum drop_reason reason,
		    enum icmp_error_kind kind, uint16_t mtu)
{
	reply(w, p, kind, mtu);
	drop(&w->drops, p->m, reason);
}
