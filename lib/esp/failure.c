/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/failure.h"

#include "sa/sa.h"

void failure_count(struct sa_in *sa, enum drop_reason reason, const struct esp_watch *watch)
{
	if (watch->now - sa->failures_tsc >= watch->hz) {
		sa->failures_tsc = watch->now;
		sa->failures = 0;
	}
	if (++sa->failures != FAILURE_BURST)
		return;
	const struct notice n = {.kind = NOTICE_FAILURES,
				 .direction = SA_INBOUND,
				 .reason = (uint8_t)reason,
				 .slot = sa->marks.slot,
				 .serial = sa->marks.serial,
				 .count = sa->failures};
	/* Where the ring is full, what is in it already says that something is wrong. */
	notice_put(watch->notices, &n);
}
