/* SPDX-License-Identifier: BSD-3-Clause */
#include "mtu/icmp.h"

#include <string.h>

#include "packet/checksum.h"

#define ICMP_HEADER 8
#define DSCP_CS6 0xc0 /* network control (RFC 1812 4.3.2.5) */
#define TTL 64

/* Type and code. */
static const struct {
	uint8_t v4[2], v6[2];
} kinds[] = {
    [ICMP_ERROR_TOO_BIG] = {{3, 4}, {2, 0}},
    [ICMP_ERROR_TTL_EXPIRED] = {{11, 0}, {3, 0}},
    [ICMP_ERROR_NO_ROUTE] = {{3, 0}, {1, 0}},
    [ICMP_ERROR_PROHIBITED] = {{3, 13}, {1, 1}},
};

/* Bytes of the packet from p->ip that the first segment holds. */
static uint32_t first_bytes(const struct packet *p)
{
	return (uint32_t)(rte_pktmbuf_mtod(p->m, uint8_t *) + p->m->data_len - p->ip);
}

/* True also where the type cannot be read. */
static bool is_icmp_error(const struct packet *p)
{
	if (p->proto != (p->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return false;
	if (p->l4_off >= p->ip_len || p->l4_off >= first_bytes(p))
		return true;
	uint8_t type = p->ip[p->l4_off];
	if (p->family == 6)
		return type < 128 || type == 137; /* redirect */
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

bool icmp_error_allowed(const struct packet *about)
{
	const size_t size = ip_size(about->family);
	const uint8_t *at = about->ip + (about->family == 4 ? 12 : 8);
	struct ip_addr source = ip_addr_from(about->family, at);
	struct ip_addr destination = ip_addr_from(about->family, at + size);

	return (about->flags & PACKET_NOT_FIRST) == 0 && ip_addr_is_unicast(&source) &&
	       ip_addr_is_unicast(&destination) && !is_icmp_error(about);
}

static void write_ipv4(uint8_t *ip, uint16_t len, const uint8_t *source, const uint8_t *to)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = DSCP_CS6;
	store_be16(ip + 2, len);
	store_be16(ip + 6, 0x4000); /* DF, so that the id may be 0 (RFC 6864) */
	ip[8] = TTL;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, source, 4);
	memcpy(ip + 16, to, 4);
	checksum_ipv4_write(ip, 20);
}

static void write_ipv6(uint8_t *ip, uint16_t len, const uint8_t *source, const uint8_t *to)
{
	store_be32(ip, 6u << 28 | DSCP_CS6 << 20);
	store_be16(ip + 4, (uint16_t)(len - 40));
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = TTL;
	memcpy(ip + 8, source, 16);
	memcpy(ip + 24, to, 16);
}

static void write_icmp(uint8_t *icmp, const uint8_t type_code[2], uint32_t mtu, bool with_mtu)
{
	icmp[0] = type_code[0];
	icmp[1] = type_code[1];
	store_u16(icmp + 2, 0);
	store_be32(icmp + 4, with_mtu ? mtu : 0);
}

struct rte_mbuf *icmp_error_build(struct rte_mempool *pool, enum icmp_error_kind kind,
				  const struct packet *about, const struct ip_addr *source,
				  uint32_t mtu)
{
	const bool four = about->family == 4;
	const uint32_t header = (four ? 20 : 40) + ICMP_HEADER;
	const uint32_t quote = RTE_MIN(about->ip_len, (four ? 576 : 1280) - header);
	const uint32_t from = (uint32_t)(about->ip - rte_pktmbuf_mtod(about->m, uint8_t *));
	const uint16_t len = (uint16_t)(header + quote);

	if (source->family != about->family)
		return NULL;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	if (m == NULL)
		return NULL;
	uint8_t *ip = (uint8_t *)rte_pktmbuf_append(m, len);
	const uint8_t *quoted =
	    ip != NULL ? rte_pktmbuf_read(about->m, from, quote, ip + header) : NULL;
	if (quoted == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	if (quoted != ip + header)
		memcpy(ip + header, quoted, quote);

	uint8_t *icmp = ip + header - ICMP_HEADER;
	uint16_t sum = 0;
	if (four) {
		write_ipv4(ip, len, source->bytes, about->ip + 12);
		write_icmp(icmp, kinds[kind].v4, mtu < UINT16_MAX ? mtu : UINT16_MAX,
			   kind == ICMP_ERROR_TOO_BIG);
		sum = checksum_sum(icmp, ICMP_HEADER + quote);
	} else {
		write_ipv6(ip, len, source->bytes, about->ip + 8);
		write_icmp(icmp, kinds[kind].v6, mtu, kind == ICMP_ERROR_TOO_BIG);
		checksum_upper(m, 40, ICMP_HEADER + quote, 6, ip + 8, ip + 24, IPPROTO_ICMPV6,
			       &sum);
	}
	store_u16(icmp + 2, (uint16_t)~sum);
	return m;
}
