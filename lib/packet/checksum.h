/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_CHECKSUM_H
#define ESPALIER_PACKET_CHECKSUM_H

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_mbuf.h>

#include "packet/bytes.h"

/*
 * Checksums as they stand in packets: 16-bit words in the order in which they
 * are read from memory, so no byte is swapped. Any thread.
 */

/* RFC 1624 equation 3: the checksum after one of the words it covers changed. */
static inline uint16_t checksum_adjust(uint16_t sum, uint16_t from, uint16_t to)
{
	uint32_t s = (uint32_t)(uint16_t)~sum + (uint16_t)~from + to;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* Replace the 16-bit word at the even offset `off` of an IPv4 header. */
static inline void checksum_ipv4_replace(uint8_t *ip, unsigned int off, uint16_t to)
{
	store_u16(ip + 10, checksum_adjust(load_u16(ip + 10), load_u16(ip + off), to));
	store_u16(ip + off, to);
}

/* Lower the TTL (IPv4, which must not be 0) or hop limit of a header by one. */
static inline void ip_decrement_ttl(uint8_t *ip, uint8_t family)
{
	if (family != 4) {
		ip[7]--;
		return;
	}
	/* TTL, protocol and checksum in one word; the checksum grows by what the TTL loses. */
	uint32_t word = rte_be_to_cpu_32(load_u32(ip + 8));
	uint32_t sum = (word & 0xffff) + 0x0100;
	sum += sum >= 0xffff;
	store_u32(ip + 8, rte_cpu_to_be_32((word & 0xffff0000) - 0x01000000 + (sum & 0xffff)));
}

/* Set the DSCP and ECN byte of a header. */
static inline void ip_set_tos(uint8_t *ip, uint8_t family, uint8_t tos)
{
	if (family == 4) {
		uint16_t word =
		    (uint16_t)((load_u16(ip) & RTE_BE16(0xff00)) | rte_cpu_to_be_16(tos));
		checksum_ipv4_replace(ip, 0, word);
	} else {
		ip[0] = (uint8_t)(0x60 | tos >> 4);
		ip[1] = (uint8_t)(tos << 4 | (ip[1] & 0x0f));
	}
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* One's complement sum, not inverted, of `len` bytes; an odd last byte is padded with 0. */
static inline uint16_t checksum_sum(const void *bytes, size_t len)
{
	const uint8_t *at = (const uint8_t *)bytes;
	uint64_t sum = 0;

	for (; len >= 4; len -= 4, at += 4)
		sum += load_u32(at);
	if (len >= 2) {
		sum += load_u16(at);
		at += 2;
	}
	if (len & 1)
		sum += RTE_BE16((uint16_t)(*at << 8));
	return checksum_fold(sum);
}

/* Write the checksum of an IPv4 header of `len` bytes. */
static inline void checksum_ipv4_write(uint8_t *ip, size_t len)
{
	store_u16(ip + 10, 0);
	store_u16(ip + 10, (uint16_t)~checksum_sum(ip, len));
}

/*
 * One's complement sum, not inverted, of an upper-layer packet of `len` bytes at
 * `off` in a possibly chained mbuf, with the pseudo header of `family` addresses
 * at `src` and `dst` (RFC 8200 8.1): 0xffff where the bytes hold a valid checksum.
 * -EINVAL if the mbuf is shorter. (rte_raw_cksum_mbuf() of DPDK 22.11 loses
 * carries in segments that begin at an odd offset.)
 */
static inline int checksum_upper(const struct rte_mbuf *m, uint32_t off, uint32_t len,
				 uint8_t family, const void *src, const void *dst, uint8_t proto,
				 uint16_t *sum)
{
	const size_t addr = family == 4 ? 4 : 16;
	uint64_t s = RTE_BE16((uint16_t)proto);
	uint32_t done = 0;

	s += checksum_sum(src, addr);
	s += checksum_sum(dst, addr);
	s += rte_cpu_to_be_16((uint16_t)len);
	for (; m != NULL && done < len; m = m->next) {
		if (off >= m->data_len) {
			off -= m->data_len;
			continue;
		}
		uint32_t part = RTE_MIN(m->data_len - off, len - done);
		uint16_t words = checksum_sum(rte_pktmbuf_mtod_offset(m, const void *, off), part);
		s += done & 1 ? rte_bswap16(words) : words;
		done += part;
		off = 0;
	}
	if (done < len)
		return -EINVAL;
	*sum = checksum_fold(s);
	return 0;
}

/*
 * Write the checksum of the UDP datagram of `len` bytes at `off` behind the IPv6
 * header `ip6`; its header lies in the first segment. 0 is sent as 0xffff, since
 * 0 means "none", which IPv6 forbids (RFC 8200 8.1). Returns 0 or -EINVAL.
 */
static inline int checksum_udp6_write(struct rte_mbuf *m, const uint8_t *ip6, uint32_t off,
				      uint32_t len)
{
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, off + 6);
	uint16_t sum;

	store_u16(field, 0);
	if (checksum_upper(m, off, len, 6, ip6 + 8, ip6 + 24, IPPROTO_UDP, &sum) < 0)
		return -EINVAL;
	store_u16(field, sum == 0xffff ? 0xffff : (uint16_t)~sum);
	return 0;
}

#endif
