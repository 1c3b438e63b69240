/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_ether.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "worker/pair.h"

/* Ways by which a packet could pass the boundary between the two sides unasked. */

static uint8_t *ip_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, RTE_ETHER_HDR_LEN);
}

static void add_policy(struct inprocess *ip, const char *name, enum policy_action action,
		       uint32_t tunnel, const struct selector *selector)
{
	static uint32_t priority;
	struct policy p = {
	    .priority = priority++, .action = action, .tunnel = tunnel, .selector = *selector};
	struct fault fault = {0};

	snprintf(p.name, sizeof(p.name), "%s", name);
	assert_int_equal(policy_add(ip->g.spd, &p, &fault), 0);
	assert_int_equal(spd_commit(ip->g.spd, &fault), 0);
}

/* Decapsulated, waiting for a neighbour, and then the only route left leads out. */
static void held_packets_keep_to_their_side(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct nexthop lan = {.type = NEXTHOP_CONNECTED, .port = INPROCESS_LAN};
	struct nexthop wan = {.type = NEXTHOP_ETHER, .port = INPROCESS_WAN};
	struct rte_mbuf *out, *got[2 * VECTOR_MAX];
	struct ip_prefix prefix;

	inprocess_route(p.b, "10.128.0.0/9", &lan);
	inprocess_route(p.b, "0.0.0.0/0", &wan);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 100)), &out), 0);
	assert_int_equal(p.b->g.worker[0]->hold.n, 1);
	ip_prefix_parse("10.128.0.0/9", &prefix);
	assert_int_equal(fib_remove(p.b->g.fib, &prefix), 0);
	hold_retry(p.b->g.worker[0]);
	assert_int_equal(inprocess_take(p.b, 0, INPROCESS_WAN, got), 0);
	drops_flush(&p.b->g.worker[0]->drops);
	assert_conserved(p.b);
	pair_close(&p);
}

/* AWS and Azure number tunnel ends from 169.254/16: no less to be protected. */
static void link_local_is_asked_for(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct nexthop tunnel = {.type = NEXTHOP_TUNNEL, .tunnel = p.to_a->index};
	struct nexthop local = {.type = NEXTHOP_LOCAL};
	struct rte_mbuf *m = pair_frame(4, 60), *out;

	inprocess_route(p.b, "169.254.21.1", &tunnel);
	inprocess_route(p.b, "169.254.21.2", &local);
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), inprocess_mac(INPROCESS_WAN), 6);
	memcpy(ip_of(m) + 12, (uint8_t[]){169, 254, 21, 1, 169, 254, 21, 2}, 8);
	checksum_ipv4_write(ip_of(m), 20);
	assert_int_equal(pair_unseal(&p, m, &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_PLAINTEXT), 1);
	pair_close(&p);
}

/* Out of a tunnel, on to a port that is unprotected too: policy is asked. */
static void both_sides_on_one_port(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct tunnel *on = inprocess_tunnel(p.b, "on");
	struct selector s = selector_any(4);
	struct rte_mbuf *out;

	p.b->g.port[INPROCESS_LAN].role = PORT_BOTH;
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 100)), &out), 1);
	rte_pktmbuf_free(out);
	ip_range_parse("10.128.0.0/24", 4, &s.remote_first, &s.remote_last);
	add_policy(p.b, "on", POLICY_PROTECT, on->index, &s);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 100)), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_TUNNEL_NO_SA), 1);
	assert_conserved(p.b);
	pair_close(&p);
}

static void kernel_routes_are_asked_for(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct nexthop kernel = {.type = NEXTHOP_KERNEL};
	struct selector any = selector_any(4);
	struct rte_mbuf *out;

	inprocess_route(p.b, "10.128.0.0/9", &kernel);
	/* Without a policy the kernel gets it (and there is none in a test). */
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 100)), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_KERNEL_REFUSED), 1);
	add_policy(p.b, "none", POLICY_DISCARD, TUNNEL_NONE, &any);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 100)), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_POLICY_DISCARD), 1);
	assert_int_equal(pair_dropped(p.b, DROP_KERNEL_REFUSED), 1);
	pair_close(&p);
}

/* A later fragment has no ports: it must not slip past a narrow PROTECT into a BYPASS. */
static void fragments_follow_their_first(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct nexthop wan = {.type = NEXTHOP_ETHER, .port = INPROCESS_WAN};
	struct selector narrow = selector_any(4), any = selector_any(4);
	struct rte_mbuf *m, *got[2 * VECTOR_MAX];

	narrow.proto = 17;
	narrow.remote_port_last = 65534;
	inprocess_route(p.a, "10.128.0.0/9", &wan);
	add_policy(p.a, "narrow", POLICY_PROTECT, p.to_b->index, &narrow);
	add_policy(p.a, "rest", POLICY_BYPASS, TUNNEL_NONE, &any);
	for (unsigned int later = 0; later < 2; later++) {
		m = pair_frame(4, 100);
		ip_of(m)[9] = 17;
		store_be16(ip_of(m) + 6, later ? 10 : 0x2000);
		checksum_ipv4_write(ip_of(m), 20);
		inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
		assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), later ? 0 : 1);
		if (!later) {
			assert_int_equal(ip_of(got[0])[9], 50);
			rte_pktmbuf_free(got[0]);
		}
	}
	assert_int_equal(pair_dropped(p.a, DROP_POLICY_DISCARD), 1);
	pair_close(&p);
}

/* What waits in an inbox for a deleted tunnel does not go into the one with its index. */
static void tunnels_do_not_inherit_packets(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.workers = 2;
	struct pair p = pair_open(&s, NULL);
	struct sa_spec out = p.out->spec;
	uint32_t index = p.to_b->index;
	struct rte_mbuf *m = pair_frame(4, 100), *got[2 * VECTOR_MAX];
	struct tunnel *next;
	char name[8];

	/* Tunnel 0 belongs to worker 0; worker 1 hands the packet over. */
	inprocess_run(p.a, 1, INPROCESS_LAN, &m, 1);
	tunnel_delete(p.a->g.sadb, p.to_b);
	unsigned int n = 0;
	do {
		snprintf(name, sizeof(name), "n%u", n);
		next = inprocess_tunnel(p.a, name);
	} while (next->index != index && ++n < 8);
	assert_int_equal(next->index, index);
	out.tunnel = index;
	out.spi = 0xabcdef01;
	memset(out.key, 0x77, sizeof(out.key));
	assert_int_equal(sa_add(p.a->g.sadb, &out, NULL, NULL), 0);
	assert_int_equal(inprocess_run_inbox(p.a, 0), 1);
	assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, got), 0);
	assert_int_equal(pair_dropped(p.a, DROP_TUNNEL_NO_SA), 1);
	assert_conserved(p.a);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(held_packets_keep_to_their_side),
	    cmocka_unit_test(link_local_is_asked_for),
	    cmocka_unit_test(both_sides_on_one_port),
	    cmocka_unit_test(kernel_routes_are_asked_for),
	    cmocka_unit_test(fragments_follow_their_first),
	    cmocka_unit_test(tunnels_do_not_inherit_packets),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
