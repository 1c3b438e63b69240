/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#include "packet/bytes.h"
#include "worker/address.h"
#include "worker/state.h"

#define PREFETCH_AHEAD 4
#define ESP_AND_IV 16u
#define UDP_HEADER 8u
#define PORT_IKE 500

/* What the classification of a packet to this machine came to. */
enum kind { KIND_ESP, KIND_IKE, KIND_OTHER, KIND_GONE };

static bool is_local(struct worker *w, const struct packet *p)
{
	const uint8_t *to = packet_destination(p);
	uint64_t generation = atomic_load_explicit(&w->g->fib->generation, memory_order_relaxed);

	if (likely(w->local_generation == generation && w->local.family == p->family &&
		   memcmp(w->local.bytes, to, p->family == 4 ? 4 : 16) == 0))
		return true;
	if (route_to(w->g->fib, p)->type != NEXTHOP_LOCAL)
		return false;
	w->local = ip_addr_from(p->family, to);
	w->local_generation = generation;
	return true;
}

static enum kind gone(struct worker *w, struct packet *p, enum drop_reason reason)
{
	drop(&w->drops, p->m, reason);
	return KIND_GONE;
}

/* The ESP header and IV must lie in the first segment. */
static enum kind take_esp(struct worker *w, struct packet *p, uint32_t avail, uint16_t off)
{
	if (unlikely(off + ESP_AND_IV > avail || off + ESP_AND_IV > p->ip_len))
		return gone(w, p, DROP_ESP_SHORT);
	p->esp_off = off;
	return KIND_ESP;
}

/* RFC 3948 2: by the bytes behind the UDP header. Its checksum is not relied on. */
static enum kind classify_udp(struct worker *w, struct packet *p, uint32_t avail)
{
	uint16_t off = p->l4_off;

	if (unlikely(off + UDP_HEADER > avail || off + UDP_HEADER > p->ip_len))
		return KIND_OTHER;
	uint16_t to = load_be16(p->ip + off + 2);
	if (to == PORT_IKE)
		return is_local(w, p) ? KIND_IKE : KIND_OTHER;
	if (!gateway_is_encap_port(w->g, to) || !is_local(w, p))
		return KIND_OTHER;

	uint16_t len = load_be16(p->ip + off + 4);
	if (unlikely(len < UDP_HEADER || off + len > p->ip_len))
		return gone(w, p, DROP_BAD_IP);
	uint16_t payload = (uint16_t)(off + UDP_HEADER), left = (uint16_t)(len - UDP_HEADER);
	if (unlikely(left == 1 && payload < avail && p->ip[payload] == 0xff))
		return gone(w, p, DROP_NAT_KEEPALIVE);
	if (unlikely(left < 4 || payload + 4u > avail))
		return gone(w, p, DROP_ESP_SHORT);
	if (unlikely(load_u32(p->ip + payload) == 0))
		return KIND_IKE;
	p->ip_len = (uint16_t)(off + len);
	return take_esp(w, p, avail, payload);
}

static enum kind classify(struct worker *w, struct packet *p, uint32_t avail)
{
	if (p->proto == IPPROTO_ESP) {
		if (unlikely(!is_local(w, p)))
			return KIND_OTHER;
		if (unlikely((p->flags & PACKET_FRAGMENT) != 0))
			return gone(w, p, DROP_ESP_FRAGMENT);
		return take_esp(w, p, avail, p->l4_off);
	}
	if (p->proto == IPPROTO_UDP && (p->flags & PACKET_FRAGMENT) == 0)
		return classify_udp(w, p, avail);
	return KIND_OTHER;
}

/* Not for a gateway to forward: multicast and link-local destinations. */
static inline bool stays_on_link(const struct packet *p)
{
	const uint8_t *to = packet_destination(p);

	if (p->family == 4)
		return to[0] >= 224;
	return to[0] == 0xff || (to[0] == 0xfe && (to[1] & 0xc0) == 0x80);
}

static inline bool for_other_station(const struct port *port, const uint8_t *frame)
{
	return (frame[0] & 1) == 0 && memcmp(frame, port->mac, RTE_ETHER_ADDR_LEN) != 0;
}

static inline void receive_one(struct worker *w, const struct port *port, struct rte_mbuf *m,
			       struct packet *p, struct lanes *lanes)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);

	if (unlikely(m->data_len < RTE_ETHER_HDR_LEN)) {
		drop(&w->drops, m, DROP_BAD_FRAME);
		return;
	}
	if (unlikely(for_other_station(port, frame))) {
		drop(&w->drops, m, DROP_OTHER_STATION);
		return;
	}
	uint16_t type = load_u16(frame + 12);
	if (unlikely(type != RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
		     type != RTE_BE16(RTE_ETHER_TYPE_IPV6))) {
		kernel_frame(w, port->index, m);
		return;
	}
	uint32_t avail = m->data_len - RTE_ETHER_HDR_LEN;
	p->m = m;
	p->ip = frame + RTE_ETHER_HDR_LEN;
	p->port = port->index;
	p->tunnel = TUNNEL_NONE;
	p->flags = 0;
	if (unlikely(packet_parse_ip(p, avail, m->pkt_len - RTE_ETHER_HDR_LEN) != 0)) {
		drop(&w->drops, m, DROP_BAD_IP);
		return;
	}
	if (unlikely(stays_on_link(p))) {
		kernel_packet(w, p);
		return;
	}
	if ((port->role & PORT_UNPROTECTED) == 0) {
		vector_add(&lanes->plain, p);
		return;
	}
	switch (classify(w, p, avail)) {
	case KIND_ESP:
		vector_add(&lanes->esp, p);
		break;
	case KIND_IKE:
		kernel_packet(w, p);
		break;
	case KIND_OTHER:
		vector_add(&lanes->clear, p);
		break;
	case KIND_GONE:
		break;
	}
}

void receive_frames(struct worker *w, uint16_t port, struct rte_mbuf **m, uint16_t n,
		    struct packet *store, struct lanes *lanes)
{
	for (uint16_t i = 0; i < RTE_MIN(n, PREFETCH_AHEAD); i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + PREFETCH_AHEAD], void *));
		receive_one(w, &w->g->port[port], m[i], &store[i], lanes);
	}
}
