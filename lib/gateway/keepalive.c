/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "gateway/state.h"
#include "worker/worker.h"

#define KEEPALIVE 0xff /* RFC 3948 2.3 */
#define TTL 64

static void build_v4(struct provision *p, uint8_t *ip, const struct sa_spec *spec)
{
	struct rte_ipv4_hdr *h = (struct rte_ipv4_hdr *)ip;

	*h = (struct rte_ipv4_hdr){
	    .version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = rte_cpu_to_be_16(sizeof(*h) + sizeof(struct rte_udp_hdr) + 1),
	    .packet_id = rte_cpu_to_be_16(p->ip_id++),
	    .time_to_live = TTL,
	    .next_proto_id = IPPROTO_UDP};
	memcpy(&h->src_addr, spec->local.bytes, 4);
	memcpy(&h->dst_addr, spec->remote.bytes, 4);
	h->hdr_checksum = rte_ipv4_cksum(h);
}

static void build_v6(uint8_t *ip, const struct sa_spec *spec)
{
	struct rte_ipv6_hdr *h = (struct rte_ipv6_hdr *)ip;
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(h + 1);

	*h = (struct rte_ipv6_hdr){.vtc_flow = rte_cpu_to_be_32(6u << 28),
				   .payload_len = udp->dgram_len,
				   .proto = IPPROTO_UDP,
				   .hop_limits = TTL};
	memcpy(h->src_addr, spec->local.bytes, 16);
	memcpy(h->dst_addr, spec->remote.bytes, 16);
	/* On IPv4 a zero checksum is right (RFC 3948 2.1), on IPv6 receivers drop it. */
	udp->dgram_cksum = rte_ipv6_udptcp_cksum(h, udp);
}

static bool send_one(struct provision *p, const struct tunnel *t)
{
	const struct sa *sa = t->out;
	uint16_t header =
	    sa->spec.local.family == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	struct rte_mbuf *m = rte_pktmbuf_alloc(p->g->pool);

	if (m == NULL)
		return false;
	uint8_t *ip = (uint8_t *)rte_pktmbuf_append(m, header + sizeof(struct rte_udp_hdr) + 1);
	if (ip == NULL) {
		rte_pktmbuf_free(m);
		return false;
	}
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + header);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(sa->spec.local_port),
				    .dst_port = rte_cpu_to_be_16(sa->spec.remote_port),
				    .dgram_len = rte_cpu_to_be_16(sizeof(*udp) + 1)};
	*(uint8_t *)(udp + 1) = KEEPALIVE;
	if (sa->spec.local.family == 4)
		build_v4(p, ip, &sa->spec);
	else
		build_v6(ip, &sa->spec);
	*packet_carry(m) = (struct packet_carry){.kind = CARRY_FORWARD,
						 .flags = PACKET_LOCAL,
						 .port = PORT_NONE,
						 .device = HOST_NONE,
						 .tunnel = TUNNEL_NONE};
	if (worker_deliver(p->g->worker[sa->owner], m))
		return true;
	rte_pktmbuf_free(m);
	return false;
}

struct round {
	struct provision *p;
	uint64_t now;
};

static bool visit(void *arg, struct tunnel *t)
{
	struct round *r = arg;

	if (t->spec.keepalive == 0 || t->out == NULL || !t->out->spec.udp)
		return true;
	struct tunnel_care *care = provision_care(r->p, t->index);
	if (care == NULL)
		return true;
	struct sa_counters counters;
	sa_counters(t->out, &counters);
	uint64_t last = RTE_MAX(t->out->added_tsc, counters.last_used_tsc);
	last = RTE_MAX(last, care->keepalive_tsc);
	if (r->now >= last && r->now - last >= t->spec.keepalive * rte_get_tsc_hz() &&
	    send_one(r->p, t))
		care->keepalive_tsc = r->now;
	return true;
}

void keepalive_tick(struct provision *p, uint64_t now)
{
	struct round r = {p, now};

	if (p->g->workers > 0)
		tunnel_each(p->g->sadb, visit, &r);
}
