/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/watch_lifetime.h"

void esp_watch_sending(const struct vector *v, const struct esp_watch *watch)
{
	for (uint16_t i = 0; i < v->n; i++) {
		struct sa_out *sa = v->p[i]->out;

		/* Once for a run of packets of one SA, behind its last. */
		if (i + 1 < v->n && v->p[i + 1]->out == sa)
			continue;
		if (likely((sa->flags & SA_OUT_LIMITED) != 0))
			watch_sender(sa, watch);
	}
}

void esp_watch_receiving(const struct vector *v, const struct esp_watch *watch)
{
	for (uint16_t i = 0; i < v->n; i++) {
		struct sa_in *sa = v->p[i]->in;

		if (i + 1 < v->n && v->p[i + 1]->in == sa)
			continue;
		if (likely((sa->flags & SA_IN_LIMITED) == 0))
			continue;
		if (unlikely(sa_marks_due(&sa->marks, sa->packets, sa->bytes)) &&
		    sa_marks_reached(&sa->marks, sa->packets, sa->bytes, watch->notices))
			atomic_store(&sa->end, SA_EXPIRED);
	}
}
