/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/explain_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <rte_ether.h>
#include <cmocka.h>

#include "gateway/provision.h"
#include "packet/checksum.h"

static struct rte_mempool *pool;

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

void scene_flow(struct scene *s, const char *local, const char *remote)
{
	struct ip_addr from = address(local), to = address(remote);

	s->flow.family = to.family;
	memcpy(s->flow.local, from.bytes, 16);
	memcpy(s->flow.remote, to.bytes, 16);
}

static uint32_t spi = 0x11223344;
static uint64_t hard_packets;

void scene_sa(struct scene *s, uint8_t outer, bool udp)
{
	struct sa_spec spec = {.direction = SA_OUTBOUND,
			       .spi = spi,
			       .tunnel = s->tunnel->index,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = true,
			       .udp = udp,
			       .local_port = 4500,
			       .remote_port = 4500,
			       .local = inprocess_outer(0, outer),
			       .remote = inprocess_outer(1, outer),
			       .seq_first = 1,
			       .lifetime = {.hard_packets = hard_packets}};
	struct fault fault = {0};

	for (size_t i = 0; i < sizeof(spec.key); i++)
		spec.key[i] = (uint8_t)rand();
	assert_int_equal(sa_add(s->ip->g.sadb, &spec, &s->sa, &fault), 0);
}

void scene_other_sa(struct scene *s, uint8_t outer, bool udp)
{
	sa_delete(s->ip->g.sadb, s->sa);
	scene_sa(s, outer, udp);
}

/* The newest sends. */
void scene_newer_sa(struct scene *s)
{
	spi++;
	scene_sa(s, 4, false);
}

void scene_limited_sa(struct scene *s)
{
	hard_packets = 2;
	scene_newer_sa(s);
	hard_packets = 0;
}

struct scene scene_open(void)
{
	struct inprocess_config config = {
	    .workers = 1, .sas = 8, .tunnels = 8, .routes = 64, .flows = 1024, .pool = pool};
	struct scene s = {.ip = inprocess_create(&config), .length = 100};

	s.tunnel = inprocess_tunnel(s.ip, "hq");
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = s.tunnel->index};
	inprocess_route(s.ip, "10.128.0.0/9", &hop);
	inprocess_route(s.ip, "fd80::/9", &hop);
	scene_sa(&s, 4, false);
	scene_flow(&s, "10.0.0.5", "10.128.0.9");
	s.flow.proto = IPPROTO_UDP;
	s.flow.ports_known = true;
	s.flow.local_port = 1000;
	s.flow.remote_port = 2000;
	return s;
}

void scene_close(struct scene *s)
{
	gateway_provision_stop(&s->ip->g);
	inprocess_destroy(s->ip);
}

/* Of all packets to `remote`, or of those from port 1000 alone. */
void scene_policy(struct scene *s, enum policy_action action, const char *remote, bool narrow)
{
	struct policy p = {.action = action, .tunnel = TUNNEL_NONE, .priority = 100};
	struct fault fault = {0};

	p.selector = selector_any(strchr(remote, ':') != NULL ? 6 : 4);
	assert_int_equal(
	    ip_range_parse(remote, 0, &p.selector.remote_first, &p.selector.remote_last), 0);
	if (narrow)
		p.selector.local_port_first = p.selector.local_port_last = 1000;
	if (action == POLICY_PROTECT)
		p.tunnel = s->tunnel->index;
	snprintf(p.name, sizeof(p.name), "p%u", policy_count(s->ip->g.spd));
	assert_int_equal(policy_add(s->ip->g.spd, &p, &fault), 0);
}

void scene_commit(struct scene *s)
{
	struct fault fault = {0};

	assert_int_equal(spd_commit(s->ip->g.spd, &fault), 0);
}

void scene_route(struct scene *s, const char *prefix, enum nexthop_type type, uint16_t port,
		 uint16_t mtu)
{
	struct nexthop hop = {.type = (uint8_t)type,
			      .port = port,
			      .mtu = mtu,
			      .tunnel = s->tunnel->index,
			      .gateway =
				  address(strchr(prefix, ':') != NULL ? "fe80::9" : "10.99.0.1")};

	memcpy(hop.eth, inprocess_mac(port), 6);
	memcpy(hop.eth + 6, inprocess_mac(port), 6);
	inprocess_route(s->ip, prefix, &hop);
}

static struct rte_mbuf *frame(const struct scene *s)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *eth = (uint8_t *)rte_pktmbuf_append(m, RTE_ETHER_HDR_LEN + s->length);
	uint8_t *ip = eth + RTE_ETHER_HDR_LEN, *l4;

	assert_non_null(eth);
	memset(eth, 0, RTE_ETHER_HDR_LEN + s->length);
	memcpy(eth, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(eth + 6, inprocess_mac(INPROCESS_LAN), 6);
	store_be16(eth + 12, s->flow.family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	if (s->flow.family == 4) {
		l4 = ip + 20;
		ip[0] = 0x45;
		store_be16(ip + 2, s->length);
		store_be16(ip + 6, s->fragment ? 185 : 0);
		ip[8] = 64;
		ip[9] = s->flow.proto;
		memcpy(ip + 12, s->flow.local, 4);
		memcpy(ip + 16, s->flow.remote, 4);
		checksum_ipv4_write(ip, 20);
	} else {
		l4 = ip + 40;
		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)(s->length - 40));
		ip[6] = s->flow.proto;
		ip[7] = 64;
		memcpy(ip + 8, s->flow.local, 16);
		memcpy(ip + 24, s->flow.remote, 16);
	}
	if (s->flow.ports_known) {
		store_be16(l4, s->flow.local_port);
		store_be16(l4 + 2, s->flow.remote_port);
	}
	return m;
}

/* What became of the one packet that is sent here. */
struct became {
	enum explain_fate fate;
	enum drop_reason drop;
};

static bool is_esp(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN);

	if (ip[0] >> 4 == 6)
		return ip[6] == IPPROTO_ESP || load_be16(ip + 40 + 2) == 4500;
	return ip[9] == IPPROTO_ESP || load_be16(ip + 20 + 2) == 4500;
}

static struct became send_it(struct scene *s)
{
	struct rte_mbuf *m = frame(s), *sent[2 * VECTOR_MAX];
	struct worker_counters before, after;
	struct became b = {.fate = EXPLAIN_DROP, .drop = DROP_REASONS};
	unsigned int ends = 0;

	worker_counters(s->ip->g.worker[0], &before);
	inprocess_run(s->ip, 0, INPROCESS_LAN, &m, 1);
	for (uint16_t port = 0; port < 2; port++) {
		uint16_t n = inprocess_take(s->ip, 0, port, sent);
		for (uint16_t i = 0; i < n; i++)
			b.fate = is_esp(sent[i]) ? EXPLAIN_PROTECT : EXPLAIN_CLEAR;
		rte_pktmbuf_free_bulk(sent, n);
		ends += n;
	}
	worker_counters(s->ip->g.worker[0], &after);
	if (after.held > before.held)
		b.fate = EXPLAIN_HELD;
	ends += (unsigned int)(after.held - before.held);
	for (unsigned int r = 0; r < DROP_REASONS; r++) {
		if (after.drops[r] > before.drops[r])
			b.drop = (enum drop_reason)r;
		ends += (unsigned int)(after.drops[r] - before.drops[r]);
	}
	assert_int_equal(ends, 1);
	/* There is no kernel here that could take it. */
	if (b.drop == DROP_KERNEL_REFUSED)
		b.fate = EXPLAIN_KERNEL;
	return b;
}

/* explain and the worker agree, and say what the table says. */
struct explain scene_agree(struct scene *s, const char *what, enum explain_fate fate,
			   enum drop_reason reason)
{
	struct flow flow = s->flow;
	struct explain e;

	flow.ports_known = flow.ports_known && !s->fragment;
	gateway_explain(&s->ip->g, &flow, s->length, &e);
	struct became b = send_it(s);
	if (e.fate != b.fate || e.fate != fate ||
	    (fate == EXPLAIN_DROP && (e.drop != b.drop || e.drop != reason)))
		fail_msg("%s: explained as %d/%s (%s), became %d/%s, should be %d/%s", what, e.fate,
			 e.fate == EXPLAIN_DROP ? drop_name(e.drop) : "-", e.why, b.fate,
			 b.drop < DROP_REASONS ? drop_name(b.drop) : "-", fate,
			 fate == EXPLAIN_DROP ? drop_name(reason) : "-");
	assert_true(e.why[0] != '\0' && e.why[strlen(e.why) - 1] != '.');
	return e;
}

int scene_setup(void **state)
{
	(void)state;
	if (inprocess_eal(768) != 0)
		return -1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	srand(7);
	return pool == NULL ? -1 : 0;
}
