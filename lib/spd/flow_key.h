/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_FLOW_KEY_H
#define ESPALIER_SPD_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/bytes.h"
#include "packet/packet.h"

/*
 * A flow as the flow cache compares it, in words: addresses (local, remote; one
 * word for IPv4, four for IPv6), then ports (local, remote), protocol, whether
 * the ports are known, and the generation of the policies that were asked. So
 * one comparison tells whether an entry is of this flow and up to date. Both
 * directions of a connection have one key, as policies are mirrored.
 */
#define FLOW_GENERATION_BITS 23

static inline bool flow_has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

/* `avail`: bytes from p->ip in the first segment. */
static inline bool flow_ports_known(const struct packet *p, uint32_t avail)
{
	uint32_t end = p->l4_off + 4u;

	return flow_has_ports(p->proto) && (p->flags & PACKET_NOT_FIRST) == 0 && end <= p->ip_len &&
	       end <= avail;
}

static inline uint32_t flow_avail(const struct packet *p)
{
	const struct rte_mbuf *m = p->m;

	if (likely(m->nb_segs == 1))
		return UINT32_MAX; /* then the whole datagram is there */
	return (uint32_t)(rte_pktmbuf_mtod(m, const uint8_t *) + m->data_len - p->ip);
}

static inline uint64_t flow_tail(const struct packet *p, bool outbound, uint32_t generation)
{
	uint32_t tag = p->proto | generation << 9;
	uint32_t ports = 0;

	if (likely(flow_ports_known(p, flow_avail(p)))) {
		tag |= 1u << 8;
		ports = load_u32(p->ip + p->l4_off);
		if (!outbound)
			ports = ports << 16 | ports >> 16;
	}
	return ports | (uint64_t)tag << 32;
}

static inline uint8_t flow_tail_proto(uint64_t tail)
{
	return (uint8_t)(tail >> 32);
}

static inline bool flow_tail_known(uint64_t tail)
{
	return (tail >> 40 & 1) != 0;
}

/* key[0 … 1] */
static inline void flow_key_v4(const struct packet *p, bool outbound, uint32_t generation,
			       uint64_t *key)
{
	uint64_t addresses = load_u64(p->ip + 12);

	key[0] = outbound ? addresses : addresses << 32 | addresses >> 32;
	key[1] = flow_tail(p, outbound, generation);
}

/* key[0 … 4] */
static inline void flow_key_v6(const struct packet *p, bool outbound, uint32_t generation,
			       uint64_t *key)
{
	const uint8_t *local = p->ip + (outbound ? 8 : 24);
	const uint8_t *remote = p->ip + (outbound ? 24 : 8);

	key[0] = load_u64(local);
	key[1] = load_u64(local + 8);
	key[2] = load_u64(remote);
	key[3] = load_u64(remote + 8);
	key[4] = flow_tail(p, outbound, generation);
}

#endif
