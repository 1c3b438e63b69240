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
#include "worker/pair.h"

static void round_trip(const struct pair_shape *s, uint16_t len)
{
	struct pair p = pair_open(s, NULL);
	struct rte_mbuf *m = pair_frame(s->inner, len), *before = pair_copy(m), *out;

	assert_int_equal(pair_unseal(&p, pair_seal(&p, m), &out), 1);
	assert_same_packet(before, out);
	rte_pktmbuf_free(before);
	rte_pktmbuf_free(out);
	assert_conserved(p.a);
	assert_conserved(p.b);
	pair_close(&p);
}

static void every_combination_round_trips(void **state)
{
	(void)state;
	static const uint16_t sizes[] = {40, 41, 42, 43, 64, 100, 576, 1280, 1400, 1480};

	for (unsigned int c = 0; c < 32; c++) {
		struct pair_shape s = {.inner = c & 1 ? 4 : 6,
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
		struct pair_shape s = {.inner = c & 1 ? 4 : 6,
				       .outer = c & 2 ? 4 : 6,
				       .udp = c & 4,
				       .esn = true,
				       .window = 64,
				       .workers = 1};
		struct pair p = pair_open(&s, NULL);
		uint16_t len = (uint16_t)(3000 + rand() % 6001);
		struct rte_mbuf *first = pair_frame(s.inner, 1400), *out;
		uint8_t *ip = rte_pktmbuf_mtod_offset(first, uint8_t *, RTE_ETHER_HDR_LEN);

		for (uint16_t have = 1400; have < len;) {
			struct rte_mbuf *next = rte_pktmbuf_alloc(pair_pool);
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
		struct rte_mbuf *before = pair_copy(first);
		assert_int_equal(pair_unseal(&p, pair_seal(&p, first), &out), 1);
		assert_same_packet(before, out);
		rte_pktmbuf_free(before);
		rte_pktmbuf_free(out);
		pair_close(&p);
	}
}

static void too_big_tells_the_sender(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct ip_addr source;
	struct rte_mbuf *m, *got[2 * VECTOR_MAX];

	ip_addr_parse("10.0.0.1", &source);
	atomic_store(&p.a->g.icmp_source[0], &source);
	tunnel_set_mtu(p.a->g.sadb, p.to_b, 1000);
	m = pair_frame(4, 1001);
	inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 0);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_LAN, got), 1);
	const uint8_t *ip = rte_pktmbuf_mtod_offset(got[0], const uint8_t *, RTE_ETHER_HDR_LEN);
	assert_int_equal(ip[9], IPPROTO_ICMP);
	assert_int_equal(ip[20], 3);
	assert_int_equal(ip[21], 4);
	assert_int_equal(load_be16(ip + 26), 1000);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(pair_dropped(p.a, DROP_TOO_BIG), 1);
	m = pair_frame(4, 1000);
	inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 1);
	rte_pktmbuf_free(got[0]);
	assert_conserved(p.a);
	pair_close(&p);
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
			struct pair p = pair_open(&pair_usual, NULL);
			struct rte_mbuf *m = pair_frame(4, 60), *out;
			ip_set_tos(rte_pktmbuf_mtod_offset(m, uint8_t *, 14), 4,
				   (uint8_t)(0xb8 | inner));
			m = pair_seal(&p, m);
			uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
			assert_int_equal(ip[1], 0xb8 | inner);
			ip_set_tos(ip, 4, (uint8_t)(0xb8 | outer));
			uint16_t n = pair_unseal(&p, m, &out);
			if (expected[inner][outer] == GONE) {
				assert_int_equal(n, 0);
				assert_int_equal(pair_dropped(p.b, DROP_ESP_ECN), 1);
			} else {
				assert_int_equal(n, 1);
				ip = rte_pktmbuf_mtod_offset(out, uint8_t *, 14);
				assert_int_equal(ip[1], 0xb8 | expected[inner][outer]);
				assert_int_equal(checksum_sum(ip, 20), 0xffff);
				rte_pktmbuf_free(out);
			}
			pair_close(&p);
		}
	}
}

/* Packets of several SAs mixed in a vector on the wrong worker keep their order. */
static void handoff_keeps_order(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.workers = 2;
	struct pair p = pair_open(&s, NULL);
	struct rte_mbuf *m[32], *got[2 * VECTOR_MAX];

	for (uint16_t i = 0; i < 32; i++) {
		m[i] = pair_frame(4, 60);
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
	pair_close(&p);
}

/* Packets wait for a next hop, some are too many, and go when it is known. */
static void unresolved_next_hops_hold_packets(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct nexthop hop = {.type = NEXTHOP_UNRESOLVED, .port = INPROCESS_WAN};
	struct worker *w = p.a->g.worker[0];
	struct rte_mbuf *m, *got[2 * VECTOR_MAX];
	struct worker_unresolved asked;

	ip_addr_parse("192.0.2.254", &hop.gateway);
	inprocess_route(p.a, "192.0.2.2", &hop);
	for (unsigned int i = 0; i < HOLD_PER_HOP + 3; i++) {
		m = pair_frame(4, 60);
		inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
	}
	assert_int_equal(pair_dropped(p.a, DROP_NEIGH_QUEUE), 3);
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
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination_round_trips),
	    cmocka_unit_test(chains_round_trip),
	    cmocka_unit_test(too_big_tells_the_sender),
	    cmocka_unit_test(ecn_by_the_table),
	    cmocka_unit_test(handoff_keeps_order),
	    cmocka_unit_test(unresolved_next_hops_hold_packets),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
