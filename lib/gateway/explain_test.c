/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <rte_ether.h>
#include <cmocka.h>

#include "gateway/provision.h"
#include "packet/checksum.h"
#include "worker/inprocess.h"

/*
 * Whatever explain says of a packet must be what becomes of it: for each
 * situation a real packet goes through a worker in memory, and its fate is read
 * from the worker's counters and from the port that it leaves through.
 */
static struct rte_mempool *pool;

struct scene {
	struct inprocess *ip;
	struct tunnel *tunnel; /* with an SA, to side 1; 10.128.0.0/9 and fd80::/9 lead into it */
	struct sa *sa;
	struct flow flow; /* UDP 10.0.0.5:1000 to 10.128.0.9:2000 */
	uint16_t length;
	bool fragment; /* send a later fragment: no ports */
};

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static void set_flow(struct scene *s, const char *local, const char *remote)
{
	struct ip_addr from = address(local), to = address(remote);

	s->flow.family = to.family;
	memcpy(s->flow.local, from.bytes, 16);
	memcpy(s->flow.remote, to.bytes, 16);
}

static void add_sa(struct scene *s, uint8_t outer, bool udp)
{
	struct sa_spec spec = {.direction = SA_OUTBOUND,
			       .spi = 0x11223344,
			       .tunnel = s->tunnel->index,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = true,
			       .udp = udp,
			       .local_port = 4500,
			       .remote_port = 4500,
			       .local = inprocess_outer(0, outer),
			       .remote = inprocess_outer(1, outer),
			       .seq_first = 1};
	struct fault fault = {0};

	for (size_t i = 0; i < sizeof(spec.key); i++)
		spec.key[i] = (uint8_t)rand();
	assert_int_equal(sa_add(s->ip->g.sadb, &spec, &s->sa, &fault), 0);
}

static void another_sa(struct scene *s, uint8_t outer, bool udp)
{
	sa_delete(s->ip->g.sadb, s->sa);
	add_sa(s, outer, udp);
}

static struct scene open_scene(void)
{
	struct inprocess_config config = {
	    .workers = 1, .sas = 8, .tunnels = 8, .routes = 64, .flows = 1024, .pool = pool};
	struct scene s = {.ip = inprocess_create(&config), .length = 100};

	s.tunnel = inprocess_tunnel(s.ip, "hq");
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = s.tunnel->index};
	inprocess_route(s.ip, "10.128.0.0/9", &hop);
	inprocess_route(s.ip, "fd80::/9", &hop);
	add_sa(&s, 4, false);
	set_flow(&s, "10.0.0.5", "10.128.0.9");
	s.flow.proto = IPPROTO_UDP;
	s.flow.ports_known = true;
	s.flow.local_port = 1000;
	s.flow.remote_port = 2000;
	return s;
}

static void close_scene(struct scene *s)
{
	gateway_provision_stop(&s->ip->g);
	inprocess_destroy(s->ip);
}

/* Of all packets to `remote`, or of those from port 1000 alone. */
static void policy(struct scene *s, enum policy_action action, const char *remote, bool narrow)
{
	struct policy p = {.action = action, .tunnel = TUNNEL_NONE, .priority = 100};
	struct fault fault = {0};

	p.selector = selector_any(strchr(remote, ':') != NULL ? 6 : 4);
	assert_int_equal(
	    ip_range_parse(remote, 0, &p.selector.remote_first, &p.selector.remote_last), 0);
	if (narrow)
		p.selector.local_port_first = p.selector.local_port_last = 1000;
	if (action == POLICY_PROTECT)
		p.tunnel = s->tunnel->index;
	snprintf(p.name, sizeof(p.name), "p%u", policy_count(s->ip->g.spd));
	assert_int_equal(policy_add(s->ip->g.spd, &p, &fault), 0);
}

static void commit(struct scene *s)
{
	struct fault fault = {0};

	assert_int_equal(spd_commit(s->ip->g.spd, &fault), 0);
}

static void route(struct scene *s, const char *prefix, enum nexthop_type type, uint16_t port,
		  uint16_t mtu)
{
	struct nexthop hop = {.type = (uint8_t)type,
			      .port = port,
			      .mtu = mtu,
			      .tunnel = s->tunnel->index,
			      .gateway =
				  address(strchr(prefix, ':') != NULL ? "fe80::9" : "10.99.0.1")};

	memcpy(hop.eth, inprocess_mac(port), 6);
	memcpy(hop.eth + 6, inprocess_mac(port), 6);
	inprocess_route(s->ip, prefix, &hop);
}

static struct rte_mbuf *frame(const struct scene *s)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *eth = (uint8_t *)rte_pktmbuf_append(m, RTE_ETHER_HDR_LEN + s->length);
	uint8_t *ip = eth + RTE_ETHER_HDR_LEN, *l4;

	assert_non_null(eth);
	memset(eth, 0, RTE_ETHER_HDR_LEN + s->length);
	memcpy(eth, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(eth + 6, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(eth + 12, s->flow.family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	if (s->flow.family == 4) {
		l4 = ip + 20;
		ip[0] = 0x45;
		store_be16(ip + 2, s->length);
		store_be16(ip + 6, s->fragment ? 185 : 0);
		ip[8] = 64;
		ip[9] = s->flow.proto;
		memcpy(ip + 12, s->flow.local, 4);
		memcpy(ip + 16, s->flow.remote, 4);
		checksum_ipv4_write(ip, 20);
	} else {
		l4 = ip + 40;
		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)(s->length - 40));
		ip[6] = s->flow.proto;
		ip[7] = 64;
		memcpy(ip + 8, s->flow.local, 16);
		memcpy(ip + 24, s->flow.remote, 16);
	}
	if (s->flow.ports_known) {
		store_be16(l4, s->flow.local_port);
		store_be16(l4 + 2, s->flow.remote_port);
	}
	return m;
}

/* What became of the one packet that is sent here. */
struct became {
	enum explain_fate fate;
	enum drop_reason drop;
};

static bool is_esp(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN);

	if (ip[0] >> 4 == 6)
		return ip[6] == IPPROTO_ESP || load_be16(ip + 40 + 2) == 4500;
	return ip[9] == IPPROTO_ESP || load_be16(ip + 20 + 2) == 4500;
}

static struct became send_it(struct scene *s)
{
	struct rte_mbuf *m = frame(s), *sent[2 * VECTOR_MAX];
	struct worker_counters before, after;
	struct became b = {.fate = EXPLAIN_DROP, .drop = DROP_REASONS};
	unsigned int ends = 0;

	worker_counters(s->ip->g.worker[0], &before);
	inprocess_run(s->ip, 0, INPROCESS_LAN, &m, 1);
	for (uint16_t port = 0; port < 2; port++) {
		uint16_t n = inprocess_take(s->ip, 0, port, sent);
		for (uint16_t i = 0; i < n; i++)
			b.fate = is_esp(sent[i]) ? EXPLAIN_PROTECT : EXPLAIN_CLEAR;
		rte_pktmbuf_free_bulk(sent, n);
		ends += n;
	}
	worker_counters(s->ip->g.worker[0], &after);
	if (after.held > before.held)
		b.fate = EXPLAIN_HELD;
	ends += (unsigned int)(after.held - before.held);
	for (unsigned int r = 0; r < DROP_REASONS; r++) {
		if (after.drops[r] > before.drops[r])
			b.drop = (enum drop_reason)r;
		ends += (unsigned int)(after.drops[r] - before.drops[r]);
	}
	assert_int_equal(ends, 1);
	/* There is no kernel here that could take it. */
	if (b.drop == DROP_KERNEL_REFUSED)
		b.fate = EXPLAIN_KERNEL;
	return b;
}

/* explain and the worker agree, and say what the table says. */
static struct explain agree(struct scene *s, const char *what, enum explain_fate fate,
			    enum drop_reason reason)
{
	struct flow flow = s->flow;
	struct explain e;

	flow.ports_known = flow.ports_known && !s->fragment;
	gateway_explain(&s->ip->g, &flow, s->length, &e);
	struct became b = send_it(s);
	if (e.fate != b.fate || e.fate != fate ||
	    (fate == EXPLAIN_DROP && (e.drop != b.drop || e.drop != reason)))
		fail_msg("%s: explained as %d/%s (%s), became %d/%s, should be %d/%s", what, e.fate,
			 e.fate == EXPLAIN_DROP ? drop_name(e.drop) : "-", e.why, b.fate,
			 b.drop < DROP_REASONS ? drop_name(b.drop) : "-", fate,
			 fate == EXPLAIN_DROP ? drop_name(reason) : "-");
	assert_true(e.why[0] != '\0' && e.why[strlen(e.why) - 1] != '.');
	return e;
}

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

SITUATION(protected, set_flow(s, "10.0.0.5", AWAY); policy(s, POLICY_PROTECT, "172.16.0.0/12", 0);)
SITUATION(narrow, policy(s, POLICY_PROTECT, "172.16.0.0/12", 1); set_flow(s, "10.0.0.5", AWAY);)
SITUATION(other_port, narrow(s); s->flow.local_port = 1001;)
SITUATION(later_fragment, narrow(s); s->fragment = true;)
SITUATION(withheld, later_fragment(s); policy(s, POLICY_BYPASS, "172.16.0.0/12", 0);)
SITUATION(discarded, policy(s, POLICY_DISCARD, "10.128.0.0/9", 0);)

static void bypass(struct scene *s, enum nexthop_type type)
{
	set_flow(s, "10.0.0.5", AWAY);
	policy(s, POLICY_BYPASS, "172.16.0.0/12", false);
	if (type != NEXTHOP_NONE)
		route(s, "172.16.0.0/12", type, INPROCESS_WAN, 1400);
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
	set_flow(s, "10.0.0.5", AWAY);
	if (type != NEXTHOP_NONE)
		route(s, "172.16.0.0/12", type, INPROCESS_WAN, 0);
}

SITUATION(route_none, by_route(s, NEXTHOP_NONE);)
SITUATION(route_blackhole, by_route(s, NEXTHOP_BLACKHOLE);)
SITUATION(route_local, by_route(s, NEXTHOP_LOCAL);)
SITUATION(route_ether, by_route(s, NEXTHOP_ETHER);)
SITUATION(route_connected, by_route(s, NEXTHOP_CONNECTED);)
SITUATION(route_kernel, by_route(s, NEXTHOP_KERNEL);)
SITUATION(multicast, set_flow(s, "10.0.0.5", "224.0.0.5");
	  policy(s, POLICY_DISCARD, "224.0.0.0/4", 0);)
SITUATION(link_local, set_flow(s, "fd00::5", "fe80::9");)

/* The tunnel. */
SITUATION(no_sa, sa_delete(s->ip->g.sadb, s->sa);)
SITUATION(seq_end, s->sa->out->seq = UINT64_MAX; s->sa->out->seq_limit = UINT64_MAX;)
SITUATION(seq_block, s->sa->out->seq_limit = 7; s->sa->out->seq = 7;)
SITUATION(six_in_four, set_flow(s, "fd00::5", "fd80::9");)
SITUATION(four_in_six, another_sa(s, 6, false);)
SITUATION(in_udp, another_sa(s, 4, true);)
SITUATION(no_link, s->ip->g.port[INPROCESS_WAN].up = false;)

static void peer(struct scene *s, enum nexthop_type type)
{
	route(s, "192.0.2.2", type, INPROCESS_WAN, 0);
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
		struct scene s = open_scene();

		situations[i].make(&s);
		commit(&s);
		agree(&s, situations[i].what, situations[i].fate, situations[i].drop);
		close_scene(&s);
	}
}

/* What fits is what explain says fits, to the byte: for each encapsulation and each limit. */
static void says_the_largest_packet(void **state)
{
	static const struct {
		uint16_t port, route, tunnel;
	} limit[] = {{1500, 0, 0},    {9000, 1400, 0}, {1500, 9000, 0},
		     {1500, 0, 1300}, {1500, 0, 1490}, {1280, 1281, 1200}};

	(void)state;
	for (unsigned int i = 0; i < RTE_DIM(limit) * 8; i++) {
		struct scene s = open_scene();
		bool six = i & 1, udp = i & 2, inner6 = i & 4;

		another_sa(&s, six ? 6 : 4, udp);
		s.ip->g.port[INPROCESS_WAN].mtu = limit[i / 8].port;
		route(&s, six ? "2001:db8::2" : "192.0.2.2", NEXTHOP_ETHER, INPROCESS_WAN,
		      limit[i / 8].route);
		tunnel_set_mtu(s.ip->g.sadb, s.tunnel, limit[i / 8].tunnel);
		if (inner6)
			set_flow(&s, "fd00::5", "fd80::9");
		struct explain e = agree(&s, "small", EXPLAIN_PROTECT, 0);
		assert_true(e.mtu >= 1100 && e.mtu <= 1500);
		s.length = e.mtu;
		agree(&s, "as large as fits", EXPLAIN_PROTECT, 0);
		s.length++;
		agree(&s, "one byte more", EXPLAIN_DROP, DROP_TOO_BIG);
		close_scene(&s);
	}
}

static void names_what_it_met(void **state)
{
	struct scene s = open_scene();
	struct explain e;

	(void)state;
	e = agree(&s, "by route", EXPLAIN_PROTECT, 0);
	assert_null(e.policy);
	assert_true(e.by_route && e.tunnel == s.tunnel && e.sa == s.sa && e.route == NULL);
	assert_int_equal(e.outer->port, INPROCESS_WAN);

	policy(&s, POLICY_PROTECT, "10.128.0.0/9", false);
	e = agree(&s, "before the commit", EXPLAIN_PROTECT, 0);
	assert_true(e.policy == NULL && e.by_route);
	commit(&s);
	e = agree(&s, "by policy", EXPLAIN_PROTECT, 0);
	assert_string_equal(e.policy->name, "p0");
	assert_true(!e.by_route && e.tunnel == s.tunnel);

	assert_int_equal(policy_remove(s.ip->g.spd, e.policy->id), 0);
	e = agree(&s, "removed, not committed", EXPLAIN_PROTECT, 0);
	assert_true(e.policy == NULL && !e.by_route);
	commit(&s);

	policy(&s, POLICY_BYPASS, "10.128.0.0/9", false);
	commit(&s);
	route(&s, "10.128.0.0/10", NEXTHOP_ETHER, INPROCESS_WAN, 0);
	e = agree(&s, "bypassed", EXPLAIN_CLEAR, 0);
	assert_true(e.policy != NULL && e.tunnel == NULL && e.sa == NULL && e.outer == NULL);
	assert_int_equal(e.route->port, INPROCESS_WAN);
	close_scene(&s);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
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
	for (unsigned int round = 0; round < 40; round++) {
		struct scene s = open_scene();

		for (unsigned int n = below(8); n > 0; n--)
			policy(&s, (enum policy_action)(1 + below(3)), prefix[below(6)], below(2));
		commit(&s);
		for (unsigned int n = below(8); n > 0; n--)
			route(&s, prefix[below(6)], (enum nexthop_type)below(8), (uint16_t)below(2),
			      (uint16_t)(below(2) * 400));
		if (below(4) == 0)
			policy(&s, POLICY_DISCARD, prefix[below(6)], 0);
		if (below(3) == 0)
			route(&s, "192.0.2.2", (enum nexthop_type)below(8), INPROCESS_WAN, 0);
		for (unsigned int n = 0; n < 50; n++) {
			const char *dst = to[below(6)];
			struct flow flow;
			struct explain e;

			set_flow(&s, strchr(dst, ':') != NULL ? "fd00::5" : "10.0.0.5", dst);
			s.flow.local_port = (uint16_t)(1000 + below(2));
			s.fragment = s.flow.family == 4 && below(3) == 0;
			s.length = (uint16_t)(below(2) ? 100 : 600);
			flow = s.flow;
			flow.ports_known = !s.fragment;
			gateway_explain(&s.ip->g, &flow, s.length, &e);
			if (e.fate == EXPLAIN_HELD && s.ip->g.worker[0]->hold.n >= HOLD_PER_HOP)
				continue; /* the worker keeps no more of them */
			fates[e.fate]++;
			agree(&s, "at random", e.fate, e.drop);
		}
		close_scene(&s);
	}
	for (unsigned int f = 0; f <= EXPLAIN_DROP; f++)
		assert_true(fates[f] > 20);
}

static int setup(void **state)
{
	(void)state;
	if (inprocess_eal(768) != 0)
		return -1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	srand(7);
	return pool == NULL ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_what_the_worker_does),
	    cmocka_unit_test(says_the_largest_packet),
	    cmocka_unit_test(names_what_it_met),
	    cmocka_unit_test(agrees_at_random),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
