/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "worker/state.h"

/*
 * The way of a packet, in the order of RFC 4301 and 4303. Every step takes the
 * vector, drops what fails and leaves the rest in order.
 */

static inline struct esp_watch watch_of(struct worker *w)
{
	return (struct esp_watch){.notices = &w->notices, .now = w->now, .hz = w->hz};
}

/* Plaintext for a tunnel whose SA this worker may own. */
static void protect(struct worker *w, struct vector *v)
{
	const struct esp_watch watch = watch_of(w);
	struct drops *d = &w->drops;

	uint8_t flags;

	handoff_outbound(w, v);   /* to the SA's owner */
	tunnel_sending_sa(w, v);  /* RFC 4301 5.1: the SA, or ask for one */
	tunnel_fit(w, v);         /* RFC 4301 8.2: MTU */
	esp_make_room(v, d);      /* headroom and tailroom */
	esp_number(v, d, &watch); /* RFC 4303 3.3.3: sequence number */
	/* RFC 4303 3.3.2, 4301 5.1.2: headers, padding */
	flags = esp_encapsulate(v, &w->ops, w->now);
	if ((flags & SA_OUT_LIMITED) != 0)
		esp_watch_sending(v, &watch); /* RFC 4301 4.4.2.1: lifetimes */
	esp_seal(v, &w->ops, w->aead);        /* RFC 4106: encrypt, ICV */
	transmit(w, v);
}

/* Plaintext that must be asked for at the SPD: from the protected side, or passing on. */
static void outbound(struct worker *w, struct vector *v)
{
	struct vector clear = {.n = 0};

	policy_outbound(w, v, &clear); /* RFC 4301 5.1: protect, bypass, discard */
	forward_ttl(w, v);             /* RFC 4301 5.1.2: the inner TTL */
	protect(w, v);
	route_clear(w, &clear);
}

/* Inner packets out of a tunnel, and errors of our own: to their next hop. */
static void pass_on(struct worker *w, struct vector *v)
{
	struct vector again = {.n = 0};

	route_inner(w, v, &again); /* the kernel, the protected side, or another tunnel */
	outbound(w, &again);
}

static void inbound(struct worker *w, struct vector *v)
{
	const struct esp_watch watch = watch_of(w);
	struct drops *d = &w->drops;
	uint8_t flags;

	esp_find_sa(v, d, w->sad);                /* RFC 4303 3.4.2: SAD lookup by SPI */
	handoff_inbound(w, v);                    /* to the SA's owner */
	esp_check_replay(v, d, &watch);           /* RFC 4303 3.4.3: before the ICV */
	esp_open(v, d, &w->ops, w->aead, &watch); /* RFC 4303 3.4.4: ICV, decrypt */
	esp_advance_replay(v, d, &watch);  /* RFC 4303 3.4.3, only after the ICV; 7296 2.23 */
	esp_strip(v, d);                   /* RFC 4303 2.4, 2.6, 2.7; RFC 6040 */
	flags = esp_check_selectors(v, d); /* RFC 4301 5.2: the inner packet */
	if ((flags & SA_IN_LIMITED) != 0)
		esp_watch_receiving(v, &watch); /* RFC 4301 4.4.2.1: lifetimes */
	pass_on(w, v);
}

/* Plaintext on the unprotected side, or on a port that is both. */
static void plaintext_in(struct worker *w, struct vector *v)
{
	struct vector either = {.n = 0};

	policy_inbound(w, v, &either); /* RFC 4301 5.2: must it have been protected? */
	route_clear(w, v);
	outbound(w, &either);
}

/* ICMP errors of ours. No error is ever sent about an error. */
static void answer(struct worker *w)
{
	if (w->replies.n > 0) {
		pass_on(w, &w->replies);
		w->replies.n = 0;
	}
}

void pipeline_run(struct worker *w, struct lanes *lanes)
{
	if (lanes->esp.n > 0)
		inbound(w, &lanes->esp);
	if (lanes->plain.n > 0)
		outbound(w, &lanes->plain);
	if (lanes->clear.n > 0)
		plaintext_in(w, &lanes->clear);
	answer(w);
}

void pipeline_waiting(struct worker *w)
{
	struct packet store[ACQUIRE_MAX];
	struct vector v;

	if (likely(w->acquire.n == 0))
		return;
	w->now = rte_rdtsc();
	while (acquire_next(w, store, &v)) {
		protect(w, &v);
		answer(w);
	}
}

/* A packet without a frame around it: parse what carry says of it. */
static bool take_packet(struct worker *w, struct rte_mbuf *m, struct packet *p, uint8_t flags)
{
	const struct packet_carry *carry = packet_carry(m);

	*p = (struct packet){.m = m,
			     .ip = rte_pktmbuf_mtod(m, uint8_t *),
			     .port = PORT_NONE,
			     .tunnel = TUNNEL_NONE,
			     .flags = flags};
	if (carry->tunnel != TUNNEL_NONE) {
		p->tunnel = sad_tunnel_index(w->sad, carry->tunnel);
		if (p->tunnel == TUNNEL_NONE) {
			drop(&w->drops, m, DROP_TUNNEL_NO_SA);
			return false;
		}
	}
	if ((flags & PACKET_DUMMY) != 0) {
		p->ip_len = (uint16_t)m->pkt_len;
		p->family = 4;
		return true;
	}
	if (packet_parse_ip(p, m->data_len, m->pkt_len) == 0)
		return true;
	drop(&w->drops, m, DROP_BAD_IP);
	return false;
}

/* From a tun device: a tunnel's own, or the one that leaves it to policy; from a tap: a frame. */
static void from_kernel(struct worker *w, struct packet *p, struct lanes *lanes,
			struct vector *tunnelled)
{
	struct rte_mbuf *m = p->m;
	const struct packet_carry *carry = packet_carry(m);

	w->count.from_kernel++;
	if (carry->port != PORT_NONE) {
		transmit_frame(w, carry->port, m);
	} else if (take_packet(w, m, p, PACKET_LOCAL)) {
		vector_add(p->tunnel != TUNNEL_NONE ? tunnelled : &lanes->plain, p);
	}
}

void pipeline_inbox(struct worker *w, struct rte_mbuf **mbufs, uint16_t n)
{
	struct lanes lanes = {0};
	struct vector tunnelled = {.n = 0}, made = {.n = 0};

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = mbufs[i];
		struct packet *p = &w->store[i];
		const struct packet_carry *carry = packet_carry(m);

		p->m = m;
		switch ((enum carry_kind)carry->kind) {
		case CARRY_FROM_KERNEL:
			from_kernel(w, p, &lanes, &tunnelled);
			break;
		case CARRY_INBOUND:
			w->count.from_workers++;
			receive_frames(w, carry->port, &m, 1, p, &lanes);
			break;
		case CARRY_OUTBOUND:
			if ((carry->flags & PACKET_DUMMY) != 0)
				w->count.made++;
			else
				w->count.from_workers++;
			if (take_packet(w, m, p, carry->flags))
				vector_add(&tunnelled, p);
			break;
		case CARRY_FORWARD:
			w->count.made++;
			if (take_packet(w, m, p, PACKET_LOCAL))
				vector_add(&made, p);
			break;
		case CARRY_TRANSMIT:
			w->count.from_workers++;
			transmit_frame(w, carry->port, m);
			break;
		}
	}
	protect(w, &tunnelled);
	route_clear(w, &made);
	pipeline_run(w, &lanes);
}
