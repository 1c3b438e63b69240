/* SPDX-License-Identifier: BSD-3-Clause */
#include "spd/flow_cache.h"

#include <errno.h>
#include <string.h>
#include <rte_malloc.h>

#define GENERATION_MASK (~0ull << (64 - FLOW_GENERATION_BITS))

int flow_cache_init(struct flow_cache *c, uint32_t entries, const uint64_t seed[6])
{
	/* Three ways a set of IPv4: room for half as many flows again. */
	uint32_t sets = entries / 2;

	memcpy(c->seed, seed, sizeof(c->seed));
	c->entries = entries;
	c->mask_v4 = c->mask_v6 = sets - 1;
	c->v4 = rte_zmalloc("flows v4", sets * sizeof(*c->v4), RTE_CACHE_LINE_SIZE);
	c->v6 = rte_zmalloc("flows v6", sets * sizeof(*c->v6), RTE_CACHE_LINE_SIZE);
	if (c->v4 != NULL && c->v6 != NULL)
		return 0;
	flow_cache_fini(c);
	return -ENOMEM;
}

void flow_cache_fini(struct flow_cache *c)
{
	rte_free(c->v4);
	rte_free(c->v6);
	c->v4 = NULL;
	c->v6 = NULL;
}

void flow_cache_clear(struct flow_cache *c)
{
	memset(c->v4, 0, (c->mask_v4 + 1) * sizeof(*c->v4));
	memset(c->v6, 0, (c->mask_v6 + 1) * sizeof(*c->v6));
}

static bool outdated(uint64_t tail, uint64_t now)
{
	return ((tail ^ now) & GENERATION_MASK) != 0;
}

void flow_set_v4_put(struct flow_set_v4 *set, const uint64_t *key, uint32_t slot)
{
	unsigned int way = set->turn;

	for (unsigned int i = 0; i < 3; i++) {
		if (outdated(set->key[i][1], key[1]))
			way = i;
	}
	for (unsigned int i = 0; i < 3; i++) {
		if (set->key[i][0] == key[0] && set->key[i][1] == key[1])
			way = i;
	}
	if (way == set->turn)
		set->turn = way < 2 ? way + 1 : 0;
	memcpy(set->key[way], key, sizeof(set->key[way]));
	set->slot[way] = slot;
}

void flow_set_v6_put(struct flow_set_v6 *set, const uint64_t *key, uint32_t slot)
{
	unsigned int way = set->way[0].turn;

	for (unsigned int i = 0; i < 2; i++) {
		if (outdated(set->way[i].key[4], key[4]))
			way = i;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (flow_entry_v6_is(&set->way[i], key))
			way = i;
	}
	if (way == set->way[0].turn)
		set->way[0].turn = !way;
	memcpy(set->way[way].key, key, sizeof(set->way[way].key));
	set->way[way].slot = slot;
}
