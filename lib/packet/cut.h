/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PACKET_CUT_H
#define ESPALIER_PACKET_CUT_H

#include <stdint.h>
#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

/* Cut a chain to `len` bytes; segments beyond are freed. */
static inline void packet_cut_chain(struct rte_mbuf *m, uint32_t len)
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

/*
 * Make the mbuf's data the `len` bytes from `at`, a place in the first segment:
 * what lies before becomes headroom, what lies behind goes.
 */
static inline void packet_cut(struct rte_mbuf *m, const uint8_t *at, uint32_t len)
{
	int32_t lead = (int32_t)(at - rte_pktmbuf_mtod(m, const uint8_t *));

	m->data_off = (uint16_t)(m->data_off + lead);
	if (likely(m->next == NULL)) {
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
		return;
	}
	m->data_len = (uint16_t)(m->data_len - lead);
	packet_cut_chain(m, len);
}

#endif
