/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>

#include "esp/ecn.h"
#include "esp/esp.h"
#include "packet/checksum.h"

#define ESP_AND_IV (8 + AEAD_IV_SIZE)
#define NEXT_HEADER_NONE 59

struct trailer {
	uint8_t pad_len, next_header;
	const uint8_t *padding; /* pad_len bytes; NULL if the packet is too short for them */
};

/* `end` counts from the mbuf's data to behind the next-header byte. */
static inline struct trailer read_trailer(const struct packet *p, uint32_t end, uint32_t text_len,
					  uint8_t *copy)
{
	struct trailer t;
	uint8_t two[2];
	const uint8_t *last = rte_pktmbuf_read(p->m, end - 2, 2, two);

	t.pad_len = last[0];
	t.next_header = last[1];
	t.padding = NULL;
	if (likely(t.pad_len <= text_len - 2))
		t.padding = rte_pktmbuf_read(p->m, end - 2 - t.pad_len, t.pad_len, copy);
	return t;
}

static inline bool padding_right(const struct trailer *t)
{
	if (unlikely(t->padding == NULL))
		return false;
	for (unsigned int i = 0; i < t->pad_len; i++) {
		if (t->padding[i] != i + 1)
			return false;
	}
	return true;
}

static void cut_chain(struct rte_mbuf *m, uint32_t len)
{
	m->pkt_len = len;
	for (struct rte_mbuf *s = m; s != NULL; s = s->next) {
		s->data_len = (uint16_t)RTE_MIN((uint32_t)s->data_len, len);
		len -= s->data_len;
	}
}

/* Data of the mbuf becomes the inner packet: what is before and behind it goes. */
static inline void cut_to_inner(struct packet *p)
{
	struct rte_mbuf *m = p->m;
	uint16_t lead = (uint16_t)(p->ip - rte_pktmbuf_mtod(m, uint8_t *));

	m->data_off += lead;
	m->data_len -= lead;
	m->pkt_len -= lead;
	if (likely(m->next == NULL)) {
		m->data_len = p->ip_len;
		m->pkt_len = p->ip_len;
	} else {
		cut_chain(m, p->ip_len);
	}
}

/* DROP_REASONS where all is well. */
static inline enum drop_reason strip_one(struct packet *p)
{
	uint8_t outer_tos = p->tos, copy[256];
	uint8_t *text = p->ip + p->esp_off + ESP_AND_IV;
	uint32_t text_off = (uint32_t)(text - rte_pktmbuf_mtod(p->m, uint8_t *));
	uint32_t text_len = (uint32_t)(p->ip_len - p->esp_off) - ESP_AND_IV - AEAD_ICV_SIZE;
	struct trailer t = read_trailer(p, text_off + text_len, text_len, copy);

	if (unlikely(!padding_right(&t)))
		return DROP_ESP_PADDING;
	if (unlikely(t.next_header != IPPROTO_IPIP && t.next_header != IPPROTO_IPV6))
		return t.next_header == NEXT_HEADER_NONE ? DROP_ESP_DUMMY : DROP_ESP_NEXT_HEADER;

	uint32_t inner_len = text_len - 2 - t.pad_len;
	uint32_t contiguous = p->m->data_len - text_off;
	p->ip = text;
	p->flags = PACKET_DECAPSULATED;
	if (unlikely(packet_parse_ip(p, RTE_MIN(contiguous, inner_len), inner_len) != 0 ||
		     p->family != (t.next_header == IPPROTO_IPIP ? 4 : 6)))
		return DROP_ESP_INNER;

	uint8_t ecn = ecn_decapsulate(p->tos, outer_tos);
	if (unlikely(ecn != (p->tos & 3))) {
		if (ecn == ECN_DROP)
			return DROP_ESP_ECN;
		p->tos = (uint8_t)((p->tos & ~3) | ecn);
		ip_set_tos(p->ip, p->family, p->tos);
	}
	return DROP_REASONS;
}

void esp_strip(struct vector *v, struct drops *d)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_in *sa = p->in;

		p->tunnel = sa->tunnel;
		enum drop_reason reason = strip_one(p);
		if (unlikely(reason != DROP_REASONS)) {
			if (reason == DROP_ESP_ECN)
				sa->ecn++;
			else if (reason != DROP_ESP_DUMMY)
				sa->malformed++;
			drop(d, p->m, reason);
			continue;
		}
		cut_to_inner(p);
		v->p[kept++] = p;
	}
	v->n = kept;
}
