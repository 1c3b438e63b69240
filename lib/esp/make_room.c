/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "esp/esp.h"
#include "packet/cut.h"

/* Padding to 4 bytes, pad length, next header, ICV. */
#define TRAILER_MAX (3 + 2 + AEAD_ICV_SIZE)

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
		packet_cut(m, p->ip, p->ip_len);
		if (unlikely(m->next != NULL || rte_pktmbuf_tailroom(m) < TRAILER_MAX) &&
		    !extend_chain(m)) {
			drop(d, m, DROP_NO_BUFFER);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}
