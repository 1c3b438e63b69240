/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <string.h>

#include "esp/ecn.h"
#include "esp/esp.h"
#include "packet/checksum.h"
#include "packet/cut.h"

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
		packet_cut(p->m, p->ip, p->ip_len);
		v->p[kept++] = p;
	}
	v->n = kept;
}
