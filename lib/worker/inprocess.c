/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/inprocess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ether.h>

#include "rcu/rcu.h"

static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 0x10}, {2, 0, 0, 0, 0, 0x20}};

/* Enough huge pages free for `memory_mb`? */
static bool huge_pages_free(unsigned int memory_mb)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned int pages = 0;

	if (f == NULL)
		return false;
	if (fscanf(f, "%u", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages >= memory_mb / 2;
}

int inprocess_eal(unsigned int memory_mb)
{
	char memory[16], prefix[32];
	char *huge[] = {
	    "inprocess", "--in-memory", "--no-pci", "--no-telemetry", "--log-level=error",
	    "-l",        "0",           "-m",       memory,           NULL};
	char *plain[] = {"inprocess",
			 "--no-huge",
			 "--no-shconf",
			 "--no-pci",
			 "--no-telemetry",
			 "--log-level=error",
			 "--file-prefix",
			 prefix,
			 "-l",
			 "0",
			 "-m",
			 memory,
			 NULL};

	snprintf(memory, sizeof(memory), "%u", memory_mb);
	snprintf(prefix, sizeof(prefix), "inprocess%d", (int)getpid());
	int rc = huge_pages_free(memory_mb) ? rte_eal_init(RTE_DIM(huge) - 1, huge)
					    : rte_eal_init(RTE_DIM(plain) - 1, plain);
	return rc < 0 || rcu_init(WORKERS_MAX) != 0 ? -1 : 0;
}

struct rte_mempool *inprocess_pool(unsigned int buffers, uint16_t data_room)
{
	return rte_pktmbuf_pool_create("inprocess", buffers, 256, sizeof(struct packet_carry),
				       data_room, SOCKET_ID_ANY);
}

struct ip_addr inprocess_outer(unsigned int side, uint8_t family)
{
	struct ip_addr a;

	ip_addr_parse(family == 4 ? (side == 0 ? "192.0.2.1" : "192.0.2.2")
				  : (side == 0 ? "2001:db8::1" : "2001:db8::2"),
		      &a);
	return a;
}

const uint8_t *inprocess_mac(unsigned int port)
{
	return macs[port];
}

static void must(bool ok, const char *what, const struct fault *fault)
{
	if (ok)
		return;
	fprintf(stderr, "in-process gateway: %s: %s\n", what, fault->what);
	abort();
}

void inprocess_route(struct inprocess *ip, const char *prefix, const struct nexthop *hop)
{
	struct fault fault = {.what = "the fib refuses it"};
	struct ip_prefix p;

	must(ip_prefix_parse(prefix, &p) == 0 && fib_set(ip->g.fib, &p, hop) == 0, prefix, &fault);
}

static struct nexthop ether_hop(uint16_t port)
{
	struct nexthop hop = {.type = NEXTHOP_ETHER, .port = port};

	/* To the same port of the other side, which has the same MAC. */
	memcpy(hop.eth, macs[port], 6);
	memcpy(hop.eth + 6, macs[port], 6);
	return hop;
}

static void open_ports(struct inprocess *ip)
{
	ip->g.ports = 2;
	for (uint16_t i = 0; i < 2; i++) {
		struct port *p = &ip->g.port[i];
		*p = (struct port){.index = i,
				   .queues = 1,
				   .role = i == INPROCESS_LAN ? PORT_PROTECTED : PORT_UNPROTECTED,
				   .chains = true,
				   .mtu = 9600,
				   .device = HOST_NONE,
				   .up = true};
		memcpy(p->mac, macs[i], 6);
	}
}

static void add_routes(struct inprocess *ip)
{
	struct nexthop local = {.type = NEXTHOP_LOCAL};
	struct nexthop wan = ether_hop(INPROCESS_WAN), lan = ether_hop(INPROCESS_LAN);

	inprocess_route(ip, ip->side == 0 ? "192.0.2.1" : "192.0.2.2", &local);
	inprocess_route(ip, ip->side == 0 ? "192.0.2.2" : "192.0.2.1", &wan);
	inprocess_route(ip, ip->side == 0 ? "2001:db8::1" : "2001:db8::2", &local);
	inprocess_route(ip, ip->side == 0 ? "2001:db8::2" : "2001:db8::1", &wan);
	/* Side 0 has 10.0.0.0/9 and fd00::/9 behind it, side 1 the other halves. */
	inprocess_route(ip, ip->side == 0 ? "10.0.0.0/9" : "10.128.0.0/9", &lan);
	inprocess_route(ip, ip->side == 0 ? "fd00::/9" : "fd80::/9", &lan);
}

struct inprocess *inprocess_create(const struct inprocess_config *config)
{
	struct inprocess *ip = calloc(1, sizeof(*ip));
	struct fault fault = {0};
	struct fib_limits limits = {.routes4 = config->routes + 64, .routes6 = config->routes + 64};
	struct sadb_config sadb = {
	    .sas_max = config->sas, .tunnels_max = config->tunnels, .workers = config->workers};

	if (ip == NULL)
		return NULL;
	ip->side = config->side;
	ip->g.pool = config->pool;
	ip->g.workers = config->workers;
	ip->g.policy_device = HOST_NONE;
	gateway_encap_port_set(&ip->g, 4500, true);
	ip->g.fib = fib_create(&limits, &fault);
	must(ip->g.fib != NULL, "fib", &fault);
	ip->g.sadb = sadb_create(&sadb, &fault);
	must(ip->g.sadb != NULL, "sadb", &fault);
	ip->g.spd = spd_create(&fault);
	must(ip->g.spd != NULL, "spd", &fault);
	open_ports(ip);
	add_routes(ip);
	for (uint16_t i = 0; i < config->workers; i++) {
		struct worker_config wc = {.index = i, .flows = config->flows, .inbox_size = 1024};
		ip->g.worker[i] = worker_create(&ip->g, &wc, &fault);
		must(ip->g.worker[i] != NULL, "worker", &fault);
	}
	return ip;
}

void inprocess_destroy(struct inprocess *ip)
{
	struct rte_mbuf *m[2 * VECTOR_MAX];

	for (uint16_t i = 0; i < ip->g.workers; i++) {
		for (uint16_t p = 0; p < ip->g.ports; p++)
			rte_pktmbuf_free_bulk(m, inprocess_take(ip, i, p, m));
		worker_destroy(ip->g.worker[i]);
	}
	spd_destroy(ip->g.spd);
	sadb_destroy(ip->g.sadb);
	fib_destroy(ip->g.fib);
	free(ip);
}

void inprocess_run(struct inprocess *ip, uint16_t index, uint16_t port, struct rte_mbuf **m,
		   uint16_t n)
{
	struct worker *w = ip->g.worker[index];
	struct lanes lanes;

	w->now = rte_rdtsc();
	w->count.rx += n;
	w->port_rx[port] += n;
	lanes.esp.n = lanes.plain.n = lanes.clear.n = 0;
	receive_frames(w, port, m, n, w->store, &lanes);
	pipeline_run(w, &lanes);
	drops_flush(&w->drops);
}

uint16_t inprocess_run_inbox(struct inprocess *ip, uint16_t index)
{
	struct worker *w = ip->g.worker[index];
	struct rte_mbuf *m[VECTOR_MAX];
	unsigned int n = rte_ring_sc_dequeue_burst(w->inbox, (void **)m, VECTOR_MAX, NULL);

	w->now = rte_rdtsc();
	if (n > 0)
		pipeline_inbox(w, m, (uint16_t)n);
	drops_flush(&w->drops);
	return (uint16_t)n;
}

uint16_t inprocess_take(struct inprocess *ip, uint16_t w, uint16_t port, struct rte_mbuf **m)
{
	struct transmit_buffer *b = &ip->g.worker[w]->tx[port];
	uint16_t n = b->n;

	memcpy(m, b->m, n * sizeof(*m));
	ip->g.worker[w]->count.tx += n;
	b->n = 0;
	return n;
}

struct tunnel *inprocess_tunnel(struct inprocess *ip, const char *name)
{
	struct tunnel_spec spec = {.local = {0}};
	struct fault fault = {0};
	struct tunnel *t = NULL;

	snprintf(spec.name, sizeof(spec.name), "%s", name);
	must(tunnel_add(ip->g.sadb, &spec, &t, &fault) == 0, "tunnel", &fault);
	return t;
}
