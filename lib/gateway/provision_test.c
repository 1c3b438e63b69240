/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "gateway/state.h"
#include "packet/packet.h"
#include "rcu/rcu.h"
#include "route/eal_test.h"
#include "worker/worker.h"

/*
 * In which order the kernel, the XDP maps and the SPD learn of a change. Their
 * functions are replaced by ones that write down what was asked (--wrap).
 */
static char events[2048];
static int route_error;

static void note(const char *what, const struct ip_prefix *prefix, const char *rest)
{
	char text[IP_TEXT_MAX] = "";
	size_t at = strlen(events);

	if (prefix != NULL)
		ip_prefix_text(prefix, text);
	snprintf(events + at, sizeof(events) - at, "%s%s%s%s\n", what, prefix != NULL ? " " : "",
		 text, rest);
}

#define WRAP(type, name, ...)            \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(int, steer_prefix_set, struct steer *s, const struct ip_prefix *prefix, bool take)
{
	(void)s;
	note("steer", prefix, take ? "" : " no");
	return 0;
}

WRAP(int, steer_prefix_remove, struct steer *s, const struct ip_prefix *prefix)
{
	(void)s;
	note("unsteer", prefix, "");
	return 0;
}

WRAP(int, steer_encap_port_set, struct steer *s, uint16_t port, bool present)
{
	(void)s;
	(void)port;
	(void)present;
	return 0;
}

WRAP(int, steer_local_set, struct steer *s, const struct ip_addr *addr, bool present)
{
	(void)s;
	(void)addr;
	(void)present;
	return 0;
}

WRAP(bool, mirror_source_address, const struct mirror *m, uint16_t port, uint8_t family,
     struct ip_addr *out)
{
	(void)m;
	(void)port;
	(void)family;
	(void)out;
	return false;
}

WRAP(int, mirror_own_route_add, struct mirror *m, const struct ip_prefix *prefix, int ifindex,
     const struct ip_addr *source)
{
	char rest[128], text[IP_TEXT_MAX];

	(void)m;
	if (route_error != 0)
		return route_error;
	snprintf(rest, sizeof(rest), " dev %d%s%s", ifindex, source->family != 0 ? " src " : "",
		 source->family != 0 ? ip_addr_text(source, text) : "");
	note("route", prefix, rest);
	return 0;
}

WRAP(int, mirror_own_route_remove, struct mirror *m, const struct ip_prefix *prefix)
{
	(void)m;
	note("unroute", prefix, "");
	return 0;
}

int __real_spd_commit(struct spd *s, struct fault *fault);

WRAP(int, spd_commit, struct spd *s, struct fault *fault)
{
	note("commit", NULL, "");
	return __real_spd_commit(s, fault);
}

static struct rte_mbuf *delivered[8];
static unsigned int deliveries, deliveries_max = 8;

WRAP(bool, worker_deliver, struct worker *w, struct rte_mbuf *m)
{
	(void)w;
	if (deliveries == deliveries_max)
		return false;
	delivered[deliveries++] = m;
	return true;
}

static void expect(const char *wanted)
{
	assert_string_equal(events, wanted);
	events[0] = '\0';
}

#define POLICY_IFINDEX 7

static struct gateway *g;

static int setup(void **state)
{
	struct sadb_config config = {.sas_max = 16, .tunnels_max = 16, .workers = 1};
	struct fault fault;

	(void)state;
	g = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*g), 64));
	memset(g, 0, sizeof(*g));
	g->sadb = sadb_create(&config, &fault);
	g->spd = spd_create(&fault);
	g->steer = (struct steer *)g;
	g->mirror = (struct mirror *)g;
	g->policy_device = HOST_NONE;
	g->policy_ifindex = POLICY_IFINDEX;
	g->workers = 1;
	g->pool =
	    rte_pktmbuf_pool_create("p", 63, 0, sizeof(struct packet_carry), 2176, SOCKET_ID_ANY);
	events[0] = '\0';
	route_error = 0;
	deliveries = 0;
	deliveries_max = RTE_DIM(delivered);
	return g->sadb == NULL || g->spd == NULL || g->pool == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < deliveries; i++)
		rte_pktmbuf_free(delivered[i]);
	assert_int_equal(rte_mempool_in_use_count(g->pool), 0);
	gateway_provision_stop(g);
	spd_destroy(g->spd);
	sadb_destroy(g->sadb);
	rte_mempool_free(g->pool);
	free(g);
	return 0;
}

static struct tunnel *add_tunnel(const char *name, const char *remote)
{
	struct tunnel_spec spec = {.keepalive = 20};
	struct tunnel *t;
	struct fault fault;

	snprintf(spec.name, sizeof(spec.name), "%s", name);
	assert_int_equal(ip_addr_parse(remote, &spec.remote), 0);
	assert_int_equal(gateway_tunnel_add(g, &spec, &t, &fault), 0);
	return t;
}

static int add_policy(const char *name, enum policy_action action, const struct tunnel *t,
		      const char *remote, uint32_t *id)
{
	struct policy policy = {.priority = 10, .action = action, .selector = selector_any(4)};
	struct fault fault = {0};

	snprintf(policy.name, sizeof(policy.name), "%s", name);
	policy.tunnel = t != NULL ? t->index : 0;
	assert_int_equal(ip_range_parse("10.1.0.0/16", 4, &policy.selector.local_first,
					&policy.selector.local_last),
			 0);
	assert_int_equal(
	    ip_range_parse(remote, 4, &policy.selector.remote_first, &policy.selector.remote_last),
	    0);
	int err = gateway_policy_add(g, &policy, &fault);
	if (id != NULL)
		*id = policy.id;
	return err;
}

/* Taken from the kernel before it is said to be protected, given back only after it is not. */
static void test_order(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");
	struct fault fault;
	uint32_t id;

	(void)state;
	assert_int_equal(add_policy("p", POLICY_PROTECT, t, "10.2.0.0/16", &id), 0);
	assert_int_equal(gateway_commit(g, &fault), 0);
	expect("steer 10.2.0.0/16\nroute 10.2.0.0/16 dev 7\ncommit\n");
	assert_int_equal(gateway_policy_delete(g, id, &fault), 0);
	expect("");
	assert_int_equal(gateway_commit(g, &fault), 0);
	expect("commit\nunroute 10.2.0.0/16\nunsteer 10.2.0.0/16\n");
}

static void test_shared_prefix(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");
	struct fault fault;
	uint32_t protect, discard;

	(void)state;
	add_policy("discard", POLICY_DISCARD, NULL, "10.2.0.0/16", &discard);
	expect("steer 10.2.0.0/16\n");
	add_policy("protect", POLICY_PROTECT, t, "10.2.0.0/16", &protect);
	expect("route 10.2.0.0/16 dev 7\n");
	gateway_policy_delete(g, protect, &fault);
	gateway_commit(g, &fault);
	expect("commit\nunroute 10.2.0.0/16\n");
	gateway_policy_delete(g, discard, &fault);
	gateway_commit(g, &fault);
	expect("commit\nunsteer 10.2.0.0/16\n");
	add_policy("bypass", POLICY_BYPASS, NULL, "10.2.0.0/16", NULL);
	expect("");
}

/* A route for the peer's own network would swallow IKE and ESP. */
static void test_outer_address_inside(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");

	(void)state;
	add_policy("any", POLICY_PROTECT, t, "any", NULL);
	expect("steer 0.0.0.0/0\n");
	add_policy("net", POLICY_PROTECT, t, "192.0.2.0/24", NULL);
	expect("steer 192.0.2.0/24\n");
	add_policy("range", POLICY_PROTECT, t, "192.0.2.4-192.0.2.8", NULL);
	expect("steer 192.0.2.4/30\nroute 192.0.2.4/30 dev 7\n"
	       "steer 192.0.2.8/32\nroute 192.0.2.8/32 dev 7\n");
}

static void test_refused_route(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");

	(void)state;
	route_error = -EPERM;
	assert_int_equal(add_policy("p", POLICY_PROTECT, t, "10.2.0.0/16", NULL), -EPERM);
	expect("steer 10.2.0.0/16\nunsteer 10.2.0.0/16\n");
	assert_null(policy_find(g->spd, "p"));
	route_error = 0;
	assert_int_equal(add_policy("p", POLICY_PROTECT, t, "10.2.0.0/16", NULL), 0);
	events[0] = '\0';
	/* The name is taken: what was steered for it goes. */
	assert_int_equal(add_policy("p", POLICY_PROTECT, t, "10.3.0.0/16", NULL), -EEXIST);
	expect("steer 10.3.0.0/16\nroute 10.3.0.0/16 dev 7\n"
	       "unroute 10.3.0.0/16\nunsteer 10.3.0.0/16\n");
}

/* The operator routes a prefix into a tunnel: steered at once, a blackhole behind it. */
static void test_routed_prefix(void **state)
{
	struct mirror_events follow;
	struct ip_prefix prefix;

	(void)state;
	gateway_follow(g, &follow);
	assert_int_equal(ip_prefix_parse("10.2.0.0/16", &prefix), 0);
	follow.protected_prefix(follow.arg, &prefix, true);
	expect("steer 10.2.0.0/16\n");
	gateway_settle(g);
	expect("route 10.2.0.0/16 dev 0\n");
	follow.protected_prefix(follow.arg, &prefix, false);
	expect("");
	gateway_settle(g);
	expect("unroute 10.2.0.0/16\nunsteer 10.2.0.0/16\n");
}

/* The gateway's own packets match the policy only from an address of its local side. */
static void test_source_address(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");
	struct mirror_events follow;
	struct ip_addr outside, inside;

	(void)state;
	ip_addr_parse("192.0.2.1", &outside);
	ip_addr_parse("10.1.0.1", &inside);
	gateway_follow(g, &follow);
	follow.local_address(follow.arg, &outside, true);
	add_policy("p", POLICY_PROTECT, t, "10.2.0.0/16", NULL);
	expect("steer 10.2.0.0/16\nroute 10.2.0.0/16 dev 7\n");
	follow.local_address(follow.arg, &inside, true);
	gateway_settle(g);
	expect("route 10.2.0.0/16 dev 7 src 10.1.0.1\n");
	follow.local_address(follow.arg, &inside, false);
	gateway_settle(g);
	expect("route 10.2.0.0/16 dev 7\n");
}

static void test_busy_tunnel(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");
	struct fault fault;
	uint32_t id;

	(void)state;
	add_policy("p", POLICY_PROTECT, t, "10.2.0.0/16", &id);
	assert_int_equal(gateway_tunnel_delete(g, t, &fault), -EBUSY);
	assert_non_null(strstr(fault.what, "\"p\""));
	assert_int_equal(gateway_policy_delete(g, id, &fault), 0);
	events[0] = '\0';
	/* Not committed yet: workers must stop using the tunnel before it goes. */
	assert_int_equal(gateway_tunnel_delete(g, t, &fault), 0);
	expect("commit\nunroute 10.2.0.0/16\nunsteer 10.2.0.0/16\n");
	assert_int_equal(gateway_policy_delete(g, 4711, &fault), -ENOENT);
	struct tunnel none = {.index = 9};
	assert_int_equal(add_policy("q", POLICY_PROTECT, &none, "10.2.0.0/16", NULL), -ENOENT);
	expect("");
}

static struct sa *add_sa(const struct tunnel *t, const char *local, const char *remote,
			 uint16_t local_port)
{
	static uint8_t number;
	struct sa_spec spec = {.direction = SA_OUTBOUND,
			       .spi = 1000u + number,
			       .tunnel = t->index,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .key = {number},
			       .udp = true,
			       .local_port = local_port,
			       .remote_port = 20001,
			       .seq_first = 1};
	struct fault fault;
	struct sa *sa;

	number++;
	ip_addr_parse(local, &spec.local);
	ip_addr_parse(remote, &spec.remote);
	if (gateway_sa_add(g, &spec, &sa, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
	return sa;
}

/* RFC 3948 2.3, byte for byte as scapy makes it: UDP checksum 0 on IPv4, right on IPv6. */
static void test_keepalive(void **state)
{
	static const uint8_t v4[] = {0x45, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11,
				     0x8e, 0x94, 0xc0, 0x00, 0x02, 0x01, 0xc6, 0x33, 0x64, 0x07,
				     0x11, 0x94, 0x4e, 0x21, 0x00, 0x09, 0x00, 0x00, 0xff};
	static const uint8_t v6[] = {0x60, 0x00, 0x00, 0x00, 0x00, 0x09, 0x11, 0x40, 0x20, 0x01,
				     0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
				     0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00,
				     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
				     0x11, 0x94, 0x4e, 0x21, 0x00, 0x09, 0x45, 0xb1, 0xff};
	struct tunnel *t4 = add_tunnel("t4", "198.51.100.7"), *t6 = add_tunnel("t6", "2001:db8::2");
	struct provision *p = provision_of(g);
	uint64_t hz = rte_get_tsc_hz();

	(void)state;
	add_sa(t4, "192.0.2.1", "198.51.100.7", 4500);
	add_sa(t6, "2001:db8::1", "2001:db8::2", 4500);
	uint64_t start = rte_rdtsc();
	keepalive_tick(p, start + 19 * hz);
	assert_int_equal(deliveries, 0);
	keepalive_tick(p, start + 20 * hz);
	assert_int_equal(deliveries, 2);
	assert_int_equal(delivered[0]->pkt_len, sizeof(v4));
	assert_memory_equal(rte_pktmbuf_mtod(delivered[0], void *), v4, sizeof(v4));
	assert_int_equal(delivered[1]->pkt_len, sizeof(v6));
	assert_memory_equal(rte_pktmbuf_mtod(delivered[1], void *), v6, sizeof(v6));
	assert_int_equal(packet_carry(delivered[0])->kind, CARRY_FORWARD);
	keepalive_tick(p, start + 39 * hz);
	assert_int_equal(deliveries, 2);
	keepalive_tick(p, start + 40 * hz);
	assert_int_equal(deliveries, 4);
}

static void test_encapsulation_ports(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");

	(void)state;
	assert_true(gateway_is_encap_port(g, 4500));
	assert_false(gateway_is_encap_port(g, 5000));
	struct sa *a = add_sa(t, "192.0.2.1", "192.0.2.2", 5000);
	struct sa *b = add_sa(t, "192.0.2.1", "192.0.2.2", 5000);
	assert_true(gateway_is_encap_port(g, 5000));
	gateway_sa_delete(g, a, "test");
	assert_true(gateway_is_encap_port(g, 5000));
	struct sa_update update = {.set_ports = true, .local_port = 6000, .remote_port = 20001};
	struct fault fault;
	assert_int_equal(gateway_sa_update(g, b, &update, &fault), 0);
	assert_false(gateway_is_encap_port(g, 5000));
	assert_true(gateway_is_encap_port(g, 6000));
	gateway_sa_delete(g, b, "test");
	assert_false(gateway_is_encap_port(g, 6000));
	struct sa *c = add_sa(t, "192.0.2.1", "192.0.2.2", 4500);
	gateway_sa_delete(g, c, "test");
	assert_true(gateway_is_encap_port(g, 4500));
}

static void test_dummies(void **state)
{
	struct tunnel *t = add_tunnel("t", "192.0.2.2");
	struct fault fault;

	(void)state;
	assert_int_equal(gateway_send_dummy(g, t, 1, 100, &fault), -ENOENT);
	add_sa(t, "192.0.2.1", "192.0.2.2", 4500);
	assert_int_equal(gateway_send_dummy(g, t, 1, 9000, &fault), -EINVAL);
	assert_string_equal(fault.where, "length");
	assert_int_equal(gateway_send_dummy(g, t, 0, 100, &fault), -EINVAL);
	assert_int_equal(deliveries, 0);
	assert_int_equal(gateway_send_dummy(g, t, 3, 100, &fault), 0);
	assert_int_equal(deliveries, 3);
	for (int i = 0; i < 3; i++) {
		const struct packet_carry *carry = packet_carry(delivered[i]);
		assert_int_equal(carry->kind, CARRY_OUTBOUND);
		assert_int_equal(carry->flags, PACKET_DUMMY);
		assert_int_equal(carry->tunnel, t->handle);
		assert_int_equal(delivered[i]->pkt_len, 100);
	}
	deliveries_max = 4;
	assert_int_equal(gateway_send_dummy(g, t, 3, 100, &fault), -EAGAIN);
	assert_non_null(strstr(fault.what, "1 of 3"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_order),         TEST(test_shared_prefix), TEST(test_outer_address_inside),
	    TEST(test_refused_route), TEST(test_routed_prefix), TEST(test_source_address),
	    TEST(test_busy_tunnel),   TEST(test_keepalive),     TEST(test_encapsulation_ports),
	    TEST(test_dummies),
	};

	if (eal_test_init() < 0 || rcu_init(1) != 0)
		return 77; /* skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
