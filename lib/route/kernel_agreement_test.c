/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>

#include "route/lab_test.h"
#include "route/netlink.h"

/*
 * Random changes of routes, made by `ip`; after each batch of them the fib must
 * decide as the kernel itself does, which is asked with RTM_GETROUTE. Three
 * devices: the port zva, a tunnel ztun and a device that is not ours, zoth.
 */
#define TUNNEL 9

struct answer {
	int err; /* of an unreachable destination */
	uint8_t type;
	uint32_t oif;
	struct ip_addr gateway;
};

static uint64_t random_state = 88172645463325252ull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 11) % below;
}

static int on_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(h);
	const struct nlattr *tb[RTA_MAX + 1];
	struct answer *a = arg;

	assert_true(netlink_attributes(h, sizeof(*rtm), tb, RTA_MAX));
	a->type = rtm->rtm_type;
	netlink_u32(tb[RTA_OIF], &a->oif);
	netlink_address(tb[RTA_GATEWAY], netlink_family(rtm->rtm_family), &a->gateway);
	return MNL_CB_STOP;
}

static struct answer ask_kernel(struct mnl_socket *s, const struct ip_addr *dst)
{
	char buffer[8192];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(h, sizeof(*rtm));
	struct answer a = {0};

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	rtm->rtm_family = netlink_af(dst->family);
	rtm->rtm_dst_len = ip_bits(dst->family);
	mnl_attr_put(h, RTA_DST, ip_size(dst->family), dst->bytes);
	assert_true(mnl_socket_sendto(s, h, h->nlmsg_len) > 0);
	ssize_t n = mnl_socket_recvfrom(s, buffer, sizeof(buffer));

	assert_true(n > 0);
	if (mnl_cb_run(buffer, (size_t)n, 0, 0, on_route, &a) < 0)
		a.err = errno;
	return a;
}

struct agreement {
	struct lab *lab;
	struct mnl_socket *kernel;
	uint32_t tunnel, other; /* ifindex */
	unsigned int types[NEXTHOP_KERNEL + 1];
};

static bool agrees(const struct agreement *g, const struct answer *k, const struct nexthop *hop,
		   const struct ip_addr *dst)
{
	switch (hop->type) {
	case NEXTHOP_NONE:
		return k->err == ENETUNREACH;
	case NEXTHOP_BLACKHOLE:
		return k->err == EINVAL || k->err == EACCES || k->err == EHOSTUNREACH;
	case NEXTHOP_LOCAL:
		return k->err == 0 &&
		       (k->type == RTN_LOCAL || k->type == RTN_BROADCAST || k->type == RTN_ANYCAST);
	case NEXTHOP_TUNNEL:
		return k->err == 0 && k->oif == g->tunnel && hop->tunnel == TUNNEL;
	case NEXTHOP_KERNEL:
		return k->err == 0 && k->oif == g->other;
	case NEXTHOP_CONNECTED:
		return k->err == 0 && k->oif == (uint32_t)g->lab->ifindex && k->gateway.family == 0;
	case NEXTHOP_ETHER:
	case NEXTHOP_UNRESOLVED:
		if (k->err != 0 || k->oif != (uint32_t)g->lab->ifindex)
			return false;
		/* Appended IPv6 routes make one multipath route: the kernel takes any gateway. */
		if (dst->family == 6 && k->gateway.family != 0)
			return !ip_addr_equal(&hop->gateway, dst);
		return ip_addr_equal(&hop->gateway, k->gateway.family != 0 ? &k->gateway : dst);
	}
	return false;
}

static struct ip_addr random_addr(uint8_t family)
{
	static const uint8_t last[] = {1, 2, 9, 64, 130, 255};
	struct ip_addr a = {4, {10, 77, (uint8_t)rnd(4), last[rnd(sizeof(last))]}};

	if (family == 6)
		a = (struct ip_addr){6,
				     {0x20, 1, 0xd, 0xb8, 0x77, (uint8_t)rnd(3), 0,
				      (uint8_t)rnd(4), [15] = last[rnd(sizeof(last))]}};
	return a;
}

static void random_command(FILE *out)
{
	uint8_t family = rnd(2) ? 4 : 6;
	static const uint8_t lens4[] = {0, 8, 16, 22, 24, 25, 32},
			     lens6[] = {0, 32, 48, 63, 64, 128};
	static const char *verbs[] = {"add",    "add", "add", "replace",
				      "append", "del", "del", "del"};
	uint8_t len = family == 4 ? lens4[rnd(sizeof(lens4))] : lens6[rnd(sizeof(lens6))];
	struct ip_prefix p = {random_addr(family), len};
	const char *verb = verbs[rnd(8)];
	char text[IP_TEXT_MAX];

	for (unsigned int bit = len; bit < ip_bits(family); bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	fprintf(out, "route %s ", verb);
	uint32_t metric = 10 + 10 * rnd(2);
	const char *prefix =
	    len == 0 ? family == 4 ? "0.0.0.0/0" : "::/0" : ip_prefix_text(&p, text);

	/* A deletion without a way takes whatever the kernel finds first. */
	if (strcmp(verb, "del") == 0 && rnd(2))
		fprintf(out, "%s metric %u\n", prefix, metric);
	else if (rnd(6) == 0)
		fprintf(out, "%s %s metric %u\n", rnd(2) ? "blackhole" : "unreachable", prefix,
			metric);
	else if (rnd(3) == 0)
		fprintf(out, "%s via %s metric %u\n", prefix,
			family == 4 ? rnd(2) ? "192.0.2.2" : "192.0.2.3"
			: rnd(2)    ? "2001:db8:1::2"
				    : "2001:db8:1::3",
			metric);
	else
		fprintf(out, "%s dev %s metric %u\n", prefix,
			(const char *[]){"zva", "ztun", "zoth"}[rnd(3)], metric);
}

static void compare(struct agreement *g)
{
	char text[IP_TEXT_MAX];

	for (unsigned int i = 0; i < 120; i++) {
		struct ip_addr dst = random_addr(i & 1 ? 4 : 6);
		struct answer k = ask_kernel(g->kernel, &dst);
		const struct nexthop *hop = fib_lookup(g->lab->fib, dst.family, dst.bytes);

		g->types[hop->type]++;
		if (!agrees(g, &k, hop, &dst)) {
			lab_run("ip -4 route; ip -6 route");
			fail_msg(
			    "%s: the fib says type %d, the kernel error %d, type %d, device %u",
			    ip_addr_text(&dst, text), hop->type, k.err, k.type, k.oif);
		}
	}
}

static void decides_as_the_kernel_does(void **state)
{
	struct agreement g = {.lab = *state};

	lab_run(
	    "ip tuntap add ztun mode tun; ip tuntap add zoth mode tun; "
	    "ip link set ztun up; ip link set zoth up; "
	    "ip addr add 10.77.1.1/24 dev zoth; ip addr add 2001:db8:7701::1/64 dev zoth nodad");
	g.tunnel = (uint32_t)lab_ifindex("ztun");
	g.other = (uint32_t)lab_ifindex("zoth");
	g.kernel = mnl_socket_open(NETLINK_ROUTE);
	assert_non_null(g.kernel);
	assert_int_equal(mnl_socket_bind(g.kernel, 0, MNL_SOCKET_AUTOPID), 0);
	assert_int_equal(
	    mirror_device_add(g.lab->mirror, (int)g.tunnel, MIRROR_TUNNEL, TUNNEL, NULL, 0), 0);
	for (unsigned int round = 0; round < 60; round++) {
		/* Many of them fail (there already, not there): all the better. */
		FILE *ip = popen("ip -force -batch - >/dev/null 2>&1", "w");

		assert_non_null(ip);
		for (unsigned int i = 0; i < 12; i++)
			random_command(ip);
		if (rnd(8) == 0)
			fprintf(ip, "link set zoth down\nlink set zoth up\n"
				    "addr replace 2001:db8:7701::1/64 dev zoth nodad\n");
		pclose(ip);
		lab_follow(g.lab);
		compare(&g);
	}
	/* The comparison has seen every kind. */
	for (int type = NEXTHOP_BLACKHOLE; type <= NEXTHOP_KERNEL; type++)
		if (type != NEXTHOP_ETHER && type != NEXTHOP_UNRESOLVED)
			assert_int_not_equal(g.types[type], 0);
	assert_int_not_equal(g.types[NEXTHOP_ETHER] + g.types[NEXTHOP_UNRESOLVED], 0);
	mnl_socket_close(g.kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decides_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
