/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "options.h"
#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "worker/inprocess.h"

/*
 * Two gateways in memory: `near` encapsulates, `far` decapsulates. The timed side
 * runs vectors of 64 from a working set of 256 packets; between two passes over
 * the set, untimed, every packet is made anew: for encapsulation its headers, for
 * decapsulation the whole of it by `near`, with fresh sequence numbers.
 */
#define WORKING_SET 256
#define PASSES_A_CHUNK 16
#define CHUNKS_MAX 20000
#define ROOM (RTE_PKTMBUF_HEADROOM + 9216)

struct bench {
	struct bench_options o;
	struct inprocess *near, *far;
	struct rte_mbuf *packet[WORKING_SET];
	struct aead *aead;
	struct aead_key key;
	uint64_t next_sa;
	uint32_t stride;
	double chunk[CHUNKS_MAX], aead_chunk[CHUNKS_MAX];
	unsigned int chunks;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "datapath: %s\n", what);
	exit(1);
}

static struct sa_spec sa_for(const struct bench *b, enum sa_direction direction, uint32_t tunnel)
{
	bool out = direction == SA_OUTBOUND;
	struct sa_spec s = {.direction = direction,
			    .spi = 0x10000 + tunnel,
			    .tunnel = tunnel,
			    .algorithm = AEAD_AES_256_GCM_16,
			    .esn = b->o.esn,
			    .udp = b->o.natt,
			    .local_port = 4500,
			    .remote_port = 4500,
			    .local = inprocess_outer(out ? 0 : 1, b->o.outer),
			    .remote = inprocess_outer(out ? 1 : 0, b->o.outer),
			    .replay_window = 1024,
			    .seq_first = 1};

	return s;
}

/* Tunnel i serves 10.128.0.0/9's host i (or fd80:…:i). */
static void inner_destination(const struct bench *b, uint32_t i, struct ip_addr *a)
{
	if (b->o.inner == 4) {
		ip_addr_parse("10.128.0.0", a);
		a->bytes[1] |= (uint8_t)(i >> 16);
		a->bytes[2] = (uint8_t)(i >> 8);
		a->bytes[3] = (uint8_t)i;
	} else {
		ip_addr_parse("fd80::", a);
		a->bytes[13] = (uint8_t)(i >> 16);
		a->bytes[14] = (uint8_t)(i >> 8);
		a->bytes[15] = (uint8_t)i;
	}
}

static void direct_to_tunnel(struct bench *b, struct tunnel *t)
{
	struct fault fault = {0};
	struct ip_prefix host = {.len = ip_bits(b->o.inner)};

	inner_destination(b, t->index, &host.addr);
	if (b->o.policy) {
		struct policy p = {.priority = 100,
				   .action = POLICY_PROTECT,
				   .tunnel = t->index,
				   .selector = selector_any(b->o.inner)};
		snprintf(p.name, sizeof(p.name), "p%u", t->index);
		p.selector.remote_first = p.selector.remote_last = host.addr;
		if (policy_add(b->near->g.spd, &p, &fault) != 0)
			fail(fault.what);
	} else {
		struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = t->index};
		if (fib_set(b->near->g.fib, &host, &hop) != 0)
			fail("the fib takes no more routes");
	}
}

static void add_tunnel(struct bench *b, uint32_t i)
{
	char name[32];
	struct fault fault = {0};

	snprintf(name, sizeof(name), "t%u", i);
	struct tunnel *near = inprocess_tunnel(b->near, name);
	struct sa_spec out = sa_for(b, SA_OUTBOUND, near->index);
	if (getrandom(out.key, sizeof(out.key), 0) != (ssize_t)sizeof(out.key))
		fail("no random numbers");
	if (sa_add(b->near->g.sadb, &out, NULL, &fault) != 0)
		fail(fault.what);
	direct_to_tunnel(b, near);
	if (!b->o.decap)
		return;
	struct tunnel *far = inprocess_tunnel(b->far, name);
	struct sa_spec in = sa_for(b, SA_INBOUND, far->index);
	memcpy(in.key, out.key, sizeof(in.key));
	if (sa_add(b->far->g.sadb, &in, NULL, &fault) != 0)
		fail(fault.what);
}

static uint8_t *write_ip(const struct bench *b, uint8_t *ip, uint32_t sa)
{
	struct ip_addr source, to;

	ip_addr_parse(b->o.inner == 4 ? "10.0.0.1" : "fd00::1", &source);
	inner_destination(b, sa, &to);
	if (b->o.inner == 4) {
		struct rte_ipv4_hdr h = {.version_ihl = RTE_IPV4_VHL_DEF,
					 .total_length = htons(b->o.size),
					 .time_to_live = 64,
					 .next_proto_id = IPPROTO_UDP};
		memcpy(&h.src_addr, source.bytes, 4);
		memcpy(&h.dst_addr, to.bytes, 4);
		memcpy(ip, &h, sizeof(h));
		checksum_ipv4_write(ip, sizeof(h));
		return ip + sizeof(h);
	}
	struct rte_ipv6_hdr h = {.vtc_flow = htonl(6u << 28),
				 .payload_len = htons((uint16_t)(b->o.size - 40)),
				 .proto = IPPROTO_UDP,
				 .hop_limits = 64};
	memcpy(h.src_addr, source.bytes, 16);
	memcpy(h.dst_addr, to.bytes, 16);
	memcpy(ip, &h, sizeof(h));
	return ip + sizeof(h);
}

/* Frame and headers of an inner packet for the next SA in turn; payload stays what it was. */
static void make_plain(struct bench *b, struct rte_mbuf *m, unsigned int flow)
{
	uint32_t sa = (uint32_t)(b->next_sa++ * b->stride % b->o.sas);

	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = (uint16_t)(RTE_ETHER_HDR_LEN + b->o.size);
	m->pkt_len = m->data_len;
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(frame + 6, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(frame + 12, b->o.inner == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	uint8_t *l4 = write_ip(b, frame + RTE_ETHER_HDR_LEN, sa);
	store_be16(l4, (uint16_t)(1024 + flow));
	store_be16(l4 + 2, 7);
	store_be16(l4 + 4, (uint16_t)(frame + RTE_ETHER_HDR_LEN + b->o.size - l4));
	store_be16(l4 + 6, 0);
}

static void take_all(struct inprocess *ip, uint16_t port, struct rte_mbuf **m)
{
	if (inprocess_take(ip, 0, port, m) != VECTOR_MAX)
		fail("a packet was dropped: the figures would mean nothing");
}

static void renew(struct bench *b)
{
	for (unsigned int i = 0; i < WORKING_SET; i++)
		make_plain(b, b->packet[i], i);
	if (!b->o.decap)
		return;
	for (unsigned int i = 0; i < WORKING_SET; i += VECTOR_MAX) {
		inprocess_run(b->near, 0, INPROCESS_LAN, &b->packet[i], VECTOR_MAX);
		take_all(b->near, INPROCESS_WAN, &b->packet[i]);
	}
}

static uint64_t timed_pass(struct bench *b)
{
	struct inprocess *ip = b->o.decap ? b->far : b->near;
	uint16_t from = b->o.decap ? INPROCESS_WAN : INPROCESS_LAN;
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < WORKING_SET; i += VECTOR_MAX) {
		uint64_t start = rte_rdtsc();
		inprocess_run(ip, 0, from, &b->packet[i], VECTOR_MAX);
		cycles += rte_rdtsc() - start;
		take_all(ip, from == INPROCESS_WAN ? INPROCESS_LAN : INPROCESS_WAN, &b->packet[i]);
	}
	return cycles;
}

/* The same buffers and lengths, one hot key, everything prepared before. */
static uint64_t aead_pass(struct bench *b)
{
	static struct aead_op op[WORKING_SET];
	static uint8_t icv[WORKING_SET][AEAD_ICV_SIZE];
	uint32_t len = b->o.size + (uint32_t)(-(b->o.size + 2) & 3) + 2;

	for (unsigned int i = 0; i < WORKING_SET; i++) {
		op[i] = (struct aead_op){.text = (uint8_t *)b->packet[i]->buf_addr + 256,
					 .len = len,
					 .algorithm = AEAD_AES_256_GCM_16,
					 .aad_len = b->o.esn ? 12 : 8,
					 .key = &b->key,
					 .icv = icv[i]};
		memcpy(op[i].nonce, &i, sizeof(i));
	}
	uint64_t start = rte_rdtsc();
	for (unsigned int i = 0; i < WORKING_SET; i += VECTOR_MAX) {
		if (b->o.decap)
			aead_open(b->aead, &op[i], VECTOR_MAX);
		else
			aead_seal(b->aead, &op[i], VECTOR_MAX);
	}
	return rte_rdtsc() - start;
}

static void measure(struct bench *b)
{
	uint64_t hz = rte_get_tsc_hz(), end;

	for (unsigned int i = 0; i < 200; i++) {
		renew(b);
		timed_pass(b);
		aead_pass(b);
	}
	end = rte_rdtsc() + (uint64_t)(b->o.seconds * (double)hz);
	while (b->chunks < CHUNKS_MAX && (b->chunks < 3 || rte_rdtsc() < end)) {
		uint64_t ours = 0, raw = 0;
		for (unsigned int i = 0; i < PASSES_A_CHUNK; i++) {
			renew(b);
			ours += timed_pass(b);
			raw += aead_pass(b);
		}
		b->chunk[b->chunks] = (double)ours / (PASSES_A_CHUNK * WORKING_SET);
		b->aead_chunk[b->chunks++] = (double)raw / (PASSES_A_CHUNK * WORKING_SET);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void report(struct bench *b)
{
	double cycles = median(b->chunk, b->chunks), raw = median(b->aead_chunk, b->chunks);
	uint64_t hz = rte_get_tsc_hz();
	double mpps = (double)hz / cycles / 1e6;
	double gbps = mpps * b->o.size * 8 / 1000;
	unsigned long packets = (unsigned long)b->chunks * PASSES_A_CHUNK * WORKING_SET;
	const char *direction = b->o.decap ? "decap" : "encap";

	if (b->o.json)
		printf("{\"direction\": \"%s\", \"size\": %u, \"sas\": %u, \"natt\": %s, "
		       "\"esn\": %s, \"packets\": %lu, \"cycles_per_packet\": %.1f, "
		       "\"aead_cycles_per_packet\": %.1f, \"tsc_hz\": %lu, "
		       "\"mpps_per_core\": %.3f, \"gbps_per_core\": %.2f}\n",
		       direction, b->o.size, b->o.sas, b->o.natt ? "true" : "false",
		       b->o.esn ? "true" : "false", packets, cycles, raw, (unsigned long)hz, mpps,
		       gbps);
	else
		printf("%s %u bytes, %u SA%s: %.1f cycles a packet, %.1f of them AES-GCM; "
		       "%.2f Mpps, %.2f Gbit/s a core\n",
		       direction, b->o.size, b->o.sas, b->o.sas == 1 ? "" : "s", cycles, raw, mpps,
		       gbps);
}

static void set_up(struct bench *b)
{
	uint8_t raw_key[32] = {1};
	struct fault fault = {0};
	struct rte_mempool *pool = inprocess_pool(1023, ROOM);
	struct inprocess_config config = {.workers = 1,
					  .sas = b->o.sas,
					  .tunnels = b->o.sas,
					  .routes = b->o.sas,
					  .flows = 65536,
					  .pool = pool};

	if (pool == NULL)
		fail("no memory for packets");
	b->near = inprocess_create(&config);
	config.side = 1;
	config.routes = 0;
	b->far = inprocess_create(&config);
	b->aead = aead_create();
	if (b->near == NULL || b->far == NULL || b->aead == NULL)
		fail("no memory for the gateways");
	for (uint32_t i = 0; i < b->o.sas; i++)
		add_tunnel(b, i);
	if (b->o.policy && spd_commit(b->near->g.spd, &fault) != 0)
		fail(fault.what);
	aead_expand(b->aead, AEAD_AES_256_GCM_16, raw_key, &b->key);
	if (rte_pktmbuf_alloc_bulk(pool, b->packet, WORKING_SET) != 0)
		fail("no packets");
	/* A large stride that visits every SA once before it comes back. */
	b->stride = b->o.sas % 7919 != 0 ? 7919 : 1;
}

int main(int argc, char **argv)
{
	static struct bench b;

	bench_options_parse(argc, argv, &b.o);
	if (inprocess_eal(b.o.sas > 10000 ? 2048 : 768) != 0)
		fail("DPDK's environment does not start (is there memory?)");
	set_up(&b);
	measure(&b);
	report(&b);
	return 0;
}
