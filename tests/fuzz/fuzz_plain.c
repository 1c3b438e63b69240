/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <rte_ether.h>

#include "gateway_in_memory.h"
#include "packet/checksum.h"

/*
 * What arrives on the protected side, with two tunnels, routes into them and
 * policies. Input: up to 8 packets of one vector, each
 *
 *   kind    1 byte: 1 for a whole frame, else an IP packet; 2 to make its IPv4 checksum right
 *   part    1 byte: bytes a segment, 0 for one segment
 *   length  2 bytes, then as many bytes
 */
enum { KIND_FRAME = 1, KIND_CHECKSUM = 2 };
#define PACKETS_MAX 8
#define BYTES_MAX 3000

static struct inprocess *gateway;

static void add_policy(const char *name, enum policy_action action, uint32_t tunnel,
		       const char *remote, uint16_t port)
{
	struct policy p = {.action = action, .tunnel = tunnel, .selector = selector_any(4)};
	struct fault fault = {0};

	snprintf(p.name, sizeof(p.name), "%s", name);
	ip_range_parse(remote, 4, &p.selector.remote_first, &p.selector.remote_last);
	p.selector.remote_port_first = port;
	must(policy_add(gateway->g.spd, &p, &fault) == 0);
}

static uint32_t add_tunnel(const char *name, uint8_t outer, bool udp)
{
	struct tunnel *t = inprocess_tunnel(gateway, name);
	struct sa_spec spec = {.direction = SA_OUTBOUND,
			       .spi = 0x2000 + t->index,
			       .tunnel = t->index,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = true,
			       .udp = udp,
			       .local_port = 4500,
			       .remote_port = 4500,
			       .local = inprocess_outer(0, outer),
			       .remote = inprocess_outer(1, outer),
			       .seq_first = 1};
	struct fault fault = {0};

	memset(spec.key, (int)t->index + 1, sizeof(spec.key));
	must(sa_add(gateway->g.sadb, &spec, NULL, &fault) == 0);
	return t->index;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault fault = {0};

	(void)argc;
	(void)argv;
	gateway = fuzz_gateway();
	uint32_t four = add_tunnel("four", 4, false), six = add_tunnel("six", 6, true);
	struct nexthop hop = {.type = NEXTHOP_TUNNEL, .tunnel = four};
	inprocess_route(gateway, "10.128.0.0/9", &hop);
	hop.tunnel = six;
	inprocess_route(gateway, "fd80::/9", &hop);
	add_policy("web", POLICY_PROTECT, six, "10.200.0.0/16", 80);
	add_policy("never", POLICY_DISCARD, 0, "10.201.0.0/16", 0);
	add_policy("within", POLICY_BYPASS, 0, "10.0.0.0/9", 0);
	must(spd_commit(gateway->g.spd, &fault) == 0);
	return 0;
}

/* On the unprotected side nothing leaves in the clear (no bypass leads there). */
static void only_esp(uint16_t port, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN);

	if (port != INPROCESS_WAN)
		return;
	if (ip[0] >> 4 == 4)
		must(ip[9] == IPPROTO_ESP);
	else
		must(ip[6] == IPPROTO_UDP && load_be16(ip + 42) == 4500);
}

static size_t make_frame(uint8_t *frame, unsigned int kind, const uint8_t *bytes, size_t len)
{
	uint8_t *ip = frame + RTE_ETHER_HDR_LEN;

	if ((kind & KIND_FRAME) != 0) {
		memcpy(frame, bytes, len);
		return len;
	}
	memcpy(frame, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(frame + 6, inprocess_mac(INPROCESS_LAN), 6);
	memcpy(ip, bytes, len);
	store_be16(frame + 12,
		   len > 0 && ip[0] >> 4 == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if ((kind & KIND_CHECKSUM) != 0 && len >= 20 && ip[0] >> 4 == 4 &&
	    (ip[0] & 0xfu) * 4 <= len)
		checksum_ipv4_write(ip, (ip[0] & 0xfu) * 4);
	return RTE_ETHER_HDR_LEN + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t frame[BYTES_MAX + RTE_ETHER_HDR_LEN];
	struct rte_mbuf *vector[PACKETS_MAX];
	uint16_t n = 0;
	size_t at = 0;

	while (n < PACKETS_MAX && size - at >= 4) {
		const uint8_t *head = data + at;
		size_t len = load_be16(head + 2) % BYTES_MAX;

		at += 4;
		const uint8_t *bytes = fuzz_take(data, size, &at, &len);
		len = make_frame(frame, head[0], bytes, len);
		vector[n++] = fuzz_mbuf(frame, len, head[1]);
	}
	inprocess_run(gateway, 0, INPROCESS_LAN, vector, n);
	fuzz_settle(gateway, only_esp);
	return 0;
}
