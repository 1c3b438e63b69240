/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/watch_lifetime.h"

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

/* The space itself has ended, the SA's life, or what is reserved so far. */
static enum drop_reason refuse(struct sa_out *sa, const struct esp_watch *watch)
{
	sa->refused++;
	if (sa->seq >= ((sa->flags & SA_OUT_ESN) != 0 ? UINT64_MAX : UINT32_MAX)) {
		tell_exhausted(&sa->marks, watch);
		return DROP_SEQ_EXHAUSTED;
	}
	/* In the middle of a vector, at a hard limit of packets. */
	if ((sa->flags & SA_OUT_LIMITED) != 0)
		watch_sender(sa, watch);
	if (atomic_load_explicit(&sa->end, memory_order_relaxed) == SA_LIVE)
		return DROP_SEQ_UNRESERVED;
	sa_marks_retry(&sa->marks, watch->notices);
	return DROP_SA_EXPIRED;
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
