/* SPDX-License-Identifier: BSD-3-Clause */
/* The host thread against the real kernel, in a network namespace of its own. Needs root. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_mempool.h>

#include "packet/packet.h"
#include "port/host.h"

#define ROOM 1024 /* small buffers, so that chains are needed early */
#define RING 256

static struct rte_mempool *pool;
static struct host *host;
static struct rte_mbuf *_Atomic got; /* the last packet delivered */
static atomic_bool accept_packets;

static bool deliver(void *arg, struct rte_mbuf *m)
{
	(void)arg;
	if (!atomic_load(&accept_packets))
		return false;
	rte_pktmbuf_free(atomic_exchange(&got, m));
	return true;
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static struct rte_mbuf *wait_for_packet(void)
{
	for (int i = 0; i < 2000; i++) {
		struct rte_mbuf *m = atomic_exchange(&got, NULL);

		if (m != NULL)
			return m;
		usleep(1000);
	}
	return NULL;
}

/* Wait until the counter at `offset` of struct host_counters has grown by `n`. */
static void wait_for_count(const struct host_counters *before, size_t offset, uint64_t n)
{
	uint64_t was = *(const uint64_t *)((const char *)before + offset), is = 0;

	for (int i = 0; i < 3000; i++) {
		struct host_counters now;

		host_counters(host, &now);
		is = *(uint64_t *)((char *)&now + offset);
		if (is - was >= n)
			break;
		usleep(1000);
	}
	assert_int_equal(is - was, n);
}
#define wait_for(before, counter, n) \
	wait_for_count(&(before), offsetof(struct host_counters, counter), n)

static int bound(uint16_t port)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct timeval patience = {2, 0};
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return s;
}

static void send_to(const char *address, const void *data, size_t len)
{
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9)};
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, address, &there.sin_addr);
	assert_int_equal(sendto(s, data, len, 0, (struct sockaddr *)&there, sizeof(there)), len);
	close(s);
}

/* A UDP datagram as a chain of buffers of at most `step` bytes each. */
static struct rte_mbuf *datagram(const char *src, const char *dst, uint16_t port, uint16_t len,
				 uint16_t step)
{
	uint8_t bytes[9000] = {0};
	struct iphdr *ip = (struct iphdr *)bytes;
	struct udphdr *udp = (struct udphdr *)(ip + 1);
	uint16_t total = (uint16_t)(sizeof(*ip) + sizeof(*udp) + len);
	struct rte_mbuf *head = NULL;

	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons(total);
	inet_pton(AF_INET, src, &ip->saddr);
	inet_pton(AF_INET, dst, &ip->daddr);
	ip->check = rte_ipv4_cksum((struct rte_ipv4_hdr *)ip);
	udp->source = htons(7);
	udp->dest = htons(port);
	udp->len = htons((uint16_t)(sizeof(*udp) + len));
	for (uint16_t i = 0; i < len; i++)
		bytes[total - len + i] = (uint8_t)(i * 7);
	for (uint16_t at = 0; at < total; at += step) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		uint16_t part = RTE_MIN(step, (uint16_t)(total - at));

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, part), bytes + at, part);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

static uint16_t tun(const char *name, uint32_t tunnel)
{
	struct fault fault = {0};
	uint16_t id;
	int ifindex;

	if (host_tun_add(host, name, 8500, tunnel, &id, &ifindex, &fault) != 0)
		fail_msg("%s", fault.what);
	assert_int_equal(ifindex, if_nametoindex(name));
	return id;
}

static void kernel_sends_into_a_tunnel(void **state)
{
	uint8_t data[8000];
	static const size_t sizes[] = {1, 900, 1000, 4000, 8000};

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13);
	uint16_t id = tun("tn-one", 42);
	shell("ip addr add 10.40.0.1/32 dev tn-one && ip route add 10.41.0.0/16 dev tn-one");
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		uint8_t copy[8100];
		const char *reason;

		send_to("10.41.0.9", data, sizes[i]);
		struct rte_mbuf *m = wait_for_packet();
		assert_non_null(m);
		const struct packet_carry *carry = packet_carry(m);
		assert_int_equal(carry->kind, CARRY_FROM_KERNEL);
		assert_int_equal(carry->device, id);
		assert_int_equal(carry->tunnel, 42);
		assert_int_equal(carry->port, PORT_NONE);
		assert_int_equal(rte_mbuf_check(m, 1, &reason), 0);
		assert_int_equal(m->pkt_len, sizes[i] + 28);
		assert_true(m->nb_segs > 1 || sizes[i] < ROOM);
		const uint8_t *bytes = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
		assert_int_equal(bytes[0], 0x45);
		assert_memory_equal(bytes + 28, data, sizes[i]);
		rte_pktmbuf_free(m);
	}
	host_device_remove(host, id);
	assert_int_equal(if_nametoindex("tn-one"), 0);
}

static void kernel_receives_from_a_tunnel(void **state)
{
	static const uint16_t shapes[][2] = {{10, 1000}, {900, 1000}, {8000, 1000}, {8000, 900}};
	uint8_t data[9000];

	(void)state;
	uint16_t id = tun("tn-two", 1);
	shell("ip addr add 10.40.0.1/32 dev tn-two && ip route add 10.41.0.0/16 dev tn-two");
	int s = bound(6000);
	for (size_t i = 0; i < RTE_DIM(shapes); i++) {
		struct rte_mbuf *m =
		    datagram("10.41.0.9", "10.40.0.1", 6000, shapes[i][0], shapes[i][1]);

		assert_int_equal(host_to_kernel(host, id, &m, 1), 1);
		assert_int_equal(recv(s, data, sizeof(data), 0), shapes[i][0]);
		for (int at = 0; at < shapes[i][0]; at++)
			assert_int_equal(data[at], (uint8_t)(at * 7));
	}
	/* Nobody routes back to this source over this device: rp_filter would drop it. */
	struct rte_mbuf *m = datagram("10.55.0.9", "10.40.0.1", 6000, 4, 1000);
	assert_int_equal(host_to_kernel(host, id, &m, 1), 1);
	assert_int_equal(recv(s, data, sizeof(data), 0), 4);
	close(s);
	host_device_remove(host, id);
}

static void a_tunnel_device_is_silent(void **state)
{
	struct host_counters before, after;

	(void)state;
	host_counters(host, &before);
	uint16_t id = tun("tn-quiet", 1);
	usleep(1500000);
	host_counters(host, &after);
	assert_int_equal(after.from_kernel, before.from_kernel);
	shell("test -z \"$(ip -6 addr show dev tn-quiet)\"");
	host_device_remove(host, id);
}

static void a_tap_carries_frames(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x77};
	struct fault fault = {0};
	uint16_t id;
	int ifindex;

	(void)state;
	assert_int_equal(host_tap_add(host, "tn-tap", mac, 1500, 5, &id, &ifindex, &fault), 0);
	shell("ip link show tn-tap | grep -q 02:00:00:00:00:77");
	shell("sysctl -qw net.ipv6.conf.tn-tap.disable_ipv6=1");
	usleep(20000);
	rte_pktmbuf_free(atomic_exchange(&got, NULL));
	shell("ip addr add 10.42.0.1/24 dev tn-tap");
	shell("ip neigh add 10.42.0.2 lladdr 02:00:00:00:00:88 dev tn-tap");
	send_to("10.42.0.2", "frame", 5);
	struct rte_mbuf *m = wait_for_packet();
	assert_non_null(m);
	assert_int_equal(packet_carry(m)->port, 5);
	assert_int_equal(packet_carry(m)->tunnel, TUNNEL_NONE);
	assert_int_equal(m->pkt_len, 14 + 28 + 5);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), "\2\0\0\0\0\x88\2\0\0\0\0\x77\x08\0", 14);
	rte_pktmbuf_free(m);
	host_device_remove(host, id);
}

static void refusals_are_counted(void **state)
{
	struct host_counters before, after;
	struct rte_mbuf *m[2];

	(void)state;
	uint16_t gone = tun("tn-gone", 1);
	host_device_remove(host, gone);
	uint16_t down = tun("tn-down", 1);
	assert_int_not_equal(down, gone);
	shell("ip link set tn-down down");
	host_counters(host, &before);
	m[0] = datagram("10.41.0.9", "10.40.0.1", 6000, 10, 1000);
	m[1] = datagram("10.41.0.9", "10.40.0.1", 6000, 10, 1000);
	assert_int_equal(host_to_kernel(host, gone, &m[0], 1), 1);
	assert_int_equal(host_to_kernel(host, down, &m[1], 1), 1);
	wait_for(before, refused, 2);
	host_counters(host, &after);
	assert_int_equal(after.to_kernel, before.to_kernel);

	atomic_store(&accept_packets, false);
	shell("ip link set tn-down up && ip addr add 10.40.0.1/32 dev tn-down && "
	      "ip route add 10.41.0.0/16 dev tn-down");
	send_to("10.41.0.9", "x", 1);
	wait_for(before, undelivered, 1);
	atomic_store(&accept_packets, true);
	host_device_remove(host, down);
}

static void somebody_else_removes_the_device(void **state)
{
	struct host_counters before;
	uint16_t id = tun("tn-robbed", 1), other = tun("tn-other", 2);

	(void)state;
	host_counters(host, &before);
	shell("ip link del tn-robbed");
	struct rte_mbuf *m = datagram("10.41.0.9", "10.40.0.1", 6000, 10, 1000);
	assert_int_equal(host_to_kernel(host, id, &m, 1), 1);
	wait_for(before, refused, 1);
	assert_int_equal(host_device_mtu(host, id, 1300), -ENODEV);

	shell("ip route add 10.41.0.0/16 dev tn-other && ip addr add 10.40.0.1/32 dev tn-other");
	send_to("10.41.0.9", "x", 1);
	m = wait_for_packet();
	assert_non_null(m);
	assert_int_equal(packet_carry(m)->tunnel, 2);
	rte_pktmbuf_free(m);
	host_device_remove(host, other);
	host_device_remove(host, id);
}

static void no_buffer_is_counted(void **state)
{
	unsigned int n = rte_mempool_avail_count(pool);
	struct rte_mbuf **all = calloc(n, sizeof(*all));
	struct host_counters before;
	unsigned int held = 0;

	(void)state;
	uint16_t id = tun("tn-full", 1);
	shell("ip addr add 10.40.0.1/32 dev tn-full && ip route add 10.41.0.0/16 dev tn-full");
	while (held < n && (all[held] = rte_pktmbuf_alloc(pool)) != NULL)
		held++;
	/* One buffer may have been put aside for reading before. */
	send_to("10.41.0.9", "x", 1);
	usleep(100000);
	host_counters(host, &before);
	for (int i = 0; i < 3; i++)
		send_to("10.41.0.9", "x", 1);
	wait_for(before, no_buffer, 3);
	rte_pktmbuf_free_bulk(all, held);
	free(all);
	rte_pktmbuf_free(atomic_exchange(&got, NULL));
	send_to("10.41.0.9", "x", 1);
	assert_non_null(wait_for_packet());
	host_device_remove(host, id);
}

static void removal_while_packets_are_queued(void **state)
{
	struct host_counters before, after;
	uint64_t queued = 0;

	(void)state;
	host_counters(host, &before);
	for (int round = 0; round < 20; round++) {
		struct rte_mbuf *m[64];
		uint16_t id = tun("tn-race", 1);

		for (int i = 0; i < 64; i++)
			m[i] = datagram("10.41.0.9", "10.40.0.1", 6000, 10, 1000);
		unsigned int taken = host_to_kernel(host, id, m, 64);
		host_device_remove(host, id);
		rte_pktmbuf_free_bulk(m + taken, 64 - taken);
		queued += taken;
	}
	for (int i = 0; i < 3000; i++) {
		host_counters(host, &after);
		if (after.refused + after.to_kernel == before.refused + before.to_kernel + queued)
			return;
		usleep(1000);
	}
	fail_msg("packets were lost without being counted");
}

static void a_full_ring_takes_what_fits(void **state)
{
	struct rte_mbuf *m[RING * 2];
	struct fault fault = {0};
	const struct host_config config = {.pool = pool, .deliver = deliver, .ring_size = RING};
	struct host *other = host_start(&config, &fault);
	unsigned int taken;

	(void)state;
	assert_non_null(other);
	for (unsigned int i = 0; i < RTE_DIM(m); i++)
		m[i] = datagram("10.41.0.9", "10.40.0.1", 6000, 10, 1000);
	taken = host_to_kernel(other, 7, m, RTE_DIM(m));
	assert_in_range(taken, 1, RING - 1);
	rte_pktmbuf_free_bulk(m + taken, RTE_DIM(m) - taken);
	host_stop(other);
}

static void faults_name_the_device(void **state)
{
	struct fault fault = {0};
	uint16_t id = tun("tn-here", 1), other;
	int ifindex;

	(void)state;
	assert_int_equal(host_tun_add(host, "tn-here", 1400, 1, &other, &ifindex, &fault), -EEXIST);
	assert_non_null(strstr(fault.what, "tn-here"));
	assert_int_equal(host_tun_add(host, "lo", 1400, 1, &other, &ifindex, &fault), -EEXIST);
	assert_int_equal(host_tun_add(host, "a name too long", 1400, 1, &other, &ifindex, &fault),
			 -EINVAL);
	assert_int_equal(host_tun_add(host, "sixteen-letters-", 1400, 1, &other, &ifindex, &fault),
			 -EINVAL);
	assert_int_equal(host_tun_add(host, "", 1400, 1, &other, &ifindex, &fault), -EINVAL);
	assert_int_equal(host_tun_add(host, "tn-%d", 1400, 1, &other, &ifindex, &fault), -EINVAL);
	assert_int_equal(host_tun_add(host, "tn-small", 10, 1, &other, &ifindex, &fault), -EINVAL);
	assert_string_equal(fault.where, "mtu");
	assert_int_equal(if_nametoindex("tn-small"), 0);
	assert_int_equal(host_device_mtu(host, id, 1300), 0);
	shell("ip link show tn-here | grep -q 'mtu 1300'");
	assert_int_equal(host_device_mtu(host, HOST_NONE, 1300), -ENODEV);
	host_device_remove(host, HOST_NONE);
	host_device_remove(host, id);
	host_device_remove(host, id);
}

static int start(void **state)
{
	struct fault fault = {0};
	const struct host_config config = {.deliver = deliver, .ring_size = RING};
	struct host_config with_pool = config;

	(void)state;
	if (unshare(CLONE_NEWNET) != 0 || system("ip link set lo up") != 0)
		return -1;
	pool = rte_pktmbuf_pool_create("host_test", 2047, 0, sizeof(struct packet_carry),
				       ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (pool == NULL)
		return -1;
	with_pool.pool = pool;
	atomic_store(&accept_packets, true);
	host = host_start(&with_pool, &fault);
	return host != NULL ? 0 : -1;
}

/* Every buffer is back. */
static int finish(void **state)
{
	(void)state;
	host_stop(host);
	rte_pktmbuf_free(atomic_exchange(&got, NULL));
	return rte_mempool_avail_count(pool) >= 2046 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kernel_sends_into_a_tunnel),
	    cmocka_unit_test(kernel_receives_from_a_tunnel),
	    cmocka_unit_test(a_tunnel_device_is_silent),
	    cmocka_unit_test(a_tap_carries_frames),
	    cmocka_unit_test(refusals_are_counted),
	    cmocka_unit_test(somebody_else_removes_the_device),
	    cmocka_unit_test(no_buffer_is_counted),
	    cmocka_unit_test(removal_while_packets_are_queued),
	    cmocka_unit_test(a_full_ring_takes_what_fits),
	    cmocka_unit_test(faults_name_the_device),
	};
	char *eal[] = {argv[0],          "--no-huge", "--no-shconf",  "--no-pci",
		       "--no-telemetry", "-m64",      "--log-level=4"};

	(void)argc;
	if (geteuid() != 0)
		return 77;
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, start, finish);
	rte_eal_cleanup();
	return failed;
}
