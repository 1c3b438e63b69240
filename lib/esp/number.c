/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"

/* The end of the space itself, or the end of what is reserved so far. */
static enum drop_reason end_reason(const struct sa_out *sa)
{
	uint64_t end = (sa->flags & SA_OUT_ESN) != 0 ? UINT64_MAX : UINT32_MAX;

	return sa->seq >= end ? DROP_SEQ_EXHAUSTED : DROP_SEQ_UNRESERVED;
}

void esp_number(struct vector *v, struct drops *d)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_out *sa = p->out;

		if (unlikely(sa->seq >=
			     atomic_load_explicit(&sa->seq_limit, memory_order_relaxed))) {
			sa->exhausted++;
			drop(d, p->m, end_reason(sa));
			continue;
		}
		p->seq = ++sa->seq;
		v->p[kept++] = p;
	}
	v->n = kept;
}
