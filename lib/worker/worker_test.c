/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "worker/inprocess.h"

/* Two gateways in memory, plaintext into one, what comes out of it into the other. */
static struct rte_mempool *pool;

struct pair {
	struct inprocess *a, *b;
	struct tunnel *to_b, *to_a;
	struct sa *out, *in;
};

struct shape {
	uint8_t inner, outer;
	bool udp, esn;
	uint32_t window;
	uint16_t workers;
};

static const struct shape usual = {4, 4, false, true, 64, 1};

static struct sa_spec spec_for(const struct shape *s, enum sa_direction direction, uint32_t tunnel)
{
	bool out = direction == SA_OUTBOUND;
	struct sa_spec spec = {.direction = direction,
			       .spi = 0x11223344,
			       .tunnel = tunnel,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = s->esn,
			       .udp = s->udp,
			       .local_port = 4500,
			       .remote_port = 4500,
			       .local = inprocess_outer(out ? 0 : 1, s->outer),
			       .remote = inprocess_outer(out ? 1 : 0, s->outer),
			       .replay_window = s->window,
			       .seq_first = 1};

	memset(spec.key, 0x5a, sizeof(spec.key));
	return spec;
}

static struct pair open_pair(const struct shape *s, const struct selector *selector)
{
	struct pair p;
	struct fault fault = {0};
	struct inprocess_config config = {.workers = s->workers,
					  .sas = 8,
					  .tunnels = 8,
					  .routes = 16,
					  .flows = 1024,
					  .pool = pool};

	p.a = inprocess_create(&config);
	config.side = 1;
	p.b = inprocess_create(&config);
	p.to_b = inprocess_tunnel(p.a, "to_b");
	p.to_a = inprocess_tunnel(p.b, "to_a");
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = p.to_b->index};
	inprocess_route(p.a, "10.128.0.0/9", &hop);
	inprocess_route(p.a, "fd80::/9", &hop);
	hop.tunnel = p.to_a->index;
	inprocess_route(p.b, "10.0.0.0/9", &hop);
	inprocess_route(p.b, "fd00::/9", &hop);
	struct sa_spec out = spec_for(s, SA_OUTBOUND, p.to_b->index);
	struct sa_spec in = spec_for(s, SA_INBOUND, p.to_a->index);
	in.selectors = selector != NULL;
	in.selector = selector;
	assert_int_equal(sa_add(p.a->g.sadb, &out, &p.out, &fault), 0);
	assert_int_equal(sa_add(p.b->g.sadb, &in, &p.in, &fault), 0);
	return p;
}

static void close_pair(struct pair *p)
{
	inprocess_destroy(p->a);
	inprocess_destroy(p->b);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

/* A frame around an IP packet of `len` bytes from 10.0.0.5 (fd00::5) to 10.128.0.9 (fd80::9). */
static struct rte_mbuf *plain_frame(uint8_t family, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(RTE_ETHER_HDR_LEN + len));
	uint8_t *ip = frame + RTE_ETHER_HDR_LEN;
	struct ip_addr source, to;

	if (frame == NULL)
		abort();
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(frame + 6, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(frame + 12, family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	for (uint16_t i = 0; i < len; i++)
		ip[i] = (uint8_t)(i * 7 + 1);
	ip_addr_parse(family == 4 ? "10.0.0.5" : "fd00::5", &source);
	ip_addr_parse(family == 4 ? "10.128.0.9" : "fd80::9", &to);
	if (family == 4) {
		struct rte_ipv4_hdr h = {.version_ihl = RTE_IPV4_VHL_DEF,
					 .type_of_service = 0xb8,
					 .total_length = htons(len),
					 .fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
					 .time_to_live = 64,
					 .next_proto_id = 253};
		memcpy(&h.src_addr, source.bytes, 4);
		memcpy(&h.dst_addr, to.bytes, 4);
		memcpy(ip, &h, sizeof(h));
		checksum_ipv4_write(ip, sizeof(h));
	} else {
		struct rte_ipv6_hdr h = {.vtc_flow = htonl(6u << 28 | 0xb8 << 20 | 0x12345),
					 .payload_len = htons((uint16_t)(len - 40)),
					 .proto = 253,
					 .hop_limits = 64};
		memcpy(h.src_addr, source.bytes, 16);
		memcpy(h.dst_addr, to.bytes, 16);
		memcpy(ip, &h, sizeof(h));
	}
	return m;
}

/* in - out - drops - held: nothing is lost without a reason. */
static void assert_conserved(const struct inprocess *ip)
{
	int64_t left = 0;

	for (uint16_t i = 0; i < ip->g.workers; i++) {
		struct worker_counters c;
		worker_counters(ip->g.worker[i], &c);
		left += (int64_t)(c.rx + c.from_kernel + c.from_workers + c.made);
		left -= (int64_t)(c.tx + c.to_kernel + c.to_workers + c.held);
		for (unsigned int r = 0; r < DROP_REASONS; r++)
			left -= (int64_t)c.drops[r];
	}
	assert_int_equal(left, 0);
}

static uint64_t dropped(const struct inprocess *ip, enum drop_reason reason)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < ip->g.workers; i++) {
		struct worker_counters c;
		worker_counters(ip->g.worker[i], &c);
		sum += c.drops[reason];
	}
	return sum;
}

static uint64_t dropped_in_all(const struct inprocess *ip)
{
	uint64_t sum = 0;

	for (unsigned int r = 0; r < DROP_REASONS; r++)
		sum += dropped(ip, (enum drop_reason)r);
	return sum;
}

/* Through a; returns the one frame it sends out of its unprotected side. */
static struct rte_mbuf *seal(struct pair *p, struct rte_mbuf *m)
{
	struct rte_mbuf *sent[2 * VECTOR_MAX];

	inprocess_run(p->a, 0, INPROCESS_LAN, &m, 1);
	for (uint16_t w = 1; w < p->a->g.workers; w++)
		inprocess_run_inbox(p->a, w);
	uint16_t n = 0;
	for (uint16_t w = 0; w < p->a->g.workers; w++)
		n += inprocess_take(p->a, w, INPROCESS_WAN, sent + n);
	assert_int_equal(n, 1);
	return sent[0];
}

/* Through b; returns how many frames reach its protected side (0 or 1), in *out. */
static uint16_t unseal(struct pair *p, struct rte_mbuf *m, struct rte_mbuf **out)
{
	struct rte_mbuf *got[2 * VECTOR_MAX];
	uint16_t n = 0;

	inprocess_run(p->b, 0, INPROCESS_WAN, &m, 1);
	for (uint16_t w = 1; w < p->b->g.workers; w++)
		inprocess_run_inbox(p->b, w);
	for (uint16_t w = 0; w < p->b->g.workers; w++)
		n += inprocess_take(p->b, w, INPROCESS_LAN, got + n);
	*out = n > 0 ? got[0] : NULL;
	return n;
}

static struct rte_mbuf *copy_of(const struct rte_mbuf *m)
{
	return rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
}

/* What went in comes out, two hops older; nothing else changes. */
static void assert_same_packet(const struct rte_mbuf *before, const struct rte_mbuf *after)
{
	static uint8_t x[10000], y[10000];

	assert_int_equal(before->pkt_len, after->pkt_len);
	memcpy(x, rte_pktmbuf_read(before, 0, before->pkt_len, x), before->pkt_len);
	memcpy(y, rte_pktmbuf_read(after, 0, after->pkt_len, y), after->pkt_len);
	uint8_t *ip = x + RTE_ETHER_HDR_LEN;
	uint8_t family = ip[0] >> 4;
	ip_decrement_ttl(ip, family);
	ip_decrement_ttl(ip, family);
	assert_memory_equal(ip, y + RTE_ETHER_HDR_LEN, before->pkt_len - RTE_ETHER_HDR_LEN);
	if (family == 4)
		assert_int_equal(checksum_sum(y + RTE_ETHER_HDR_LEN, 20), 0xffff);
}

static void round_trip(const struct shape *s, uint16_t len)
{
	struct pair p = open_pair(s, NULL);
	struct rte_mbuf *m = plain_frame(s->inner, len), *before = copy_of(m), *out;

	assert_int_equal(unseal(&p, seal(&p, m), &out), 1);
	assert_same_packet(before, out);
	rte_pktmbuf_free(before);
	rte_pktmbuf_free(out);
	assert_conserved(p.a);
	assert_conserved(p.b);
	close_pair(&p);
}

static void every_combination_round_trips(void **state)
{
	(void)state;
	static const uint16_t sizes[] = {40, 41, 42, 43, 64, 100, 576, 1280, 1400, 1480};

	for (unsigned int c = 0; c < 32; c++) {
		struct shape s = {.inner = c & 1 ? 4 : 6,
				  .outer = c & 2 ? 4 : 6,
				  .udp = c & 4,
				  .esn = c & 8,
				  .window = 64,
				  .workers = c & 16 ? 3 : 1};
		for (unsigned int i = 0; i < RTE_DIM(sizes); i++)
			round_trip(&s, sizes[i]);
	}
}

/* Jumbo packets in chained buffers, cut at every sort of place. */
static void chains_round_trip(void **state)
{
	(void)state;
	srand(5);
	for (unsigned int c = 0; c < 200; c++) {
		struct shape s = {.inner = c & 1 ? 4 : 6,
				  .outer = c & 2 ? 4 : 6,
				  .udp = c & 4,
				  .esn = true,
				  .window = 64,
				  .workers = 1};
		struct pair p = open_pair(&s, NULL);
		uint16_t len = (uint16_t)(3000 + rand() % 6001);
		struct rte_mbuf *first = plain_frame(s.inner, 1400), *out;
		uint8_t *ip = rte_pktmbuf_mtod_offset(first, uint8_t *, RTE_ETHER_HDR_LEN);

		for (uint16_t have = 1400; have < len;) {
			struct rte_mbuf *next = rte_pktmbuf_alloc(pool);
			uint16_t part = (uint16_t)RTE_MIN(len - have, 1 + rand() % 2176);
			/* Some segments are full to the last byte: no room for a trailer. */
			if (rand() % 3 == 0)
				next->data_off = (uint16_t)(next->buf_len - part);
			memset(rte_pktmbuf_append(next, part), rand(), part);
			assert_int_equal(rte_pktmbuf_chain(first, next), 0);
			have = (uint16_t)(have + part);
		}
		if (s.inner == 4) {
			store_be16(ip + 2, len);
			checksum_ipv4_write(ip, 20);
		} else {
			store_be16(ip + 4, (uint16_t)(len - 40));
		}
		struct rte_mbuf *before = copy_of(first);
		assert_int_equal(unseal(&p, seal(&p, first), &out), 1);
		assert_same_packet(before, out);
		rte_pktmbuf_free(before);
		rte_pktmbuf_free(out);
		close_pair(&p);
	}
}

/* RFC 4303 3.4.3: a forged or damaged packet moves no state at all. */
static void forgeries_change_nothing(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct rte_mbuf *sealed = seal(&p, plain_frame(4, 100)), *out;
	uint32_t esp = RTE_ETHER_HDR_LEN + 20;

	for (uint32_t at = esp; at < sealed->pkt_len; at++) {
		struct rte_mbuf *m = copy_of(sealed);
		*rte_pktmbuf_mtod_offset(m, uint8_t *, at) ^= 0x40;
		assert_int_equal(unseal(&p, m, &out), 0);
		assert_int_equal(p.in->in->top, 0);
		assert_int_equal(p.in->in->packets, 0);
	}
	/* 4 bytes of SPI: no SA. All the others: the ICV. */
	assert_int_equal(dropped(p.b, DROP_ESP_NO_SA), 4);
	assert_int_equal(dropped(p.b, DROP_ESP_ICV), sealed->pkt_len - esp - 4);
	assert_int_equal(unseal(&p, sealed, &out), 1);
	rte_pktmbuf_free(out);
	assert_conserved(p.b);
	close_pair(&p);
}

static void truncated_at_every_byte(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		struct shape s = usual;
		s.udp = c & 1;
		s.outer = c & 2 ? 4 : 6;
		struct pair p = open_pair(&s, NULL);
		struct rte_mbuf *sealed = seal(&p, plain_frame(4, 100)), *out;

		for (uint32_t len = 0; len < sealed->pkt_len; len++) {
			/* As it is, and with lengths that claim to be right. */
			for (int honest = 0; honest < 2; honest++) {
				struct rte_mbuf *m = copy_of(sealed);
				uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
				rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - len));
				if (honest && s.outer == 4 && len >= 34) {
					store_be16(ip + 2, (uint16_t)(len - 14));
					checksum_ipv4_write(ip, 20);
					if (s.udp && len >= 42)
						store_be16(ip + 24, (uint16_t)(len - 34));
				} else if (honest && len >= 54) {
					store_be16(ip + 4, (uint16_t)(len - 54));
					if (s.udp && len >= 62)
						store_be16(ip + 44, (uint16_t)(len - 54));
				}
				assert_int_equal(unseal(&p, m, &out), 0);
			}
		}
		assert_int_equal(dropped_in_all(p.b), 2 * sealed->pkt_len);
		assert_int_equal(p.in->in->top, 0);
		assert_int_equal(unseal(&p, sealed, &out), 1);
		rte_pktmbuf_free(out);
		assert_conserved(p.b);
		close_pair(&p);
	}
}

static void replays_are_dropped(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct rte_mbuf *first = seal(&p, plain_frame(4, 100)), *out;
	struct rte_mbuf *twice[2] = {copy_of(first), copy_of(first)}, *got[2 * VECTOR_MAX];

	/* Twice in one vector: one passes, whatever was checked before the ICV. */
	inprocess_run(p.b, 0, INPROCESS_WAN, twice, 2);
	assert_int_equal(inprocess_take(p.b, 0, INPROCESS_LAN, got), 1);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(dropped(p.b, DROP_ESP_REPLAY), 1);
	assert_int_equal(unseal(&p, copy_of(first), &out), 0);
	assert_int_equal(dropped(p.b, DROP_ESP_REPLAY), 2);

	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(unseal(&p, seal(&p, plain_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	/* 65 numbers on, the first is below a window of 64. With ESN it is another number. */
	assert_int_equal(unseal(&p, first, &out), 0);
	assert_int_equal(dropped(p.b, DROP_ESP_WINDOW) + dropped(p.b, DROP_ESP_ICV), 1);
	assert_int_equal(p.in->in->replay, 2);
	assert_conserved(p.b);
	close_pair(&p);
}

static void sequence_space_ends(void **state)
{
	(void)state;
	struct shape s = usual;
	s.esn = false;
	struct pair p = open_pair(&s, NULL);
	struct rte_mbuf *m, *sent[2 * VECTOR_MAX], *out;

	p.out->out->seq = UINT32_MAX - 2;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(unseal(&p, seal(&p, plain_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	for (unsigned int i = 0; i < 3; i++) {
		m = plain_frame(4, 60);
		inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
		assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, sent), 0);
	}
	assert_int_equal(dropped(p.a, DROP_SEQ_EXHAUSTED), 3);
	assert_true(p.out->out->seq == UINT32_MAX);
	assert_conserved(p.a);
	close_pair(&p);
}

/* ESN crosses 2^32 without a gap: the high half is never sent, but inferred. */
static void extended_numbers_cross_32_bits(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct rte_mbuf *out;

	p.out->out->seq = UINT32_MAX - 5;
	p.in->in->top = UINT32_MAX - 5;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(unseal(&p, seal(&p, plain_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	assert_true(p.in->in->top == UINT32_MAX + 5ull);
	close_pair(&p);
}

static void selectors_are_checked_after_decryption(void **state)
{
	(void)state;
	struct selector s = selector_any(4);
	struct rte_mbuf *out;

	ip_range_parse("10.128.0.0/24", 4, &s.local_first, &s.local_last);
	ip_range_parse("10.0.1.0/24", 4, &s.remote_first, &s.remote_last);
	struct pair p = open_pair(&usual, &s);
	assert_int_equal(unseal(&p, seal(&p, plain_frame(4, 60)), &out), 0);
	assert_int_equal(dropped(p.b, DROP_ESP_SELECTOR), 1);
	assert_int_equal(p.in->in->top, 1); /* it was authentic */
	close_pair(&p);

	ip_range_parse("10.0.0.0/24", 4, &s.remote_first, &s.remote_last);
	p = open_pair(&usual, &s);
	assert_int_equal(unseal(&p, seal(&p, plain_frame(4, 60)), &out), 1);
	rte_pktmbuf_free(out);
	assert_int_equal(unseal(&p, seal(&p, plain_frame(6, 60)), &out), 0);
	assert_int_equal(dropped(p.b, DROP_ESP_SELECTOR), 1);
	close_pair(&p);
}

/* RFC 4301 5.2: from a prefix behind a tunnel nothing may arrive in the clear. */
static void plaintext_is_refused(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct rte_mbuf *m = plain_frame(4, 60), *out;

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), inprocess_mac(INPROCESS_WAN), 6);
	assert_int_equal(unseal(&p, m, &out), 0);
	assert_int_equal(dropped(p.b, DROP_PLAINTEXT), 1);
	assert_conserved(p.b);
	close_pair(&p);
}

static void too_big_tells_the_sender(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct ip_addr source;
	struct rte_mbuf *m, *got[2 * VECTOR_MAX];

	ip_addr_parse("10.0.0.1", &source);
	atomic_store(&p.a->g.icmp_source[0], &source);
	tunnel_set_mtu(p.a->g.sadb, p.to_b, 1000);
	m = plain_frame(4, 1001);
	inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 0);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_LAN, got), 1);
	const uint8_t *ip = rte_pktmbuf_mtod_offset(got[0], const uint8_t *, RTE_ETHER_HDR_LEN);
	assert_int_equal(ip[9], IPPROTO_ICMP);
	assert_int_equal(ip[20], 3);
	assert_int_equal(ip[21], 4);
	assert_int_equal(load_be16(ip + 26), 1000);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(dropped(p.a, DROP_TOO_BIG), 1);
	m = plain_frame(4, 1000);
	inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 1);
	rte_pktmbuf_free(got[0]);
	assert_conserved(p.a);
	close_pair(&p);
}

/* RFC 6040, all sixteen pairs, on real packets. Expected from its figure 4, row by row. */
static void ecn_by_the_table(void **state)
{
	(void)state;
	enum { GONE = 9 };
	static const uint8_t expected[4][4] = {/* outer: Not-ECT, ECT(1), ECT(0), CE */
					       {0, 0, 0, GONE},
					       {1, 1, 1, 3},
					       {2, 1, 2, 3},
					       {3, 3, 3, 3}};

	for (uint8_t inner = 0; inner < 4; inner++) {
		for (uint8_t outer = 0; outer < 4; outer++) {
			struct pair p = open_pair(&usual, NULL);
			struct rte_mbuf *m = plain_frame(4, 60), *out;
			ip_set_tos(rte_pktmbuf_mtod_offset(m, uint8_t *, 14), 4,
				   (uint8_t)(0xb8 | inner));
			m = seal(&p, m);
			uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
			assert_int_equal(ip[1], 0xb8 | inner);
			ip_set_tos(ip, 4, (uint8_t)(0xb8 | outer));
			uint16_t n = unseal(&p, m, &out);
			if (expected[inner][outer] == GONE) {
				assert_int_equal(n, 0);
				assert_int_equal(dropped(p.b, DROP_ESP_ECN), 1);
			} else {
				assert_int_equal(n, 1);
				ip = rte_pktmbuf_mtod_offset(out, uint8_t *, 14);
				assert_int_equal(ip[1], 0xb8 | expected[inner][outer]);
				assert_int_equal(checksum_sum(ip, 20), 0xffff);
				rte_pktmbuf_free(out);
			}
			close_pair(&p);
		}
	}
}

/* Packets of several SAs mixed in a vector on the wrong worker keep their order. */
static void handoff_keeps_order(void **state)
{
	(void)state;
	struct shape s = usual;
	s.workers = 2;
	struct pair p = open_pair(&s, NULL);
	struct rte_mbuf *m[32], *got[2 * VECTOR_MAX];

	for (uint16_t i = 0; i < 32; i++) {
		m[i] = plain_frame(4, 60);
		*rte_pktmbuf_mtod_offset(m[i], uint8_t *, 14 + 20) = (uint8_t)i;
	}
	/* Tunnel 0 belongs to worker 0: everything that worker 1 receives is handed over. */
	inprocess_run(p.a, 1, INPROCESS_LAN, m, 32);
	assert_int_equal(inprocess_take(p.a, 1, INPROCESS_WAN, got), 0);
	assert_int_equal(inprocess_run_inbox(p.a, 0), 32);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 32);
	inprocess_run(p.b, 1, INPROCESS_WAN, got, 32);
	assert_int_equal(inprocess_run_inbox(p.b, 0), 32);
	assert_int_equal(inprocess_take(p.b, 0, INPROCESS_LAN, got), 32);
	for (uint16_t i = 0; i < 32; i++) {
		assert_int_equal(*rte_pktmbuf_mtod_offset(got[i], uint8_t *, 14 + 20), i);
		rte_pktmbuf_free(got[i]);
	}
	assert_conserved(p.a);
	assert_conserved(p.b);
	close_pair(&p);
}

/* Packets wait for a next hop, some are too many, and go when it is known. */
static void unresolved_next_hops_hold_packets(void **state)
{
	(void)state;
	struct pair p = open_pair(&usual, NULL);
	struct nexthop hop = {.type = NEXTHOP_UNRESOLVED, .port = INPROCESS_WAN};
	struct worker *w = p.a->g.worker[0];
	struct rte_mbuf *m, *got[2 * VECTOR_MAX];
	struct worker_unresolved asked;

	ip_addr_parse("192.0.2.254", &hop.gateway);
	inprocess_route(p.a, "192.0.2.2", &hop);
	for (unsigned int i = 0; i < HOLD_PER_HOP + 3; i++) {
		m = plain_frame(4, 60);
		inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	}
	assert_int_equal(dropped(p.a, DROP_NEIGH_QUEUE), 3);
	assert_true(worker_next_unresolved(w, &asked));
	assert_true(ip_addr_equal(&asked.gateway, &hop.gateway));
	assert_false(worker_next_unresolved(w, &asked));
	assert_conserved(p.a);

	hop.type = NEXTHOP_ETHER;
	inprocess_route(p.a, "192.0.2.2", &hop);
	hold_retry(w);
	uint16_t n = inprocess_take(p.a, 0, INPROCESS_WAN, got);
	assert_int_equal(n, HOLD_PER_HOP);
	rte_pktmbuf_free_bulk(got, n);
	assert_conserved(p.a);
	close_pair(&p);
}

static int setup(void **state)
{
	(void)state;
	if (inprocess_eal(768) != 0)
		return -1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	return pool == NULL ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination_round_trips),
	    cmocka_unit_test(chains_round_trip),
	    cmocka_unit_test(forgeries_change_nothing),
	    cmocka_unit_test(truncated_at_every_byte),
	    cmocka_unit_test(replays_are_dropped),
	    cmocka_unit_test(sequence_space_ends),
	    cmocka_unit_test(extended_numbers_cross_32_bits),
	    cmocka_unit_test(selectors_are_checked_after_decryption),
	    cmocka_unit_test(plaintext_is_refused),
	    cmocka_unit_test(too_big_tells_the_sender),
	    cmocka_unit_test(ecn_by_the_table),
	    cmocka_unit_test(handoff_keeps_order),
	    cmocka_unit_test(unresolved_next_hops_hold_packets),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
