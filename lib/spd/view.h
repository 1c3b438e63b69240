/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_VIEW_H
#define ESPALIER_SPD_VIEW_H

#include <stdatomic.h>
#include <rte_acl.h>

#include "spd/flow_cache.h"
#include "spd/spd.h"
#include "spd/table.h"

#define SPD_WORKERS_MAX 64

/* The committed policies as workers read them; never changed once published. */
struct spd_view {
	struct spd *spd;
	uint64_t number;            /* of the commit */
	struct rte_acl_ctx *acl[2]; /* IPv4, IPv6; NULL: no policy of that family */
	uint32_t policies;
	uint32_t *retired; /* slots that no later view knows */
	uint32_t retired_count;
	uint32_t slots;
	struct verdict verdict[]; /* by slot, 0 … slots */
};

/* Frees a view and lets its retired slots be used again; for rcu_defer(). */
void view_free(void *view);

/* Written by one worker; sums are read by the control thread. */
struct policy_count {
	uint64_t packets, bytes;
};

static inline uint64_t relaxed_load(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* By the only writer: no locked instruction. */
static inline void relaxed_add(uint64_t *at, uint64_t n)
{
	__atomic_store_n(at, *at + n, __ATOMIC_RELAXED);
}

struct spd {
	struct spd_view *_Atomic view;
	struct policy_table table;
	uint64_t commits;
	bool changed;      /* since the last commit */
	uint32_t *retired; /* slots of the current view that the next one will not know */
	uint32_t retired_count, retired_room;
	uint64_t seed[6];
	struct policy_count *counts[SPD_WORKERS_MAX]; /* POLICIES_MAX + 1 each */
};

struct spd_cache {
	struct spd *spd;
	struct policy_count *counts;
	uint64_t epoch; /* the generation in keys has wrapped this often */
	struct flow_cache flows;
};

#endif
