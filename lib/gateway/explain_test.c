/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/explain_scene.h"

struct situation {
	const char *what;
	void (*make)(struct scene *s);
	enum explain_fate fate;
	enum drop_reason drop;
};

#define SITUATION(name, ...)              \
	static void name(struct scene *s) \
	{                                 \
		__VA_ARGS__               \
	}

static void nothing(struct scene *s)
{
	(void)s;
}

/* By policy, to a network that routes know nothing of, unless the situation says so. */
#define AWAY "172.16.0.9"

SITUATION(protected, scene_flow(s, "10.0.0.5", AWAY);
	  scene_policy(s, POLICY_PROTECT, "172.16.0.0/12", 0);)
SITUATION(narrow, scene_policy(s, POLICY_PROTECT, "172.16.0.0/12", 1);
	  scene_flow(s, "10.0.0.5", AWAY);)
SITUATION(other_port, narrow(s); s->flow.local_port = 1001;)
SITUATION(later_fragment, narrow(s); s->fragment = true;)
SITUATION(withheld, later_fragment(s); scene_policy(s, POLICY_BYPASS, "172.16.0.0/12", 0);)
SITUATION(discarded, scene_policy(s, POLICY_DISCARD, "10.128.0.0/9", 0);)

static void bypass(struct scene *s, enum nexthop_type type)
{
	scene_flow(s, "10.0.0.5", AWAY);
	scene_policy(s, POLICY_BYPASS, "172.16.0.0/12", false);
	if (type != NEXTHOP_NONE)
		scene_route(s, "172.16.0.0/12", type, INPROCESS_WAN, 1400);
}

SITUATION(bypass_none, bypass(s, NEXTHOP_NONE);)
SITUATION(bypass_blackhole, bypass(s, NEXTHOP_BLACKHOLE);)
SITUATION(bypass_local, bypass(s, NEXTHOP_LOCAL);)
SITUATION(bypass_tunnel, bypass(s, NEXTHOP_TUNNEL);)
SITUATION(bypass_ether, bypass(s, NEXTHOP_ETHER);)
SITUATION(bypass_unresolved, bypass(s, NEXTHOP_UNRESOLVED);)
SITUATION(bypass_connected, bypass(s, NEXTHOP_CONNECTED);)
SITUATION(bypass_kernel, bypass(s, NEXTHOP_KERNEL);)
SITUATION(bypass_fits, bypass(s, NEXTHOP_ETHER); s->length = 1400;)
SITUATION(bypass_too_long, bypass(s, NEXTHOP_ETHER); s->length = 1401;)
SITUATION(bypass_too_long_unresolved, bypass(s, NEXTHOP_UNRESOLVED); s->length = 1401;)
SITUATION(bypass_no_link, bypass(s, NEXTHOP_ETHER); s->ip->g.port[INPROCESS_WAN].up = false;)

/* No policy: by the route. */
static void by_route(struct scene *s, enum nexthop_type type)
{
	scene_flow(s, "10.0.0.5", AWAY);
	if (type != NEXTHOP_NONE)
		scene_route(s, "172.16.0.0/12", type, INPROCESS_WAN, 0);
}

SITUATION(route_none, by_route(s, NEXTHOP_NONE);)
SITUATION(route_blackhole, by_route(s, NEXTHOP_BLACKHOLE);)
SITUATION(route_local, by_route(s, NEXTHOP_LOCAL);)
SITUATION(route_ether, by_route(s, NEXTHOP_ETHER);)
SITUATION(route_connected, by_route(s, NEXTHOP_CONNECTED);)
SITUATION(route_kernel, by_route(s, NEXTHOP_KERNEL);)
SITUATION(multicast, scene_flow(s, "10.0.0.5", "224.0.0.5");
	  scene_policy(s, POLICY_DISCARD, "224.0.0.0/4", 0);)
SITUATION(link_local, scene_flow(s, "fd00::5", "fe80::9");)

/* The tunnel. */
SITUATION(no_sa, sa_delete(s->ip->g.sadb, s->sa);)
SITUATION(trapped, no_sa(s); tunnel_set_trap(s->ip->g.sadb, s->tunnel, true);)
SITUATION(trap_with_sa, tunnel_set_trap(s->ip->g.sadb, s->tunnel, true);)
SITUATION(expired, sa_expire(s->ip->g.sadb, s->sa);)
SITUATION(expired_trap, trapped(s); scene_sa(s, 4, false); expired(s);)
SITUATION(expired_newest, scene_newer_sa(s); expired(s);)
SITUATION(seq_end, s->sa->out->seq = UINT64_MAX; s->sa->out->seq_limit = UINT64_MAX;)
SITUATION(seq_block, s->sa->out->seq_limit = 7; s->sa->out->seq = 7;)
SITUATION(six_in_four, scene_flow(s, "fd00::5", "fd80::9");)
SITUATION(four_in_six, scene_other_sa(s, 6, false);)
SITUATION(in_udp, scene_other_sa(s, 4, true);)
SITUATION(no_link, s->ip->g.port[INPROCESS_WAN].up = false;)

static void peer(struct scene *s, enum nexthop_type type)
{
	scene_route(s, "192.0.2.2", type, INPROCESS_WAN, 0);
}

SITUATION(peer_unresolved, peer(s, NEXTHOP_UNRESOLVED);)
SITUATION(peer_connected, peer(s, NEXTHOP_CONNECTED);)
SITUATION(peer_blackhole, peer(s, NEXTHOP_BLACKHOLE);)
SITUATION(peer_local, peer(s, NEXTHOP_LOCAL);)
SITUATION(peer_tunnel, peer(s, NEXTHOP_TUNNEL);)
SITUATION(peer_kernel, peer(s, NEXTHOP_KERNEL);)

static void peer_none(struct scene *s)
{
	struct ip_prefix prefix;

	ip_prefix_parse("192.0.2.2", &prefix);
	assert_int_equal(fib_remove(s->ip->g.fib, &prefix), 0);
}

static const struct situation situations[] = {
    {"a route leads into the tunnel", nothing, EXPLAIN_PROTECT, 0},
    {"a policy protects", protected, EXPLAIN_PROTECT, 0},
    {"a policy with ports protects", narrow, EXPLAIN_PROTECT, 0},
    {"another port", other_port, EXPLAIN_DROP, DROP_NO_ROUTE},
    {"a later fragment has no ports", later_fragment, EXPLAIN_DROP, DROP_NO_ROUTE},
    {"a later fragment is withheld", withheld, EXPLAIN_DROP, DROP_POLICY_DISCARD},
    {"a policy discards", discarded, EXPLAIN_DROP, DROP_POLICY_DISCARD},
    {"bypass: no route", bypass_none, EXPLAIN_DROP, DROP_NO_ROUTE},
    {"bypass: blackhole", bypass_blackhole, EXPLAIN_DROP, DROP_BLACKHOLE},
    {"bypass: local", bypass_local, EXPLAIN_KERNEL, 0},
    {"bypass: into a tunnel", bypass_tunnel, EXPLAIN_DROP, DROP_LOOP},
    {"bypass: out of a port", bypass_ether, EXPLAIN_CLEAR, 0},
    {"bypass: next hop unknown", bypass_unresolved, EXPLAIN_HELD, 0},
    {"bypass: neighbour unknown", bypass_connected, EXPLAIN_HELD, 0},
    {"bypass: the kernel's device", bypass_kernel, EXPLAIN_KERNEL, 0},
    {"bypass: as long as the route's MTU", bypass_fits, EXPLAIN_CLEAR, 0},
    {"bypass: longer", bypass_too_long, EXPLAIN_DROP, DROP_TX_MTU},
    {"bypass: longer, unresolved", bypass_too_long_unresolved, EXPLAIN_DROP, DROP_TX_MTU},
    {"bypass: no link", bypass_no_link, EXPLAIN_DROP, DROP_PORT_DOWN},
    {"no policy, no route", route_none, EXPLAIN_DROP, DROP_NO_ROUTE},
    {"no policy, blackhole", route_blackhole, EXPLAIN_DROP, DROP_BLACKHOLE},
    {"no policy, local", route_local, EXPLAIN_KERNEL, 0},
    {"no policy, a port", route_ether, EXPLAIN_DROP, DROP_NO_POLICY},
    {"no policy, on link", route_connected, EXPLAIN_DROP, DROP_NO_POLICY},
    {"no policy, the kernel's device", route_kernel, EXPLAIN_DROP, DROP_NO_POLICY},
    {"multicast", multicast, EXPLAIN_KERNEL, 0},
    {"link-local", link_local, EXPLAIN_KERNEL, 0},
    {"no SA", no_sa, EXPLAIN_DROP, DROP_TUNNEL_NO_SA},
    {"no SA, a trap", trapped, EXPLAIN_HELD, 0},
    {"a trap that is not needed", trap_with_sa, EXPLAIN_PROTECT, 0},
    {"the SA has expired", expired, EXPLAIN_DROP, DROP_SA_EXPIRED},
    {"the SA has expired, a trap", expired_trap, EXPLAIN_DROP, DROP_SA_EXPIRED},
    {"the newer of two has expired", expired_newest, EXPLAIN_PROTECT, 0},
    {"numbers used up", seq_end, EXPLAIN_DROP, DROP_SEQ_EXHAUSTED},
    {"numbers not reserved", seq_block, EXPLAIN_DROP, DROP_SEQ_UNRESERVED},
    {"IPv6 in IPv4", six_in_four, EXPLAIN_PROTECT, 0},
    {"IPv4 in IPv6", four_in_six, EXPLAIN_PROTECT, 0},
    {"in UDP", in_udp, EXPLAIN_PROTECT, 0},
    {"no link to the peer", no_link, EXPLAIN_DROP, DROP_PORT_DOWN},
    {"peer unresolved", peer_unresolved, EXPLAIN_HELD, 0},
    {"peer on link", peer_connected, EXPLAIN_HELD, 0},
    {"peer behind a blackhole", peer_blackhole, EXPLAIN_DROP, DROP_BLACKHOLE},
    {"peer is this machine", peer_local, EXPLAIN_DROP, DROP_LOOP},
    {"peer behind its own tunnel", peer_tunnel, EXPLAIN_DROP, DROP_LOOP},
    {"peer behind the kernel", peer_kernel, EXPLAIN_DROP, DROP_NO_ROUTE},
    {"no route to the peer", peer_none, EXPLAIN_DROP, DROP_NO_ROUTE},
};

static void says_what_the_worker_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(situations); i++) {
		struct scene s = scene_open();

		situations[i].make(&s);
		scene_commit(&s);
		scene_agree(&s, situations[i].what, situations[i].fate, situations[i].drop);
		scene_close(&s);
	}
}

static void names_what_it_met(void **state)
{
	struct scene s = scene_open();
	struct explain e;

	(void)state;
	e = scene_agree(&s, "by route", EXPLAIN_PROTECT, 0);
	assert_null(e.policy);
	assert_true(e.by_route && e.tunnel == s.tunnel && e.sa == s.sa && e.route == NULL);
	assert_int_equal(e.outer->port, INPROCESS_WAN);

	scene_policy(&s, POLICY_PROTECT, "10.128.0.0/9", false);
	e = scene_agree(&s, "before the commit", EXPLAIN_PROTECT, 0);
	assert_true(e.policy == NULL && e.by_route);
	scene_commit(&s);
	e = scene_agree(&s, "by policy", EXPLAIN_PROTECT, 0);
	assert_string_equal(e.policy->name, "p0");
	assert_true(!e.by_route && e.tunnel == s.tunnel);

	assert_int_equal(policy_remove(s.ip->g.spd, e.policy->id), 0);
	e = scene_agree(&s, "removed, not committed", EXPLAIN_PROTECT, 0);
	assert_true(e.policy == NULL && !e.by_route);
	scene_commit(&s);

	scene_policy(&s, POLICY_BYPASS, "10.128.0.0/9", false);
	scene_commit(&s);
	scene_route(&s, "10.128.0.0/10", NEXTHOP_ETHER, INPROCESS_WAN, 0);
	e = scene_agree(&s, "bypassed", EXPLAIN_CLEAR, 0);
	assert_true(e.policy != NULL && e.tunnel == NULL && e.sa == NULL && e.outer == NULL);
	assert_int_equal(e.route->port, INPROCESS_WAN);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_what_the_worker_does),
	    cmocka_unit_test(names_what_it_met),
	};

	return cmocka_run_group_tests(tests, scene_setup, NULL);
}
