/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_FLOW_CACHE_H
#define ESPALIER_SPD_FLOW_CACHE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_common.h>
#include <rte_prefetch.h>

#include "spd/flow_key.h"

/*
 * Exact-match table from a flow to the slot of the policy that it met (0: none),
 * of one worker. Set-associative and of fixed size: a new flow takes the place of
 * an outdated or else of the next flow in its set, so that a flood of flows costs
 * misses and nothing more.
 */
struct flow_set_v4 {
	uint64_t key[3][2];
	uint32_t slot[3];
	uint32_t turn;
} __rte_cache_aligned;
static_assert(sizeof(struct flow_set_v4) == 64, "one line a set");

struct flow_entry_v6 {
	uint64_t key[5];
	uint32_t slot;
	uint32_t turn; /* in the first of a set */
} __rte_cache_aligned;

struct flow_set_v6 {
	struct flow_entry_v6 way[2];
};

struct flow_cache {
	struct flow_set_v4 *v4;
	struct flow_set_v6 *v6;
	uint32_t mask_v4, mask_v6;
	uint64_t seed[6];
	uint32_t entries;
};

/* `entries` is a power of two, of each family. 0 or -ENOMEM. */
int flow_cache_init(struct flow_cache *c, uint32_t entries, const uint64_t seed[6]);
void flow_cache_fini(struct flow_cache *c);
void flow_cache_clear(struct flow_cache *c);

/*
 * Remember; `set` is the flow's own. An entry with the same key is overwritten.
 */
void flow_set_v4_put(struct flow_set_v4 *set, const uint64_t *key, uint32_t slot);
void flow_set_v6_put(struct flow_set_v6 *set, const uint64_t *key, uint32_t slot);

/*
 * Senders choose their flows. A CRC with a secret start value would not stop
 * them from filling one set, since whether two keys collide does not depend on
 * the start value; a product with secret operands does.
 */
static inline uint64_t flow_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline struct flow_set_v4 *flow_set_v4(const struct flow_cache *c, const uint64_t *key)
{
	return &c->v4[flow_mix(key[0] ^ c->seed[0], key[1] ^ c->seed[1]) & c->mask_v4];
}

static inline struct flow_set_v6 *flow_set_v6(const struct flow_cache *c, const uint64_t *key)
{
	uint64_t addresses = flow_mix(key[0] ^ c->seed[0], key[1] ^ c->seed[1]) ^
			     flow_mix(key[2] ^ c->seed[2], key[3] ^ c->seed[3]);

	return &c->v6[flow_mix(addresses ^ c->seed[4], key[4] ^ c->seed[5]) & c->mask_v6];
}

/* False on a miss, and *slot is then anything. */
static inline bool flow_set_v4_get(const struct flow_set_v4 *set, const uint64_t *key,
				   uint32_t *slot)
{
	bool first = ((set->key[0][0] ^ key[0]) | (set->key[0][1] ^ key[1])) == 0;
	bool second = ((set->key[1][0] ^ key[0]) | (set->key[1][1] ^ key[1])) == 0;
	bool third = ((set->key[2][0] ^ key[0]) | (set->key[2][1] ^ key[1])) == 0;

	*slot = set->slot[second + 2u * third];
	return first | second | third;
}

static inline bool flow_entry_v6_is(const struct flow_entry_v6 *e, const uint64_t *key)
{
	return ((e->key[0] ^ key[0]) | (e->key[1] ^ key[1]) | (e->key[2] ^ key[2]) |
		(e->key[3] ^ key[3]) | (e->key[4] ^ key[4])) == 0;
}

static inline bool flow_set_v6_get(const struct flow_set_v6 *set, const uint64_t *key,
				   uint32_t *slot)
{
	bool second = flow_entry_v6_is(&set->way[1], key);

	*slot = set->way[second].slot;
	return second || flow_entry_v6_is(&set->way[0], key);
}

#endif
