/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESP_WATCH_LIFETIME_H
#define ESPALIER_ESP_WATCH_LIFETIME_H

#include "esp/esp.h"

/* Look at the lifetimes of an SA with SA_OUT_LIMITED; one that has ended is stopped. */
static inline void watch_sender(struct sa_out *sa, const struct esp_watch *watch)
{
	uint64_t packets = sa->seq - sa->seq_first + 1;

	if (unlikely(sa_marks_due(&sa->marks, packets, sa->bytes)) &&
	    sa_marks_reached(&sa->marks, packets, sa->bytes, watch->notices)) {
		/* In this order: see sa_extend(). */
		atomic_store(&sa->end, SA_EXPIRED);
		atomic_store(&sa->seq_limit, 0);
	}
}

#endif
