/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "esp/esp.h"

/* Padding to 4 bytes, pad length, next header, ICV. */
#define TRAILER_MAX (3 + 2 + AEAD_ICV_SIZE)

/* Cut a chain to `len` bytes; segments beyond are freed. */
static void trim_chain(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;

	m->pkt_len = len;
	while (len > last->data_len) {
		len -= last->data_len;
		last = last->next;
	}
	last->data_len = (uint16_t)len;
	for (struct rte_mbuf *beyond = last->next; beyond != NULL;) {
		struct rte_mbuf *next = beyond->next;
		rte_pktmbuf_free_seg(beyond);
		m->nb_segs--;
		beyond = next;
	}
	last->next = NULL;
}

static bool extend_chain(struct rte_mbuf *m)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(m);

	if (rte_pktmbuf_tailroom(last) >= TRAILER_MAX)
		return true;
	struct rte_mbuf *more = rte_pktmbuf_alloc(m->pool);
	if (more == NULL)
		return false;
	last->next = more;
	m->nb_segs++;
	return true;
}

void esp_make_room(struct vector *v, struct drops *d)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct rte_mbuf *m = p->m;
		size_t before = (size_t)(p->ip - (uint8_t *)m->buf_addr);

		if (unlikely(before < SA_HEADER_MAX + RTE_ETHER_HDR_LEN)) {
			drop(d, m, DROP_NO_ROOM);
			continue;
		}
		uint16_t lead = (uint16_t)(before - m->data_off);
		m->data_off = (uint16_t)before;
		m->data_len -= lead;
		m->pkt_len -= lead;
		if (likely(m->next == NULL)) {
			m->data_len = p->ip_len;
			m->pkt_len = p->ip_len;
		} else {
			trim_chain(m, p->ip_len);
		}
		if (unlikely(m->next != NULL || rte_pktmbuf_tailroom(m) < TRAILER_MAX) &&
		    !extend_chain(m)) {
			drop(d, m, DROP_NO_BUFFER);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}
