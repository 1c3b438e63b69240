/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packet/packet.h"
#include "rcu/rcu.h"
#include "route/eal_test.h"
#include "route/lab_test.h"

#define V4 "10.20.0.0/16"
#define V6 "2001:db8:20::/48"

static void tun_add(struct lab *lab, const char *name, enum mirror_device_kind kind, uint32_t index)
{
	lab_run("ip tuntap add %s mode tun; ip link set %s up", name, name);
	assert_int_equal(mirror_device_add(lab->mirror, lab_ifindex(name), kind, index, NULL, 0),
			 0);
}

static void own(struct lab *lab, const char *prefix, int ifindex, int expected)
{
	struct ip_prefix p = lab_prefix(prefix);

	assert_int_equal(mirror_own_route_add(lab->mirror, &p, ifindex, NULL), expected);
}

static void disown(struct lab *lab, const char *prefix, int expected)
{
	struct ip_prefix p = lab_prefix(prefix);

	assert_int_equal(mirror_own_route_remove(lab->mirror, &p), expected);
}

static void no_owned_route_left(void)
{
	lab_run("test -z \"$(ip -4 route show proto 158)$(ip -6 route show proto 158)\"");
}

/* Fail closed: the device goes, the blackhole behind it stays. */
static void blackholes_stand_behind_tunnels(void **state)
{
	struct lab *lab = *state;

	tun_add(lab, "zt0", MIRROR_TUNNEL, 7);
	own(lab, V4, lab_ifindex("zt0"), 0);
	own(lab, V6, lab_ifindex("zt0"), 0);
	assert_int_equal(lab_expect(lab, "10.20.1.1", NEXTHOP_TUNNEL)->tunnel, 7);
	assert_int_equal(lab_expect(lab, "2001:db8:20::1", NEXTHOP_TUNNEL)->tunnel, 7);
	assert_int_equal(lab_protected(lab, V4), 1);
	assert_int_equal(lab_protected(lab, V6), 1);
	lab_run("ip route show proto 158 | grep -q '^blackhole " V4 "'");

	lab_run("ip link del zt0");
	lab_expect(lab, "10.20.1.1", NEXTHOP_BLACKHOLE);
	lab_expect(lab, "2001:db8:20::1", NEXTHOP_BLACKHOLE);
	assert_int_equal(lab_protected(lab, V4), 0);
	assert_int_equal(lab_protected(lab, V6), 0);
	lab_run("ip route get 10.20.1.1 2>&1 | grep -q 'Invalid argument'");

	/* Again: adopts the blackhole, does not double it. */
	tun_add(lab, "zt0", MIRROR_TUNNEL, 8);
	own(lab, V4, lab_ifindex("zt0"), 0);
	own(lab, V6, lab_ifindex("zt0"), 0);
	assert_int_equal(lab_expect(lab, "10.20.1.1", NEXTHOP_TUNNEL)->tunnel, 8);
	lab_run("test $(ip -4 route show proto 158 | wc -l) = 2");
	lab_run("test $(ip -6 route show proto 158 | wc -l) = 2");

	disown(lab, V4, 0);
	disown(lab, V4, -ENOENT);
	disown(lab, V6, 0);
	lab_expect(lab, "10.20.1.1", NEXTHOP_NONE);
	lab_expect(lab, "2001:db8:20::1", NEXTHOP_NONE);
	assert_int_equal(lab_protected(lab, V4), 0);
	assert_int_equal(lab_protected(lab, V6), 0);
	no_owned_route_left();
	lab_run("ip link del zt0");
}

/* Whoever runs `ip route` sends a prefix into a tunnel, and takes it out again. */
static void any_route_to_the_device_selects_the_tunnel(void **state)
{
	struct lab *lab = *state;

	tun_add(lab, "zt1", MIRROR_TUNNEL, 3);
	lab_run("ip route add 10.30.0.0/16 dev zt1; ip route add 10.30.1.0/24 via 192.0.2.2");
	assert_int_equal(lab_expect(lab, "10.30.2.1", NEXTHOP_TUNNEL)->tunnel, 3);
	assert_int_equal(lab_protected(lab, "10.30.0.0/16"), 1);
	assert_int_equal(lab_protected(lab, "10.30.1.0/24"), -1);
	lab_run("ip route add default dev zt1");
	assert_int_equal(lab_expect(lab, "203.0.113.5", NEXTHOP_TUNNEL)->tunnel, 3);
	assert_int_equal(lab_protected(lab, "0.0.0.0/0"), 1);
	lab_run("ip route del default");
	lab_expect(lab, "203.0.113.5", NEXTHOP_NONE);
	assert_int_equal(lab_protected(lab, "0.0.0.0/0"), 0);

	/* The device is a tunnel only while it is registered as one. */
	mirror_device_remove(lab->mirror, lab_ifindex("zt1"));
	lab_expect(lab, "10.30.2.1", NEXTHOP_KERNEL);
	assert_int_equal(lab_protected(lab, "10.30.0.0/16"), 0);
	lab_run("ip addr add 10.30.9.1/32 dev zt1");
	lab_expect(lab, "10.30.9.1", NEXTHOP_LOCAL);
	lab_run("ip link del zt1; ip route del 10.30.1.0/24");
	lab_expect(lab, "10.30.2.1", NEXTHOP_NONE);
}

static void policy_device_protects_without_a_tunnel(void **state)
{
	struct lab *lab = *state;
	struct ip_addr source = lab_addr("192.0.2.1");
	struct ip_prefix p = lab_prefix(V4);

	tun_add(lab, "zt2", MIRROR_POLICY, 0);
	assert_int_equal(mirror_own_route_add(lab->mirror, &p, lab_ifindex("zt2"), &source), 0);
	lab_expect(lab, "10.20.1.1", NEXTHOP_BLACKHOLE);
	assert_int_equal(lab_protected(lab, V4), 1);
	lab_run("ip route get 10.20.1.1 | grep -q 'dev zt2 src 192.0.2.1'");
	/* Without a device only the blackhole is left. */
	own(lab, V4, 0, 0);
	lab_run("ip route get 10.20.1.1 2>&1 | grep -q 'Invalid argument'");
	lab_follow(lab);
	lab_expect(lab, "10.20.1.1", NEXTHOP_BLACKHOLE);
	disown(lab, V4, 0);
	lab_expect(lab, "10.20.1.1", NEXTHOP_NONE);
	lab_run("ip link del zt2");
	no_owned_route_left();
}

/* What the process does that ends without a word: routes, then the device goes with it. */
static void leave_routes_behind(void **state)
{
	struct lab *lab = *state;

	tun_add(lab, "zt3", MIRROR_TUNNEL, 3);
	own(lab, V4, lab_ifindex("zt3"), 0);
	own(lab, V6, lab_ifindex("zt3"), 0);
	lab_run("ip link del zt3");
	_exit(0);
}

/* The next process finds its blackholes. */
static void leftovers_are_adopted_and_swept(void **state)
{
	struct lab *lab = *state;
	int status, pid = fork();

	/* Anew from its file: a forked child shares EAL's memory. */
	if (pid == 0) {
		execl("/proc/self/exe", "owned_route_test", "leave", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lab_run("ip route get 10.20.1.1 2>&1 | grep -q 'Invalid argument'");

	mirror_close(lab->mirror);
	lab_mirror_open(lab);
	lab_expect(lab, "10.20.1.1", NEXTHOP_BLACKHOLE);
	lab_expect(lab, "2001:db8:20::1", NEXTHOP_BLACKHOLE);
	assert_int_equal(lab_protected(lab, V4), -1);
	tun_add(lab, "zt4", MIRROR_TUNNEL, 4);
	own(lab, V4, lab_ifindex("zt4"), 0);
	assert_int_equal(lab_expect(lab, "10.20.1.1", NEXTHOP_TUNNEL)->tunnel, 4);
	lab_run("ip route add 10.40.0.0/16 dev zt4; ip route add blackhole 10.41.0.0/16");
	mirror_own_routes_sweep(lab->mirror);
	no_owned_route_left();
	/* The operator's own routes are not ours to remove. */
	lab_run("ip route show 10.40.0.0/16 | grep -q zt4; ip route show | grep -q 10.41.0.0/16");
	lab_expect(lab, "10.20.1.1", NEXTHOP_NONE);
	lab_expect(lab, "2001:db8:20::1", NEXTHOP_NONE);
	lab_run("ip link del zt4; ip route del blackhole 10.41.0.0/16");
	lab_follow(lab);
}

static void refuses_what_the_kernel_refuses(void **state)
{
	struct lab *lab = *state;
	struct ip_prefix p = lab_prefix(V4);
	struct ip_addr not_ours = lab_addr("192.0.2.200");

	tun_add(lab, "zt5", MIRROR_TUNNEL, 5);
	assert_int_equal(mirror_own_route_add(lab->mirror, &p, 999999, NULL), -ENODEV);
	assert_int_equal(mirror_own_route_add(lab->mirror, &p, lab_ifindex("zt5"), &not_ours),
			 -EINVAL);
	/* Failed closed: the blackhole came first. */
	lab_expect(lab, "10.20.1.1", NEXTHOP_BLACKHOLE);
	mirror_own_routes_sweep(lab->mirror);
	lab_expect(lab, "10.20.1.1", NEXTHOP_NONE);
	lab_run("ip link del zt5");
}

/* A port that only the configuration knows. */
static void static_ports(void **state)
{
	struct lab *lab = *state;
	const uint8_t mac[6] = {2, 1, 1, 1, 1, 1}, next[6] = {2, 1, 1, 1, 1, 2};
	struct ip_prefix address = {lab_addr("198.18.0.1"), 24},
			 route = lab_prefix("198.19.0.0/16");
	struct ip_prefix into = lab_prefix("10.50.0.0/16");
	struct ip_addr gateway = lab_addr("198.18.0.2"), on_link = {0}, a;
	struct fault fault = {0};

	assert_int_equal(mirror_static_route(lab->mirror, &route, 5, &gateway, TUNNEL_NONE, &fault),
			 -ENODEV);
	assert_int_equal(fault.err, ENODEV);
	assert_int_equal(mirror_static_port(lab->mirror, 5, mac, 9000), 0);
	assert_int_equal(mirror_static_address(lab->mirror, 5, &address), 0);
	assert_int_equal(lab_local(lab, "198.18.0.1"), 1);
	assert_true(mirror_source_address(lab->mirror, 5, 4, &a));
	assert_true(ip_addr_equal(&a, &address.addr));
	lab_expect(lab, "198.18.0.1", NEXTHOP_LOCAL);
	assert_int_equal(lab_expect(lab, "198.18.0.2", NEXTHOP_CONNECTED)->port, 5);
	assert_int_equal(mirror_static_route(lab->mirror, &route, 5, &gateway, TUNNEL_NONE, NULL),
			 0);
	assert_int_equal(mirror_static_route(lab->mirror, &into, PORT_NONE, &on_link, 77, NULL), 0);
	lab_expect(lab, "198.19.1.1", NEXTHOP_UNRESOLVED);
	assert_int_equal(mirror_static_neighbour(lab->mirror, 5, &gateway, next), 0);
	const struct nexthop *hop = lab_expect(lab, "198.19.1.1", NEXTHOP_ETHER);

	assert_int_equal(hop->mtu, 9000);
	assert_memory_equal(hop->eth, next, 6);
	assert_memory_equal(hop->eth + 6, mac, 6);
	lab_expect(lab, "198.18.0.2", NEXTHOP_ETHER);
	assert_int_equal(lab_expect(lab, "10.50.1.1", NEXTHOP_TUNNEL)->tunnel, 77);
	assert_int_equal(lab_protected(lab, "10.50.0.0/16"), 1);
	mirror_resolve(lab->mirror, 5, &gateway); /* nobody to ask */

	/* A kernel route to the same prefix wins. */
	lab_run("ip route add 198.19.0.0/16 dev lo metric 4000");
	lab_expect(lab, "198.19.1.1", NEXTHOP_KERNEL);
	lab_run("ip route del 198.19.0.0/16 dev lo metric 4000");
	lab_expect(lab, "198.19.1.1", NEXTHOP_ETHER);

	/* A static route into a tunnel that has a device goes with the device. */
	struct ip_prefix with = lab_prefix("10.51.0.0/16");

	tun_add(lab, "zt6", MIRROR_TUNNEL, 66);
	assert_int_equal(mirror_static_route(lab->mirror, &with, PORT_NONE, NULL, 66, NULL), 0);
	assert_int_equal(lab_expect(lab, "10.51.1.1", NEXTHOP_TUNNEL)->tunnel, 66);
	mirror_device_remove(lab->mirror, lab_ifindex("zt6"));
	lab_expect(lab, "10.51.1.1", NEXTHOP_NONE);
	assert_int_equal(lab_protected(lab, "10.51.0.0/16"), 0);
	lab_run("ip link del zt6");

	/* And it survives a full read of the kernel's state. */
	mirror_tick(lab->mirror);
	lab_expect(lab, "198.19.1.1", NEXTHOP_ETHER);
}

/* In the namespace of the test that started this process. */
static int leave_setup(void **state)
{
	static struct lab lab;
	const struct fib_limits limits = {256, 256};

	*state = &lab;
	if (eal_test_init() < 0 || rcu_init(1) != 0)
		return -1;
	lab.ifindex = lab_ifindex("zva");
	lab.fib = fib_create(&limits, NULL);
	if (lab.fib == NULL)
		return -1;
	lab_mirror_open(&lab);
	return 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	const struct CMUnitTest leave[] = {cmocka_unit_test(leave_routes_behind)};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blackholes_stand_behind_tunnels),
	    cmocka_unit_test(any_route_to_the_device_selects_the_tunnel),
	    cmocka_unit_test(policy_device_protects_without_a_tunnel),
	    cmocka_unit_test(leftovers_are_adopted_and_swept),
	    cmocka_unit_test(refuses_what_the_kernel_refuses),
	    cmocka_unit_test(static_ports),
	};

	if (argc > 1)
		return cmocka_run_group_tests(leave, leave_setup, NULL);
	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
