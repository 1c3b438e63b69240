/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_LIFETIME_H
#define ESPALIER_SA_LIFETIME_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <rte_branch_prediction.h>

#include "sa/notice.h"
#include "sa/sa.h"

/*
 * Lifetimes of one SA in bytes and packets, as its owner worker watches them
 * (RFC 4301 4.4.2.1). Looked at once for a run of packets of one SA, and only for
 * SAs that have any. Outbound each sequence number is one packet, so the sequence
 * space is a limit of packets, too.
 */
enum sa_told {
	SA_TOLD_USE = 1 << 0,  /* the first use, or nobody wants to know */
	SA_TOLD_SOFT = 1 << 1, /* or there is no soft limit */
	SA_TOLD_END = 1 << 2,  /* a hard limit, or the end of the sequence space */
};

struct sa_marks {
	uint32_t serial, slot; /* of the SA */
	uint8_t direction;     /* enum sa_direction */
	uint8_t told;          /* enum sa_told */
	uint8_t ended;         /* enum notice_limit of a hard limit that is reached; 0: none */
	bool soft_is_number;   /* soft_packets follows from a sequence number */
	uint32_t reserved;
	/* Packets and bytes at which something is to be done next. */
	uint64_t next_packets, next_bytes;
	/* UINT64_MAX: no limit. */
	uint64_t soft_packets, hard_packets, soft_bytes, hard_bytes;
};
static_assert(sizeof(struct sa_marks) == 64, "one line");

/* Fill in from a valid spec. True where the worker has to look at them. Control thread. */
bool sa_marks_init(struct sa_marks *m, const struct sa_spec *spec, uint32_t serial, uint32_t slot);

/* EINVAL with the field. */
int sa_lifetime_check(const struct sa_spec *spec, struct fault *fault);

/*
 * Something is due: raise it, each once, and work out what is next. A notice that
 * does not fit is raised at the next call. True where a hard limit is reached.
 */
bool sa_marks_reached(struct sa_marks *m, uint64_t packets, uint64_t bytes,
		      struct notices *notices);

static inline bool sa_marks_due(const struct sa_marks *m, uint64_t packets, uint64_t bytes)
{
	return packets >= m->next_packets || bytes >= m->next_bytes;
}

/* A hard limit was reached when the ring was full: raise it now. */
void sa_marks_retry(struct sa_marks *m, struct notices *notices);

#endif
