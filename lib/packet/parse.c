/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "packet/checksum.h"
#include "packet/packet.h"

#define EXTENSIONS_MAX 8

static int parse_ipv4(struct packet *p, uint32_t avail, uint32_t total)
{
	const uint8_t *ip = p->ip;

	if (avail < 20)
		return -EBADMSG;
	uint16_t header = (ip[0] & 0xf) * 4;
	uint16_t len = load_be16(ip + 2);
	if (header < 20 || header > avail || len < header || len > total ||
	    checksum_sum(ip, header) != 0xffff)
		return -EBADMSG;
	uint16_t fragment = load_be16(ip + 6) & 0x3fff; /* MF and offset */
	if (fragment != 0)
		p->flags |= PACKET_FRAGMENT;
	if ((fragment & 0x1fff) != 0)
		p->flags |= PACKET_NOT_FIRST;
	p->ip_len = len;
	p->l4_off = header;
	p->family = 4;
	p->proto = ip[9];
	p->tos = ip[1];
	return 0;
}

/*
 * Length of the extension header `proto` at `at`, of which `left` bytes can be
 * read; 0 if `proto` is none (then the walk ends), -EBADMSG if it is cut short.
 */
static int extension_length(uint8_t proto, const uint8_t *at, uint32_t left)
{
	uint32_t len;

	switch (proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		len = left >= 2 ? 8u + at[1] * 8u : 8;
		break;
	case IPPROTO_FRAGMENT:
		len = 8;
		break;
	default:
		return 0;
	}
	return len <= left ? (int)len : -EBADMSG;
}

/* RFC 8200 4. The first fragment must hold the whole chain (RFC 7112). */
static int walk_extensions(struct packet *p, uint32_t avail)
{
	uint32_t end = RTE_MIN(avail, p->ip_len);
	uint8_t proto = p->ip[6];
	uint32_t at = 40;
	bool fragmented = false;

	for (int i = 0;; i++) {
		const uint8_t *header = p->ip + at;
		int len = extension_length(proto, header, end - at);

		if (len == 0)
			break;
		/* Hop-by-hop options stand first or not at all; one fragment header is enough. */
		if (len < 0 || i == EXTENSIONS_MAX || (proto == IPPROTO_HOPOPTS && i > 0) ||
		    (proto == IPPROTO_FRAGMENT && fragmented))
			return -EBADMSG;
		at += (uint32_t)len;
		if (proto == IPPROTO_FRAGMENT) {
			uint16_t fragment = load_be16(header + 2) & 0xfff9; /* offset and M */

			fragmented = true;
			if (fragment != 0)
				p->flags |= PACKET_FRAGMENT;
			if (fragment > 1) {
				p->flags |= PACKET_NOT_FIRST;
				proto = header[0];
				break;
			}
		}
		proto = header[0];
	}
	p->proto = proto;
	p->l4_off = (uint16_t)at;
	return 0;
}

static int parse_ipv6(struct packet *p, uint32_t avail, uint32_t total)
{
	const uint8_t *ip = p->ip;

	if (avail < 40)
		return -EBADMSG;
	uint32_t len = 40u + load_be16(ip + 4);
	if (len > total || len > UINT16_MAX)
		return -EBADMSG;
	p->ip_len = (uint16_t)len;
	p->family = 6;
	p->tos = (uint8_t)(load_be16(ip) >> 4);
	return walk_extensions(p, avail);
}

int packet_parse_rest(struct packet *p, uint32_t avail, uint32_t total)
{
	p->flags &= (uint8_t) ~(PACKET_FRAGMENT | PACKET_NOT_FIRST);
	if (avail == 0)
		return -EBADMSG;
	switch (p->ip[0] >> 4) {
	case 4:
		return parse_ipv4(p, avail, total);
	case 6:
		return parse_ipv6(p, avail, total);
	default:
		return -EBADMSG;
	}
}
