/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_PACKET_H
#define ESPALIER_PACKET_PACKET_H

#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "packet/bytes.h"
#include "packet/drop.h"

/*
 * A worker handles packets in vectors. While a vector is worked on, what is
 * known of each packet stands here (hot in L1) and not in its mbuf; what must
 * travel with the mbuf to another thread stands in struct packet_carry.
 */
#define VECTOR_MAX 64

struct sa_in;
struct sa_out;
struct nexthop;

struct packet {
	struct rte_mbuf *m;
	uint8_t *ip; /* IP header to act on: outer before decapsulation, else inner */
	union {      /* the SA, once found */
		struct sa_in *in;
		struct sa_out *out;
	};
	const struct nexthop *hop; /* where it goes, once routed */
	uint64_t seq;              /* 64-bit ESP sequence number, inferred or assigned */
	uint32_t tunnel;           /* TUNNEL_NONE until known */
	uint32_t spi;              /* host order */
	uint16_t ip_len;           /* bytes of the IP datagram, header included */
	uint16_t l4_off;           /* from ip to the upper-layer header */
	uint16_t esp_off;          /* from ip to the ESP header */
	uint16_t port;             /* index of the port it came from; PORT_NONE for the kernel */
	uint8_t family;            /* 4 or 6 */
	uint8_t proto;             /* upper-layer protocol, after IPv6 extension headers */
	uint8_t tos;               /* DSCP and ECN of the header at ip */
	uint8_t flags;             /* PACKET_* */
};
static_assert(sizeof(struct packet) <= 64, "one cache line a packet");

enum {
	PACKET_FRAGMENT = 1 << 0,  /* any fragment but a whole datagram */
	PACKET_NOT_FIRST = 1 << 1, /* a fragment without the upper-layer header */
	PACKET_DECAPSULATED = 1 << 2,
	PACKET_LOCAL = 1 << 3, /* made by this machine: TTL is not decremented */
	PACKET_DUMMY = 1 << 4, /* to be sent with next header 59 */
	PACKET_REPLY = 1 << 5, /* an ICMP error of this gateway */
};

#define PORT_NONE UINT16_MAX
#define TUNNEL_NONE UINT32_MAX

/* In the mbuf's private area (the pool is made with this private size). */
struct packet_carry {
	uint8_t kind; /* enum carry_kind */
	uint8_t flags;
	uint16_t port;   /* arrived on, or to be sent on */
	uint16_t device; /* kernel device the packet came from or goes to */
	uint16_t reserved2;
	uint32_t tunnel; /* a handle, or TUNNEL_NONE */
	uint32_t reserved[13];
};
static_assert(sizeof(struct packet_carry) == 64, "one cache line");

/*
 * A tunnel as packets carry it between threads: its index and which life of that
 * index it is, so that what was queued for a deleted tunnel never goes into the
 * one that has its index now.
 */
#define TUNNEL_INDEX_BITS 20
#define TUNNEL_LIVES ((1u << (32 - TUNNEL_INDEX_BITS)) - 1)

static inline uint32_t tunnel_handle(uint32_t index, uint32_t life)
{
	return life << TUNNEL_INDEX_BITS | index;
}

static inline uint32_t tunnel_handle_index(uint32_t handle)
{
	return handle & ((1u << TUNNEL_INDEX_BITS) - 1);
}

/* What a worker does with an mbuf that it takes from its inbox. */
enum carry_kind {
	CARRY_FROM_KERNEL, /* IP packet (tun) or Ethernet frame (tap) read from `device` */
	CARRY_INBOUND,     /* Ethernet frame with ESP for an SA that this worker owns */
	CARRY_OUTBOUND,    /* inner packet for `tunnel`, which this worker owns; data is at IP */
	CARRY_FORWARD,     /* IP packet made by this gateway, to be routed in the clear */
	CARRY_TRANSMIT,    /* complete frame for `port`, whose queue this worker owns */
};

static inline struct packet_carry *packet_carry(struct rte_mbuf *m)
{
	return (struct packet_carry *)rte_mbuf_to_priv(m);
}

/* Drops of one worker; written by that worker alone. */
struct drops {
	uint64_t count[DROP_REASONS];
	struct rte_mbuf *victim[VECTOR_MAX * 2];
	uint16_t victims;
} __rte_cache_aligned;

static inline void drops_flush(struct drops *d)
{
	if (d->victims > 0)
		rte_pktmbuf_free_bulk(d->victim, d->victims);
	d->victims = 0;
}

/* Count the packet under `reason` and free it (in bulk, later). */
static inline void drop(struct drops *d, struct rte_mbuf *m, enum drop_reason reason)
{
	d->count[reason]++;
	d->victim[d->victims++] = m;
	if (d->victims == RTE_DIM(d->victim))
		drops_flush(d);
}

/*
 * The packets a step works on. A step reads p[0 … n-1], keeps the survivors in
 * order at the front and lowers n; whoever leaves is dropped or moved on.
 */
struct vector {
	struct packet *p[VECTOR_MAX];
	uint16_t n;
};

/* Addresses of the IP header at p->ip, in network order. */
static inline const uint8_t *packet_destination(const struct packet *p)
{
	return p->ip + (p->family == 4 ? 16 : 24);
}

static inline const uint8_t *packet_source(const struct packet *p)
{
	return p->ip + (p->family == 4 ? 12 : 8);
}

/* What packet_parse_ip() leaves out: everything but the commonest headers. */
int packet_parse_rest(struct packet *p, uint32_t avail, uint32_t total);

/* A valid header's words add up to 0xffff in one's complement (RFC 1071). */
static inline bool packet_ipv4_sum_ok(const uint8_t *ip)
{
	uint64_t sum = (uint64_t)load_u32(ip) + load_u32(ip + 4) + load_u32(ip + 8) +
		       load_u32(ip + 12) + load_u32(ip + 16);

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/*
 * Parse the IP header at p->ip, of which `avail` bytes are contiguous in the
 * first segment and `total` bytes are there in all. Sets ip_len, family, proto,
 * l4_off, tos and the fragment flags (other flags stay); padding behind the
 * datagram is ignored. Checks version, header length, total length, the IPv4
 * checksum, and walks IPv6 extension headers up to the upper layer, ESP or a
 * later fragment (at most 8). An IPv6 fragment header on a whole datagram
 * (RFC 6946) makes no fragment. An upper-layer header may be cut short.
 * Returns 0 or -EBADMSG. Any thread.
 */
static inline int packet_parse_ip(struct packet *p, uint32_t avail, uint32_t total)
{
	const uint64_t upper = 1ull << IPPROTO_TCP | 1ull << IPPROTO_UDP | 1ull << IPPROTO_ESP |
			       1ull << IPPROTO_ICMPV6;
	const uint8_t *ip = p->ip;

	if (likely(avail >= 20 && ip[0] == 0x45)) {
		uint16_t len = load_be16(ip + 2);

		if (likely((load_u16(ip + 6) & RTE_BE16(0x3fff)) == 0 && len >= 20 &&
			   len <= total && packet_ipv4_sum_ok(ip))) {
			p->ip_len = len;
			p->l4_off = 20;
			p->family = 4;
			p->proto = ip[9];
			p->tos = ip[1];
			p->flags &= (uint8_t) ~(PACKET_FRAGMENT | PACKET_NOT_FIRST);
			return 0;
		}
	} else if (avail >= 40 && ip[0] >> 4 == 6 && ip[6] < 64 && (upper >> ip[6] & 1) != 0) {
		uint32_t len = 40u + load_be16(ip + 4);

		if (likely(len <= total && len <= UINT16_MAX)) {
			p->ip_len = (uint16_t)len;
			p->l4_off = 40;
			p->family = 6;
			p->proto = ip[6];
			p->tos = (uint8_t)(load_be16(ip) >> 4);
			p->flags &= (uint8_t) ~(PACKET_FRAGMENT | PACKET_NOT_FIRST);
			return 0;
		}
	}
	return packet_parse_rest(p, avail, total);
}

#endif
