/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reflector on one port, for port_test.sh: sends every IPv4 UDP datagram that
 * the port receives back to where it came from, on the same queue, until SIGTERM.
 *
 *   port_live DEVICE QUEUES ROLE MTU BUFFER PREFIX MODE [EAL arguments]
 *
 * Prints "ready MODE TAKEN_OVER", then at the end one line a queue and the totals.
 * Exits with 2 and the fault where the port does not open.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "packet/packet.h"
#include "port/host.h"
#include "port/port.h"
#include "port/steer.h"

#define BURST 32

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* False: not ours to reflect. Swapped addresses and ports leave checksums as they are. */
static bool turn_around(struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	struct rte_ether_addr mac = eth->src_addr;

	if (m->data_len < sizeof(*eth) + sizeof(*ip) + sizeof(*udp) ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || ip->next_proto_id != IPPROTO_UDP)
		return false;
	eth->src_addr = eth->dst_addr;
	eth->dst_addr = mac;
	rte_be32_t addr = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = addr;
	rte_be16_t number = udp->src_port;
	udp->src_port = udp->dst_port;
	udp->dst_port = number;
	return true;
}

static unsigned int reflect(const struct port_queue *q, bool chains)
{
	struct rte_mbuf *m[BURST], *out[BURST];
	unsigned int n = rte_eth_rx_burst(q->ethdev, q->queue, m, BURST), kept = 0;

	for (unsigned int i = 0; i < n; i++) {
		if ((m[i]->nb_segs == 1 || chains) && turn_around(m[i]))
			out[kept++] = m[i];
		else
			rte_pktmbuf_free(m[i]);
	}
	unsigned int sent = rte_eth_tx_burst(q->ethdev, q->queue, out, (uint16_t)kept);
	if (sent < kept)
		rte_pktmbuf_free_bulk(out + sent, kept - sent);
	return n;
}

static bool nobody(void *arg, struct rte_mbuf *m)
{
	(void)arg;
	(void)m;
	return false;
}

static int fail(const char *what, const struct fault *fault)
{
	printf("fault %s: %s: %s\n", what, fault->where, fault->what);
	fflush(stdout);
	/* As the daemon: nothing is detached that keeps the door shut. */
	_exit(2);
}

static void run(const struct port *port)
{
	uint64_t received[PORT_QUEUES_MAX] = {0};
	struct port_counters c;

	printf("ready %s chains=%d mtu=%u up=%d\n", port->native ? "native" : "other", port->chains,
	       port->mtu, port->up);
	fflush(stdout);
	while (!stop) {
		unsigned int n = 0;

		for (uint16_t q = 0; q < port->queues; q++) {
			unsigned int got = reflect(&port->queue[q], port->chains);

			received[q] += got;
			n += got;
		}
		if (n == 0)
			usleep(50);
	}
	for (uint16_t q = 0; q < port->queues; q++)
		printf("queue %u received %" PRIu64 "\n", q, received[q]);
	port_counters(port, &c);
	printf("rx %" PRIu64 " missed %" PRIu64 " tx %" PRIu64 " errors %" PRIu64 "\n",
	       c.rx_packets, c.rx_missed, c.tx_packets, c.tx_errors);
}

int main(int argc, char **argv)
{
	static struct port port;
	struct port_config config = {.name = "live", .sleep = true};
	struct fault fault = {0};
	struct ip_prefix prefix;
	char *eal[64] = {argv[0]};
	int n = 1;

	if (argc < 8 || argc > 60)
		return 64;
	for (int i = 8; i < argc; i++)
		eal[n++] = argv[i];
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (rte_eal_init(n, eal) < 0)
		return 1;

	config.device = argv[1];
	config.xdp_mode = argv[7];
	config.queues = (uint16_t)atoi(argv[2]);
	config.role = (enum port_role)atoi(argv[3]);
	config.mtu = (uint16_t)atoi(argv[4]);
	config.mirror = !port_is_netdev(config.device);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
	    "live", 16383, 256, sizeof(struct packet_carry),
	    (uint16_t)(atoi(argv[5]) + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	const struct host_config host_config = {.pool = pool, .deliver = nobody, .ring_size = 1024};
	if (pool == NULL)
		return 1;
	struct host *host = host_start(&host_config, &fault);
	if (host == NULL)
		return fail("host", &fault);
	struct steer *steer = port_is_netdev(config.device) ? steer_open(&fault) : NULL;
	if (steer == NULL && port_is_netdev(config.device))
		return fail("steer", &fault);
	if (port_open(&port, &config, pool, steer, host, &fault) != 0)
		return fail("port", &fault);
	if (steer != NULL &&
	    (ip_prefix_parse(argv[6], &prefix) != 0 || steer_prefix_set(steer, &prefix, true) != 0))
		return 1;
	run(&port);
	port_close(&port, steer, host);
	steer_close(steer);
	host_stop(host);
	rte_eal_cleanup();
	return 0;
}
