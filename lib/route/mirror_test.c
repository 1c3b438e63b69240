/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "rcu/rcu.h"
#include "route/lab_test.h"

static void local_addresses(void **state)
{
	struct lab *lab = *state;
	struct ip_addr a;

	lab_follow(lab);
	assert_int_equal(lab->link, 1);
	lab_expect(lab, "192.0.2.1", NEXTHOP_LOCAL);
	lab_expect(lab, "127.0.0.1", NEXTHOP_LOCAL);
	lab_expect(lab, "192.0.2.255", NEXTHOP_LOCAL);
	lab_expect(lab, "2001:db8:1::1", NEXTHOP_LOCAL);
	lab_expect(lab, "224.0.0.5", NEXTHOP_LOCAL);
	lab_expect(lab, "ff02::5", NEXTHOP_LOCAL);
	lab_expect(lab, "fe80::77", NEXTHOP_BLACKHOLE);
	lab_expect(lab, "203.0.113.1", NEXTHOP_NONE);
	assert_int_equal(lab_local(lab, "192.0.2.1"), 1);
	assert_int_equal(lab_local(lab, "2001:db8:1::1"), 1);

	assert_true(mirror_source_address(lab->mirror, LAB_PORT, 4, &a));
	assert_true(ip_addr_equal(&a, &(struct ip_addr){4, {192, 0, 2, 1}}));
	assert_true(mirror_source_address(lab->mirror, LAB_PORT, 6, &a));
	struct ip_addr global = lab_addr("2001:db8:1::1");
	assert_true(ip_addr_equal(&a, &global)); /* not the link-local one */
	assert_false(mirror_source_address(lab->mirror, 9, 4, &a));

	/* On two devices: it stays until the second one loses it. */
	lab_run("ip addr add 203.0.113.1/32 dev lo; ip addr add 203.0.113.1/32 dev zva");
	lab_expect(lab, "203.0.113.1", NEXTHOP_LOCAL);
	lab_run("ip addr del 203.0.113.1/32 dev lo");
	lab_follow(lab);
	assert_int_equal(lab_local(lab, "203.0.113.1"), 1);
	lab_run("ip addr del 203.0.113.1/32 dev zva");
	lab_expect(lab, "203.0.113.1", NEXTHOP_NONE);
	assert_int_equal(lab_local(lab, "203.0.113.1"), 0);
}

static void assert_frame(const struct lab *lab, const struct nexthop *hop, uint16_t ethertype)
{
	assert_int_equal(hop->port, LAB_PORT);
	assert_int_equal(hop->mtu, 1500);
	assert_memory_equal(hop->eth, lab->peer_mac, 6);
	assert_memory_equal(hop->eth + 6, lab->mac, 6);
	assert_int_equal(hop->eth[12] << 8 | hop->eth[13], ethertype);
}

/* The neighbour is a real one: the kernel asks it, it answers. */
static void resolves_a_gateway(struct lab *lab, const char *prefix, const char *inside,
			       const char *gateway, uint16_t ethertype)
{
	struct ip_addr gw = lab_addr(gateway);
	char dev[16] = "";

	if (gw.bytes[0] == 0xfe)
		snprintf(dev, sizeof(dev), "dev zva");
	lab_run("ip neigh flush dev zva; ip route add %s via %s %s", prefix, gateway, dev);
	const struct nexthop *hop = lab_expect(lab, inside, NEXTHOP_UNRESOLVED);

	assert_int_equal(hop->port, LAB_PORT);
	assert_true(ip_addr_equal(&hop->gateway, &gw));
	mirror_resolve(lab->mirror, LAB_PORT, &gw);
	assert_frame(lab, lab_expect(lab, inside, NEXTHOP_ETHER), ethertype);
	lab_run("ip route del %s", prefix);
	lab_expect(lab, inside, NEXTHOP_NONE);
}

static void gateways_are_resolved(void **state)
{
	struct lab *lab = *state;
	char ll[64];
	const uint8_t *m = lab->peer_mac;

	resolves_a_gateway(lab, "198.51.100.0/24", "198.51.100.9", "192.0.2.2", 0x0800);
	resolves_a_gateway(lab, "2001:db8:9::/48", "2001:db8:9::9", "2001:db8:1::2", 0x86dd);
	snprintf(ll, sizeof(ll), "fe80::%02x%02x:%02xff:fe%02x:%02x%02x", m[0] ^ 2, m[1], m[2],
		 m[3], m[4], m[5]);
	resolves_a_gateway(lab, "2001:db8:a::/48", "2001:db8:a::9", ll, 0x86dd);
}

static void hosts_on_link_are_resolved(void **state)
{
	struct lab *lab = *state;
	const char *hosts[] = {"192.0.2.3", "2001:db8:1::2"};

	lab_run("ip neigh flush dev zva");
	for (int i = 0; i < 2; i++) {
		struct ip_addr host = lab_addr(hosts[i]);

		lab_expect(lab, hosts[i], NEXTHOP_CONNECTED);
		mirror_resolve(lab->mirror, LAB_PORT, &host);
		assert_frame(lab, lab_expect(lab, hosts[i], NEXTHOP_ETHER),
			     i == 0 ? 0x0800 : 0x86dd);
	}
	/* From then on the kernel keeps it reachable. */
	lab_follow(lab);
	mirror_tick(lab->mirror);
	lab_run("ip neigh show 192.0.2.3 dev zva | grep -q managed");
	/* Nobody answers for this one: it stays unresolved and does not stay managed. */
	struct ip_addr nobody = lab_addr("192.0.2.99");

	mirror_resolve(lab->mirror, LAB_PORT, &nobody);
	lab_follow(lab);
	assert_int_equal(lab_lookup(lab, "192.0.2.99")->type, NEXTHOP_CONNECTED);
	mirror_tick(lab->mirror);
	lab_run("! ip neigh show 192.0.2.99 dev zva | grep -q managed");
}

static void neighbours_come_change_and_go(void **state)
{
	struct lab *lab = *state;
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, other[6] = {2, 0, 0, 0, 0, 2};

	lab_run("ip route add 198.51.100.0/24 via 192.0.2.50");
	lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);
	lab_run("ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:01 dev zva");
	assert_memory_equal(lab_expect(lab, "198.51.100.1", NEXTHOP_ETHER)->eth, mac, 6);
	assert_memory_equal(lab_expect(lab, "192.0.2.50", NEXTHOP_ETHER)->eth, mac, 6);
	lab_run("ip neigh replace 192.0.2.50 lladdr 02:00:00:00:00:02 dev zva");
	lab_follow(lab);
	assert_memory_equal(lab_lookup(lab, "198.51.100.1")->eth, other, 6);

	/* A host route of the kernel's own wins over the neighbour. */
	lab_run("ip route add blackhole 192.0.2.50/32");
	lab_expect(lab, "192.0.2.50", NEXTHOP_BLACKHOLE);
	lab_run("ip route del blackhole 192.0.2.50/32");
	lab_expect(lab, "192.0.2.50", NEXTHOP_ETHER);
	/* So does a longer prefix that leads elsewhere. */
	lab_run("ip route add 192.0.2.48/29 via 192.0.2.2");
	lab_follow(lab);
	assert_int_not_equal(lab_lookup(lab, "192.0.2.50")->gateway.bytes[3], 50);
	lab_run("ip route del 192.0.2.48/29");
	lab_follow(lab);
	assert_memory_equal(lab_expect(lab, "192.0.2.50", NEXTHOP_ETHER)->eth, other, 6);

	lab_run("ip neigh del 192.0.2.50 dev zva");
	lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);
	lab_expect(lab, "192.0.2.50", NEXTHOP_CONNECTED);
	lab_run("ip route del 198.51.100.0/24");
	lab_expect(lab, "198.51.100.1", NEXTHOP_NONE);
}

static void lowest_metric_wins(void **state)
{
	struct lab *lab = *state;

	lab_run("ip neigh replace 192.0.2.60 lladdr 02:00:00:00:00:60 dev zva");
	for (int v6 = 0; v6 < 2; v6++) {
		const char *p = v6 ? "2001:db8:20::/48" : "198.51.100.0/24";
		const char *in = v6 ? "2001:db8:20::1" : "198.51.100.1";

		lab_run("ip route add blackhole %s metric 30", p);
		lab_expect(lab, in, NEXTHOP_BLACKHOLE);
		lab_run("ip route add %s dev zva metric 20", p);
		lab_expect(lab, in, NEXTHOP_CONNECTED);
		lab_run("ip route add %s dev lo metric 10", p);
		lab_expect(lab, in, NEXTHOP_KERNEL);
		lab_run("ip route del %s metric 10", p);
		lab_expect(lab, in, NEXTHOP_CONNECTED);
		lab_run("ip route replace %s dev lo metric 20", p);
		lab_expect(lab, in, NEXTHOP_KERNEL);
		lab_run("ip route del %s metric 20", p);
		lab_expect(lab, in, NEXTHOP_BLACKHOLE);
		lab_run("ip route del %s", p);
		lab_expect(lab, in, NEXTHOP_NONE);
		for (int i = 0; i < 2; i++) {
			const char *type = i ? "unreachable" : "prohibit";

			lab_run("ip route add %s %s", type, p);
			lab_expect(lab, in, NEXTHOP_BLACKHOLE);
			lab_run("ip route del %s %s", type, p);
			lab_expect(lab, in, NEXTHOP_NONE);
		}
	}
}

/* Several routes with one key; multipath; nexthop objects; a route's own MTU. */
static void routes_that_share_a_key(void **state)
{
	struct lab *lab = *state;

	lab_run("ip route add 198.51.100.0/24 dev zva metric 5; "
		"ip route append 198.51.100.0/24 dev lo metric 5");
	lab_expect(lab, "198.51.100.1", NEXTHOP_CONNECTED);
	lab_run("ip route del 198.51.100.0/24 dev zva metric 5");
	lab_expect(lab, "198.51.100.1", NEXTHOP_KERNEL);
	lab_run("ip route prepend 198.51.100.0/24 dev zva metric 5");
	lab_expect(lab, "198.51.100.1", NEXTHOP_CONNECTED);
	lab_run("ip route flush 198.51.100.0/24");
	lab_expect(lab, "198.51.100.1", NEXTHOP_NONE);

	lab_run(
	    "ip route add 198.51.100.0/24 mtu 1300 nexthop via 192.0.2.7 nexthop via 192.0.2.8");
	const struct nexthop *hop = lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);

	assert_int_equal(hop->gateway.bytes[3], 7);
	assert_int_equal(hop->mtu, 1300);
	lab_run("ip route del 198.51.100.0/24");

	lab_run("ip route add 2001:db8:30::/48 via 2001:db8:1::7");
	lab_run("ip route append 2001:db8:30::/48 via 2001:db8:1::8");
	hop = lab_expect(lab, "2001:db8:30::1", NEXTHOP_UNRESOLVED);
	assert_int_equal(hop->gateway.bytes[15], 7);
	lab_run("ip route del 2001:db8:30::/48 via 2001:db8:1::7");
	lab_follow(lab);
	hop = lab_expect(lab, "2001:db8:30::1", NEXTHOP_UNRESOLVED);
	assert_int_equal(hop->gateway.bytes[15], 8);
	lab_run("ip route del 2001:db8:30::/48");
	lab_expect(lab, "2001:db8:30::1", NEXTHOP_NONE);

	lab_run("ip nexthop add id 41 via 192.0.2.7 dev zva; ip route add 198.51.100.0/24 nhid 41");
	hop = lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);
	assert_int_equal(hop->gateway.bytes[3], 7);
	lab_run("ip nexthop replace id 41 via 192.0.2.8 dev zva");
	lab_follow(lab);
	hop = lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);
	assert_int_equal(hop->gateway.bytes[3], 8);
	lab_run("ip nexthop del id 41");
	lab_expect(lab, "198.51.100.1", NEXTHOP_NONE);

	/* IPv4 through an IPv6 gateway (RFC 8950). */
	lab_run("ip route add 198.51.100.0/24 via inet6 fe80::5 dev zva");
	hop = lab_expect(lab, "198.51.100.1", NEXTHOP_UNRESOLVED);
	assert_int_equal(hop->gateway.family, 6);
	assert_int_equal(hop->eth[12] << 8 | hop->eth[13], 0x0800);
	lab_run("ip route del 198.51.100.0/24");
}

/* IPv4 routes go without a message when their device goes down. */
static void links_go_down_and_up(void **state)
{
	struct lab *lab = *state;

	lab_run("ip route add default via 192.0.2.2; ip route add default via 2001:db8:1::2");
	lab_follow(lab);
	assert_int_equal(lab_lookup(lab, "203.0.113.5")->port, LAB_PORT);
	assert_int_not_equal(lab_lookup(lab, "203.0.113.5")->type, NEXTHOP_NONE);
	assert_int_not_equal(lab_lookup(lab, "2001:db8:ffff::5")->type, NEXTHOP_NONE);
	lab_run(LAB_PEER "ip link set zvb down", lab->peer);
	lab_expect_link(lab, 0);
	lab_run(LAB_PEER "ip link set zvb up", lab->peer);
	lab_expect_link(lab, 1);

	lab_run("ip link set zva down");
	lab_expect(lab, "203.0.113.5", NEXTHOP_NONE);
	lab_expect(lab, "2001:db8:ffff::5", NEXTHOP_NONE);
	lab_expect(lab, "192.0.2.77", NEXTHOP_NONE);
	lab_expect_link(lab, 0);
	lab_run("ip link set zva up; ip addr add 2001:db8:1::1/64 dev zva nodad");
	lab_expect(lab, "192.0.2.77", NEXTHOP_CONNECTED);
	lab_expect(lab, "2001:db8:1::77", NEXTHOP_CONNECTED);
	lab_expect_link(lab, 1);
}

/* A worker that looks one stable route up for as long as `run` says. */
struct watch {
	struct fib *fib;
	atomic_bool run;
	atomic_ulong lookups, lost;
};

static void *watch(void *arg)
{
	struct watch *w = arg;
	struct ip_addr a4 = {4, {192, 0, 2, 77}};
	struct ip_addr a6 = {6, {0x20, 1, 0xd, 0xb8, 0, 1, [15] = 0x77}};

	rcu_worker_start(0);
	while (w->run) {
		w->lost += fib_lookup4(w->fib, a4.bytes)->type != NEXTHOP_CONNECTED;
		w->lost += fib_lookup6(w->fib, a6.bytes)->type != NEXTHOP_CONNECTED;
		w->lookups += 2;
		rcu_quiescent(rcu_domain(), 0);
	}
	rcu_worker_stop(0);
	return NULL;
}

static unsigned int count(const struct lab *lab, enum nexthop_type type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 4000; i++) {
		const uint8_t a4[4] = {100, 64, (uint8_t)(i >> 8), (uint8_t)i};
		const uint8_t a6[16] = {0x20,      1, 0xd, 0xb8, 0x64, 0x64, (uint8_t)(i >> 8),
					(uint8_t)i};

		n += fib_lookup4(lab->fib, a4)->type == type;
		n += fib_lookup6(lab->fib, a6)->type == type;
	}
	return n;
}

static void flood(const char *verb)
{
	lab_run("for i in $(seq 0 3999); do h=$((i >> 8)); l=$((i & 255)); "
		"echo route %s blackhole 100.64.$h.$l/32; "
		"printf 'route %s blackhole 2001:db8:6464:%%02x%%02x::/64\\n' $h $l; "
		"done | ip -batch -",
		verb, verb);
}

static void lost_changes_are_made_up_for(void **state)
{
	struct lab *lab = *state;
	struct watch w = {.fib = lab->fib, .run = true};
	pthread_t thread;
	int small = 4096;

	assert_int_equal(
	    setsockopt(mirror_fd(lab->mirror), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	lab_expect(lab, "192.0.2.77", NEXTHOP_CONNECTED);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	flood("add");
	mirror_read(lab->mirror); /* ENOBUFS: one call brings everything */
	assert_int_equal(count(lab, NEXTHOP_BLACKHOLE), 8000);
	flood("del");
	mirror_read(lab->mirror);
	assert_int_equal(count(lab, NEXTHOP_NONE), 8000);
	lab_expect(lab, "192.0.2.77", NEXTHOP_CONNECTED);
	w.run = false;
	pthread_join(thread, NULL);
	assert_true(w.lookups > 1000);
	assert_int_equal(w.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(local_addresses),
	    cmocka_unit_test(gateways_are_resolved),
	    cmocka_unit_test(hosts_on_link_are_resolved),
	    cmocka_unit_test(neighbours_come_change_and_go),
	    cmocka_unit_test(lowest_metric_wins),
	    cmocka_unit_test(routes_that_share_a_key),
	    cmocka_unit_test(links_go_down_and_up),
	    cmocka_unit_test(lost_changes_are_made_up_for),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
