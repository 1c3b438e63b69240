/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>
#include <rte_byteorder.h>

#include "esp/esp.h"
#include "packet/bytes.h"

#define ESP_HEADER 8
#define ESP_AND_IV (ESP_HEADER + AEAD_IV_SIZE)
#define NEXT_HEADER_NONE 59
#define IPV4_DF 0x4000

/* Padding 1, 2, 3 and the pad length, by length (RFC 4303 2.4); next header follows. */
static const uint8_t padding[4][4] = {{0}, {1, 1}, {1, 2, 2}, {1, 2, 3, 3}};

static inline uint8_t outer_tos(const struct packet *p, const struct sa_out *sa)
{
	if (unlikely((sa->flags & SA_OUT_DSCP_SET) != 0))
		return (uint8_t)(sa->dscp << 2 | (p->tos & 3));
	return p->tos;
}

static inline bool outer_df(const struct packet *p, const struct sa_out *sa)
{
	if ((sa->flags & SA_OUT_DF_COPY) != 0)
		return p->family == 6 || (p->ip[6] & (IPV4_DF >> 8)) != 0;
	return (sa->flags & SA_OUT_DF_SET) != 0;
}

/* `constant` is the sum of the header's constant words. */
static inline void finish_ipv4(uint8_t *ip, uint16_t len, uint8_t tos, uint16_t id, bool df,
			       uint16_t constant)
{
	uint16_t be_len = rte_cpu_to_be_16(len);
	uint16_t be_id = rte_cpu_to_be_16(id);
	uint16_t be_off = df ? RTE_BE16(IPV4_DF) : 0;
	uint32_t sum = (uint32_t)constant + rte_cpu_to_be_16(tos) + be_len + be_id + be_off;

	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	ip[1] = tos;
	store_u16(ip + 2, be_len);
	store_u16(ip + 4, be_id);
	store_u16(ip + 6, be_off);
	store_u16(ip + 10, (uint16_t)~sum);
}

static inline void finish_ipv6(uint8_t *ip, uint16_t payload, uint8_t tos)
{
	ip[0] = (uint8_t)(0x60 | tos >> 4);
	ip[1] = (uint8_t)(tos << 4);
	store_be16(ip + 4, payload);
}

/* Write the trailer behind the last byte and return where the ICV goes. */
static inline uint8_t *append_trailer(struct rte_mbuf *m, uint8_t next_header, uint16_t pad)
{
	struct rte_mbuf *last = unlikely(m->next != NULL) ? rte_pktmbuf_lastseg(m) : m;
	uint8_t *at = rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len);
	uint16_t len = (uint16_t)(pad + 2 + AEAD_ICV_SIZE);

	memcpy(at, padding[pad], sizeof(padding[pad]));
	at[pad + 1] = next_header;
	last->data_len += len;
	m->pkt_len += len;
	return at + pad + 2;
}

static inline void prepare_op(struct aead_op *op, const struct packet *p, const struct sa_out *sa,
			      uint32_t spi)
{
	uint64_t be_seq = rte_cpu_to_be_64(p->seq);

	op->algorithm = sa->algorithm;
	op->key = &sa->key;
	memcpy(op->nonce, sa->salt, AEAD_SALT_SIZE);
	memcpy(op->nonce + AEAD_SALT_SIZE, &be_seq, sizeof(be_seq));
	memcpy(op->aad, &spi, sizeof(spi));
	if (likely((sa->flags & SA_OUT_ESN) != 0)) {
		memcpy(op->aad + 4, &be_seq, sizeof(be_seq));
		op->aad_len = 12;
	} else {
		store_be32(op->aad + 4, (uint32_t)p->seq);
		op->aad_len = 8;
	}
}

static inline uint8_t next_header(const struct packet *p)
{
	if (unlikely((p->flags & PACKET_DUMMY) != 0))
		return NEXT_HEADER_NONE;
	return p->family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
}

uint8_t esp_encapsulate(struct vector *v, struct esp_ops *ops, uint64_t now)
{
	uint8_t flags = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_out *sa = p->out;
		struct rte_mbuf *m = p->m;
		struct aead_op *op = &ops->op[i];
		uint8_t current = atomic_load_explicit(&sa->current, memory_order_acquire);
		struct sa_outer outer = sa->outer[current];
		uint16_t pad = (uint16_t)(-(p->ip_len + 2) & 3);
		uint8_t tos = outer_tos(p, sa);
		bool df = outer_df(p, sa);
		uint8_t *text = p->ip;

		flags |= sa->flags;
		sa->bytes += p->ip_len;
		sa->last_used = now;

		op->icv = append_trailer(m, next_header(p), pad);
		op->text = text;
		op->len = (uint32_t)p->ip_len + pad + 2;
		op->chain = NULL;
		if (unlikely(m->next != NULL)) {
			op->chain = m;
			op->text_off = outer.len;
		}

		/* What lies before the header proper is free headroom. */
		memcpy(text - SA_HEADER_MAX, sa->header[current], SA_HEADER_MAX);
		store_be32(text - 12, (uint32_t)p->seq);
		uint64_t iv = rte_cpu_to_be_64(p->seq);
		memcpy(text - AEAD_IV_SIZE, &iv, sizeof(iv));
		uint32_t spi = load_u32(sa->header[current] + SA_HEADER_MAX - ESP_AND_IV);
		prepare_op(op, p, sa, spi);

		m->data_off -= outer.len;
		m->data_len += outer.len;
		m->pkt_len += outer.len;
		p->ip = text - outer.len;
		p->ip_len = (uint16_t)m->pkt_len;
		uint16_t behind_ip = (uint16_t)(op->len + AEAD_ICV_SIZE + ESP_AND_IV);
		if ((outer.flags & SA_OUTER_UDP) != 0) {
			behind_ip += 8;
			store_be16(text - ESP_AND_IV - 4, behind_ip);
		}
		if (likely((outer.flags & SA_OUTER_IPV6) == 0)) {
			p->family = 4;
			finish_ipv4(p->ip, p->ip_len, tos, df ? 0 : (uint16_t)p->seq, df,
				    outer.checksum);
		} else {
			p->family = 6;
			finish_ipv6(p->ip, behind_ip, tos);
		}
	}
	return flags;
}
