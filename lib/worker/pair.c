/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <cmocka.h>

#include "packet/checksum.h"

struct rte_mempool *pair_pool;

const struct pair_shape pair_usual = {
    .inner = 4, .outer = 4, .esn = true, .window = 64, .workers = 1};

int pair_setup(void **state)
{
	(void)state;
	if (inprocess_eal(768) != 0)
		return -1;
	pair_pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	return pair_pool == NULL ? -1 : 0;
}

static struct sa_spec spec_for(const struct pair_shape *s, enum sa_direction direction,
			       uint32_t tunnel)
{
	bool out = direction == SA_OUTBOUND;
	struct sa_spec spec = {.direction = direction,
			       .spi = 0x11223344,
			       .tunnel = tunnel,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = s->esn,
			       .udp = s->udp,
			       .local_port = 4500,
			       .remote_port = 4500,
			       .local = inprocess_outer(out ? 0 : 1, s->outer),
			       .remote = inprocess_outer(out ? 1 : 0, s->outer),
			       .replay_window = s->window,
			       .seq_first = 1,
			       .lifetime = out ? s->out_life : s->in_life};

	memset(spec.key, 0x5a, sizeof(spec.key));
	return spec;
}

struct pair pair_open(const struct pair_shape *s, const struct selector *selector)
{
	struct pair p;
	struct fault fault = {0};
	struct inprocess_config config = {.workers = s->workers,
					  .sas = 8,
					  .tunnels = 8,
					  .routes = 16,
					  .flows = 1024,
					  .pool = pair_pool};

	p.a = inprocess_create(&config);
	config.side = 1;
	p.b = inprocess_create(&config);
	p.to_b = inprocess_tunnel(p.a, "to_b");
	p.to_a = inprocess_tunnel(p.b, "to_a");
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = p.to_b->index};
	inprocess_route(p.a, "10.128.0.0/9", &hop);
	inprocess_route(p.a, "fd80::/9", &hop);
	hop.tunnel = p.to_a->index;
	inprocess_route(p.b, "10.0.0.0/9", &hop);
	inprocess_route(p.b, "fd00::/9", &hop);
	struct sa_spec out = spec_for(s, SA_OUTBOUND, p.to_b->index);
	struct sa_spec in = spec_for(s, SA_INBOUND, p.to_a->index);
	in.selectors = selector != NULL;
	in.selector = selector;
	assert_int_equal(sa_add(p.a->g.sadb, &out, &p.out, &fault), 0);
	assert_int_equal(sa_add(p.b->g.sadb, &in, &p.in, &fault), 0);
	return p;
}

void pair_close(struct pair *p)
{
	inprocess_destroy(p->a);
	inprocess_destroy(p->b);
	assert_int_equal(rte_mempool_in_use_count(pair_pool), 0);
}

struct rte_mbuf *pair_frame(uint8_t family, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pair_pool);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(RTE_ETHER_HDR_LEN + len));
	uint8_t *ip = frame + RTE_ETHER_HDR_LEN;
	struct ip_addr source, to;

	if (frame == NULL)
		abort();
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(frame + 6, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(frame + 12, family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	for (uint16_t i = 0; i < len; i++)
		ip[i] = (uint8_t)(i * 7 + 1);
	ip_addr_parse(family == 4 ? "10.0.0.5" : "fd00::5", &source);
	ip_addr_parse(family == 4 ? "10.128.0.9" : "fd80::9", &to);
	if (family == 4) {
		struct rte_ipv4_hdr h = {.version_ihl = RTE_IPV4_VHL_DEF,
					 .type_of_service = 0xb8,
					 .total_length = htons(len),
					 .fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
					 .time_to_live = 64,
					 .next_proto_id = 253};
		memcpy(&h.src_addr, source.bytes, 4);
		memcpy(&h.dst_addr, to.bytes, 4);
		memcpy(ip, &h, sizeof(h));
		checksum_ipv4_write(ip, sizeof(h));
	} else {
		struct rte_ipv6_hdr h = {.vtc_flow = htonl(6u << 28 | 0xb8 << 20 | 0x12345),
					 .payload_len = htons((uint16_t)(len - 40)),
					 .proto = 253,
					 .hop_limits = 64};
		memcpy(h.src_addr, source.bytes, 16);
		memcpy(h.dst_addr, to.bytes, 16);
		memcpy(ip, &h, sizeof(h));
	}
	return m;
}

void assert_conserved(const struct inprocess *ip)
{
	int64_t left = 0;

	for (uint16_t i = 0; i < ip->g.workers; i++) {
		struct worker_counters c;
		worker_counters(ip->g.worker[i], &c);
		left += (int64_t)(c.rx + c.from_kernel + c.from_workers + c.made);
		left -= (int64_t)(c.tx + c.to_kernel + c.to_workers + c.held);
		for (unsigned int r = 0; r < DROP_REASONS; r++)
			left -= (int64_t)c.drops[r];
	}
	assert_int_equal(left, 0);
}

bool pair_notice(const struct inprocess *ip, struct notice *out)
{
	return worker_next_notice(ip->g.worker[0], out);
}

void assert_no_notice(const struct inprocess *ip)
{
	struct notice n;

	if (pair_notice(ip, &n))
		fail_msg("an unexpected notice of kind %u", n.kind);
}

struct notice pair_one_notice(const struct inprocess *ip, enum notice_kind kind)
{
	struct notice n;

	if (!pair_notice(ip, &n))
		fail_msg("no notice of kind %u", kind);
	assert_int_equal(n.kind, kind);
	assert_no_notice(ip);
	return n;
}

uint64_t pair_dropped(const struct inprocess *ip, enum drop_reason reason)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < ip->g.workers; i++) {
		struct worker_counters c;
		worker_counters(ip->g.worker[i], &c);
		sum += c.drops[reason];
	}
	return sum;
}

uint64_t pair_dropped_in_all(const struct inprocess *ip)
{
	uint64_t sum = 0;

	for (unsigned int r = 0; r < DROP_REASONS; r++)
		sum += pair_dropped(ip, (enum drop_reason)r);
	return sum;
}

struct rte_mbuf *pair_seal(struct pair *p, struct rte_mbuf *m)
{
	struct rte_mbuf *sent[2 * VECTOR_MAX];

	inprocess_run(p->a, 0, INPROCESS_LAN, &m, 1);
	for (uint16_t w = 1; w < p->a->g.workers; w++)
		inprocess_run_inbox(p->a, w);
	uint16_t n = 0;
	for (uint16_t w = 0; w < p->a->g.workers; w++)
		n += inprocess_take(p->a, w, INPROCESS_WAN, sent + n);
	assert_int_equal(n, 1);
	return sent[0];
}

uint16_t pair_unseal(struct pair *p, struct rte_mbuf *m, struct rte_mbuf **out)
{
	struct rte_mbuf *got[2 * VECTOR_MAX];
	uint16_t n = 0;

	inprocess_run(p->b, 0, INPROCESS_WAN, &m, 1);
	for (uint16_t w = 1; w < p->b->g.workers; w++)
		inprocess_run_inbox(p->b, w);
	for (uint16_t w = 0; w < p->b->g.workers; w++)
		n += inprocess_take(p->b, w, INPROCESS_LAN, got + n);
	*out = n > 0 ? got[0] : NULL;
	return n;
}

struct rte_mbuf *pair_copy(const struct rte_mbuf *m)
{
	return rte_pktmbuf_copy(m, pair_pool, 0, UINT32_MAX);
}

void assert_same_packet(const struct rte_mbuf *before, const struct rte_mbuf *after)
{
	static uint8_t x[10000], y[10000];

	assert_int_equal(before->pkt_len, after->pkt_len);
	memcpy(x, rte_pktmbuf_read(before, 0, before->pkt_len, x), before->pkt_len);
	memcpy(y, rte_pktmbuf_read(after, 0, after->pkt_len, y), after->pkt_len);
	uint8_t *ip = x + RTE_ETHER_HDR_LEN;
	uint8_t family = ip[0] >> 4;
	ip_decrement_ttl(ip, family);
	ip_decrement_ttl(ip, family);
	assert_memory_equal(ip, y + RTE_ETHER_HDR_LEN, before->pkt_len - RTE_ETHER_HDR_LEN);
	if (family == 4)
		assert_int_equal(checksum_sum(y + RTE_ETHER_HDR_LEN, 20), 0xffff);
}
