/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"

static void tell_exhausted(struct sa_marks *m, const struct esp_watch *watch)
{
	const struct notice n = {.kind = NOTICE_EXHAUSTED,
				 .direction = SA_OUTBOUND,
				 .limit = LIMIT_SEQUENCE,
				 .slot = m->slot,
				 .serial = m->serial};

	if ((m->told & SA_TOLD_END) == 0 && notice_put(watch->notices, &n))
		m->told |= SA_TOLD_END;
}

/* Its life has ended, the space itself, or what is reserved so far. */
static enum drop_reason refuse(struct sa_out *sa, const struct esp_watch *watch)
{
	uint64_t end = (sa->flags & SA_OUT_ESN) != 0 ? UINT64_MAX : UINT32_MAX;

	sa->refused++;
	if (atomic_load_explicit(&sa->end, memory_order_relaxed) == SA_EXPIRED) {
		sa_marks_retry(&sa->marks, watch->notices);
		return DROP_SA_EXPIRED;
	}
	if (sa->seq < end)
		return DROP_SEQ_UNRESERVED;
	tell_exhausted(&sa->marks, watch);
	return DROP_SEQ_EXHAUSTED;
}

void esp_number(struct vector *v, struct drops *d, const struct esp_watch *watch)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_out *sa = p->out;

		if (unlikely(sa->seq >=
			     atomic_load_explicit(&sa->seq_limit, memory_order_relaxed))) {
			drop(d, p->m, refuse(sa, watch));
			continue;
		}
		p->seq = ++sa->seq;
		v->p[kept++] = p;
	}
	v->n = kept;
}
