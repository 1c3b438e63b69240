/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <rte_ethdev.h>

#include "packet/bytes.h"
#include "worker/state.h"

/* Queue q of port p belongs to worker (p + q) mod workers: which queue is this worker's? */
static bool own_queue(const struct worker *w, const struct port *port, uint16_t *queue)
{
	*queue =
	    (uint16_t)((w->index + w->g->workers - port->index % w->g->workers) % w->g->workers);
	return *queue < port->queues;
}

static void flush_port(struct worker *w, uint16_t index)
{
	struct port *port = &w->g->port[index];
	struct transmit_buffer *b = &w->tx[index];
	uint16_t queue;

	if (own_queue(w, port, &queue)) {
		const struct port_queue *q = &port->queue[queue];
		uint16_t sent = rte_eth_tx_burst(q->ethdev, q->queue, b->m, b->n);
		w->count.tx += sent;
		w->port_tx[index] += sent;
		for (; sent < b->n; sent++)
			drop(&w->drops, b->m[sent], DROP_TX_FULL);
	} else {
		uint16_t owner = (uint16_t)((index + w->index % port->queues) % w->g->workers);
		handoff_transmit(w, owner, index, b->m, b->n);
	}
	b->n = 0;
}

void transmit_flush(struct worker *w)
{
	for (uint16_t i = 0; i < w->g->ports; i++) {
		if (w->tx[i].n > 0)
			flush_port(w, i);
	}
}

/* A complete frame. A port that takes no chains gets one buffer, if it fits one. */
void transmit_frame(struct worker *w, uint16_t index, struct rte_mbuf *m)
{
	const struct port *port = &w->g->port[index];
	struct transmit_buffer *b = &w->tx[index];

	if (unlikely(!atomic_load_explicit(&port->up, memory_order_relaxed))) {
		drop(&w->drops, m, DROP_PORT_DOWN);
		return;
	}
	if (unlikely(m->next != NULL && !port->chains && rte_pktmbuf_linearize(m) != 0)) {
		drop(&w->drops, m, DROP_TX_CHAIN);
		return;
	}
	b->m[b->n++] = m;
	if (unlikely(b->n == RTE_DIM(b->m)))
		flush_port(w, index);
}

/* No frame header to send it behind. */
static void cannot_send(struct worker *w, struct packet *p)
{
	switch ((enum nexthop_type)p->hop->type) {
	case NEXTHOP_ETHER:
		break;
	case NEXTHOP_UNRESOLVED:
	case NEXTHOP_CONNECTED:
		hold_packet(w, p);
		break;
	case NEXTHOP_TUNNEL:
	case NEXTHOP_LOCAL:
		drop(&w->drops, p->m, DROP_LOOP);
		break;
	case NEXTHOP_BLACKHOLE:
		drop(&w->drops, p->m, DROP_BLACKHOLE);
		break;
	case NEXTHOP_NONE:
	case NEXTHOP_KERNEL:
		drop(&w->drops, p->m, DROP_NO_ROUTE);
		break;
	}
}

/* The 14 bytes before a packet, as two words of which the second begins at byte 6. */
struct frame_header {
	uint64_t head, tail4, tail6;
};

static struct frame_header frame_header(const struct nexthop *hop)
{
	uint8_t bytes[RTE_ETHER_HDR_LEN];
	struct frame_header h;

	memcpy(bytes, hop->eth, sizeof(bytes));
	h.head = load_u64(bytes);
	store_be16(bytes + 12, RTE_ETHER_TYPE_IPV4);
	h.tail4 = load_u64(bytes + 6);
	store_be16(bytes + 12, RTE_ETHER_TYPE_IPV6);
	h.tail6 = load_u64(bytes + 6);
	return h;
}

static inline void prepend_frame(struct packet *p, const struct frame_header *h)
{
	struct rte_mbuf *m = p->m;
	uint8_t *frame = p->ip - RTE_ETHER_HDR_LEN;

	store_u64(frame, h->head);
	store_u64(frame + 6, p->family == 4 ? h->tail4 : h->tail6);
	m->data_off -= RTE_ETHER_HDR_LEN;
	m->data_len += RTE_ETHER_HDR_LEN;
	m->pkt_len += RTE_ETHER_HDR_LEN;
}

void transmit(struct worker *w, struct vector *v)
{
	const struct nexthop *last = NULL;
	struct frame_header header = {0};
	uint16_t mtu = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		if (unlikely(p->hop != last)) {
			if (p->hop->type != NEXTHOP_ETHER) {
				cannot_send(w, p);
				continue;
			}
			last = p->hop;
			header = frame_header(last);
			mtu = w->g->port[last->port].mtu;
		}
		if (unlikely(p->ip_len > mtu)) {
			drop(&w->drops, p->m, DROP_TX_MTU);
			continue;
		}
		prepend_frame(p, &header);
		transmit_frame(w, last->port, p->m);
	}
	v->n = 0;
}
