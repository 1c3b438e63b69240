/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports without privileges: device names, a memif pair, refusals. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "packet/packet.h"
#include "port/host.h"
#include "port/port.h"

#define ROOM 2048
#define BUFFERS 8191

static struct rte_mempool *pool;
static char server_args[128], client_args[128];

static void device_names(void **state)
{
	static const struct {
		const char *device;
		bool netdev;
	} rows[] = {
	    {"lo", true},
	    {"eth0", true},
	    {"wan-7.100", true},
	    {"0000:03:00.1", false},
	    {"03:00.1", false},
	    {"0000:03:00.1,rxq=1", false},
	    {"net_memif0,role=server", false},
	    {"net_null0", false},
	    {"net_pcap0,iface=eth0", false},
	    {"a-name-longer-than-15", false},
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(rows); i++)
		if (port_is_netdev(rows[i].device) != rows[i].netdev)
			fail_msg("%s", rows[i].device);
}

static int open_port(struct port *port, const char *name, const char *device, uint16_t queues,
		     uint16_t mtu, struct fault *fault)
{
	const struct port_config config = {.name = name,
					   .device = device,
					   .role = PORT_BOTH,
					   .queues = queues,
					   .mtu = mtu,
					   .xdp_mode = "auto"};

	memset(fault, 0, sizeof(*fault));
	return port_open(port, &config, pool, NULL, NULL, fault);
}

static void wait_for_link(struct port *a, struct port *b)
{
	for (int i = 0; i < 3000 && !(a->up && b->up); i++) {
		usleep(1000);
		port_link_update(a);
		port_link_update(b);
	}
	assert_true(a->up);
	assert_true(b->up);
}

static struct rte_mbuf *frame(uint16_t len, uint16_t step)
{
	struct rte_mbuf *head = NULL;

	for (uint16_t at = 0; at < len; at += step) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		uint16_t part = RTE_MIN(step, (uint16_t)(len - at));

		assert_non_null(m);
		uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(m, part);
		for (uint16_t i = 0; i < part; i++)
			bytes[i] = (uint8_t)((at + i) * 7);
		if (head == NULL)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

static struct rte_mbuf *receive(const struct port_queue *q)
{
	struct rte_mbuf *m;

	for (int i = 0; i < 1000; i++) {
		if (rte_eth_rx_burst(q->ethdev, q->queue, &m, 1) == 1)
			return m;
		usleep(1000);
	}
	return NULL;
}

static void memif_carries_chains(void **state)
{
	static const uint16_t shapes[][2] = {{60, 2000}, {1514, 2000}, {9014, 2000}, {9014, 500}};
	static struct port server, client;
	struct port_counters c;
	struct fault fault;

	(void)state;
	assert_int_equal(open_port(&server, "srv", server_args, 2, 9000, &fault), 0);
	assert_int_equal(open_port(&client, "cli", client_args, 2, 9000, &fault), 0);
	assert_false(server.af_xdp);
	assert_true(server.chains);
	assert_int_equal(server.mtu, 9000);
	assert_int_equal(server.device, HOST_NONE);
	assert_int_equal(server.ifindex, 0);
	wait_for_link(&server, &client);
	for (uint16_t q = 0; q < 2; q++) {
		for (size_t i = 0; i < RTE_DIM(shapes); i++) {
			struct rte_mbuf *m = frame(shapes[i][0], shapes[i][1]);
			uint8_t copy[9100];

			assert_int_equal(
			    rte_eth_tx_burst(client.queue[q].ethdev, client.queue[q].queue, &m, 1),
			    1);
			m = receive(&server.queue[q]);
			assert_non_null(m);
			assert_int_equal(m->pkt_len, shapes[i][0]);
			const uint8_t *bytes = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
			for (int at = 0; at < shapes[i][0]; at++)
				assert_int_equal(bytes[at], (uint8_t)(at * 7));
			rte_pktmbuf_free(m);
		}
	}
	port_counters(&server, &c);
	assert_int_equal(c.rx_packets, 2 * RTE_DIM(shapes));
	port_counters(&client, &c);
	assert_int_equal(c.tx_packets, 2 * RTE_DIM(shapes));

	struct port again = {0};
	assert_int_equal(open_port(&again, "more", client_args, 1, 0, &fault), -EBUSY);
	assert_non_null(strstr(fault.what, "net_memif1"));
	assert_int_equal(rte_eth_dev_count_avail(), 2);

	port_close(&client, NULL, NULL);
	for (int i = 0; i < 3000 && server.up; i++) {
		usleep(1000);
		port_link_update(&server);
	}
	assert_false(server.up);
	port_close(&server, NULL, NULL);
	assert_int_equal(rte_eth_dev_count_avail(), 0);
	assert_int_equal(rte_mempool_avail_count(pool), BUFFERS);
}

static void closed_ports_open_again(void **state)
{
	struct fault fault;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct port port = {.index = 9};

		assert_int_equal(open_port(&port, "null", "net_null0", 1, 0, &fault), 0);
		assert_int_equal(port.index, 9);
		assert_int_equal(port.mtu, 1500);
		port_close(&port, NULL, NULL);
	}
}

static void refusals(void **state)
{
	static const struct {
		const char *name, *device, *where, *says;
		uint16_t queues, mtu;
		int err;
	} rows[] = {
	    {"none", "net_null0", "queues", "0 is outside 1 to 16", 0, 0, -EINVAL},
	    {"many", "net_null0", "queues", "17 is outside 1 to 16", 17, 0, -EINVAL},
	    {"sixteen-letters-", "net_null0", "name", "sixteen", 1, 0, -EINVAL},
	    {"", "net_null0", "name", "1 to 15", 1, 0, -EINVAL},
	    {"bad", "net_nosuch0,a=1", "device", "net_nosuch0,a=1", 1, 0, 0},
	    {"pci", "0000:fe:1f.7", "device", "vfio-pci", 1, 0, 0},
	    {"dev", "no-such-device", "device", "no-such-device", 1, 0, -ENODEV},
	    {"pcap", "net_pcap0,rx_pcap=/nonexistent", "device", "/nonexistent", 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct port port = {0};
		struct fault fault;
		int err = open_port(&port, rows[i].name, rows[i].device, rows[i].queues,
				    rows[i].mtu, &fault);

		if (err >= 0 || (rows[i].err != 0 && err != rows[i].err) ||
		    strcmp(fault.where, rows[i].where) != 0 ||
		    strstr(fault.what, rows[i].says) == NULL || fault.err != -err)
			fail_msg("%s: %d, %s: %s", rows[i].device, err, fault.where, fault.what);
		assert_int_equal(rte_eth_dev_count_avail(), 0);
	}
}

static int start(void **state)
{
	(void)state;
	snprintf(server_args, sizeof(server_args),
		 "net_memif0,role=server,id=1,socket=port_test_%d,socket-abstract=yes", getpid());
	snprintf(client_args, sizeof(client_args),
		 "net_memif1,role=client,id=1,socket=port_test_%d,socket-abstract=yes", getpid());
	pool = rte_pktmbuf_pool_create("port_test", BUFFERS, 0, sizeof(struct packet_carry),
				       ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	return pool != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(device_names),
	    cmocka_unit_test(memif_carries_chains),
	    cmocka_unit_test(closed_ports_open_again),
	    cmocka_unit_test(refusals),
	};
	char *eal[] = {argv[0],          "--no-huge", "--no-shconf",   "--no-pci",
		       "--no-telemetry", "-m128",     "--log-level=4", "--log-level=*:4"};

	(void)argc;
	if (rte_eal_init(RTE_DIM(eal), eal) < 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, start, NULL);
	rte_eal_cleanup();
	return failed;
}
