/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/explain_scene.h"

/* What fits is what explain says fits, to the byte: for each encapsulation and each limit. */
static void says_the_largest_packet(void **state)
{
	static const struct {
		uint16_t port, route, tunnel;
	} limit[] = {{1500, 0, 0},    {9000, 1400, 0}, {1500, 9000, 0},
		     {1500, 0, 1300}, {1500, 0, 1490}, {1280, 1281, 1200}};

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(limit) * 8; i++) {
		struct scene s = scene_open();
		bool six = i & 1, udp = i & 2, inner6 = i & 4;

		scene_other_sa(&s, six ? 6 : 4, udp);
		s.ip->g.port[INPROCESS_WAN].mtu = limit[i / 8].port;
		scene_route(&s, six ? "2001:db8::2" : "192.0.2.2", NEXTHOP_ETHER, INPROCESS_WAN,
			    limit[i / 8].route);
		tunnel_set_mtu(s.ip->g.sadb, s.tunnel, limit[i / 8].tunnel);
		if (inner6)
			scene_flow(&s, "fd00::5", "fd80::9");
		struct explain e = scene_agree(&s, "small", EXPLAIN_PROTECT, 0);
		assert_true(e.mtu >= 1100 && e.mtu <= 1500);
		s.length = e.mtu;
		scene_agree(&s, "as large as fits", EXPLAIN_PROTECT, 0);
		s.length++;
		scene_agree(&s, "one byte more", EXPLAIN_DROP, DROP_TOO_BIG);
		scene_close(&s);
	}
}

/* Without the control thread having heard of it: the worker has just ended the SA. */
static void agrees_at_a_hard_limit(void **state)
{
	struct scene s = scene_open();
	struct sa *older = s.sa;

	(void)state;
	scene_limited_sa(&s);
	struct explain e = scene_agree(&s, "the first packet", EXPLAIN_PROTECT, 0);
	assert_true(e.sa == s.sa && e.sa != older);
	scene_agree(&s, "the second", EXPLAIN_PROTECT, 0);
	scene_agree(&s, "the third", EXPLAIN_DROP, DROP_SA_EXPIRED);
	sa_expire(s.ip->g.sadb, s.sa);
	e = scene_agree(&s, "the older one takes over", EXPLAIN_PROTECT, 0);
	assert_true(e.sa == older);
	scene_close(&s);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
}

static enum nexthop_type any_type(void)
{
	unsigned int type = below(NEXTHOP_KERNEL + 4);

	return type <= NEXTHOP_KERNEL ? (enum nexthop_type)type : NEXTHOP_ETHER;
}

/* Policies, routes and packets at random, from so few prefixes that they meet. */
static void agrees_at_random(void **state)
{
	static const char *const prefix[] = {"172.16.0.0/12", "172.16.0.0/16", "172.16.0.9",
					     "172.17.0.0/16", "fdee::/16",     "fdee::9"};
	static const char *const to[] = {"172.16.0.9", "172.16.0.8", "172.17.0.9",
					 "172.30.0.9", "fdee::9",    "fdee::8"};
	unsigned int fates[EXPLAIN_DROP + 1] = {0};

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		struct scene s = scene_open();

		for (unsigned int n = below(8); n > 0; n--)
			scene_policy(&s, (enum policy_action)(1 + below(3)), prefix[below(6)],
				     below(2));
		scene_commit(&s);
		for (unsigned int n = below(8); n > 0; n--)
			scene_route(&s, prefix[below(6)], any_type(), (uint16_t)below(2),
				    (uint16_t)(below(2) * 400));
		if (below(4) == 0)
			scene_policy(&s, POLICY_DISCARD, prefix[below(6)], 0);
		if (below(3) == 0)
			scene_route(&s, "192.0.2.2", any_type(), INPROCESS_WAN, 0);
		for (unsigned int n = 0; n < 50; n++) {
			const char *dst = to[below(6)];
			struct flow flow;
			struct explain e;

			scene_flow(&s, strchr(dst, ':') != NULL ? "fd00::5" : "10.0.0.5", dst);
			s.flow.local_port = (uint16_t)(1000 + below(2));
			s.fragment = s.flow.family == 4 && below(3) == 0;
			s.length = (uint16_t)(below(2) ? 100 : 600);
			flow = s.flow;
			flow.ports_known = !s.fragment;
			gateway_explain(&s.ip->g, &flow, s.length, &e);
			if (e.fate == EXPLAIN_HELD && s.ip->g.worker[0]->hold.n >= HOLD_PER_HOP)
				continue; /* the worker keeps no more of them */
			fates[e.fate]++;
			scene_agree(&s, "at random", e.fate, e.drop);
		}
		scene_close(&s);
	}
	printf("%u protected, %u clear, %u to the kernel, %u held, %u dropped\n", fates[0],
	       fates[1], fates[2], fates[3], fates[4]);
	for (unsigned int f = 0; f <= EXPLAIN_DROP; f++)
		assert_true(fates[f] > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_the_largest_packet),
	    cmocka_unit_test(agrees_at_a_hard_limit),
	    cmocka_unit_test(agrees_at_random),
	};

	return cmocka_run_group_tests(tests, scene_setup, NULL);
}
