/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/prefix_map.h"

#include <stdlib.h>
#include <rte_common.h>

#include "route/address_hash.h"

struct prefix_entry {
	struct ip_prefix prefix;
	uint32_t number;
	uint32_t next; /* index + 1, in its bucket or in the free list */
};

struct prefix_map {
	struct prefix_entry *entries;
	uint32_t *buckets; /* index + 1 of the first entry */
	uint32_t mask;
	uint32_t free;
};

struct prefix_map *prefix_map_create(uint32_t max)
{
	struct prefix_map *map = calloc(1, sizeof(*map));
	uint32_t buckets = rte_align32pow2(max);

	if (map == NULL)
		return NULL;
	map->mask = buckets - 1;
	map->buckets = calloc(buckets, sizeof(*map->buckets));
	map->entries = calloc(max, sizeof(*map->entries));
	if (map->buckets == NULL || map->entries == NULL) {
		prefix_map_free(map);
		return NULL;
	}
	for (uint32_t i = max; i > 0; i--) {
		map->entries[i - 1].next = map->free;
		map->free = i;
	}
	return map;
}

void prefix_map_free(struct prefix_map *map)
{
	if (map == NULL)
		return;
	free(map->entries);
	free(map->buckets);
	free(map);
}

/* The link that points at the entry of `prefix`, or at 0 at the end of its bucket. */
static uint32_t *find(const struct prefix_map *map, const struct ip_prefix *prefix)
{
	uint32_t *link = &map->buckets[address_hash(&prefix->addr, prefix->len) & map->mask];

	while (*link != 0 && !ip_prefix_equal(&map->entries[*link - 1].prefix, prefix))
		link = &map->entries[*link - 1].next;
	return link;
}

uint32_t prefix_map_get(const struct prefix_map *map, const struct ip_prefix *prefix)
{
	uint32_t at = *find(map, prefix);

	return at != 0 ? map->entries[at - 1].number : 0;
}

bool prefix_map_has_room(const struct prefix_map *map)
{
	return map->free != 0;
}

uint32_t prefix_map_set(struct prefix_map *map, const struct ip_prefix *prefix, uint32_t number)
{
	uint32_t *link = find(map, prefix);

	if (*link != 0) {
		uint32_t before = map->entries[*link - 1].number;

		map->entries[*link - 1].number = number;
		return before;
	}
	uint32_t at = map->free;
	struct prefix_entry *e = &map->entries[at - 1];

	map->free = e->next;
	*e = (struct prefix_entry){.prefix = *prefix, .number = number};
	*link = at;
	return 0;
}

uint32_t prefix_map_remove(struct prefix_map *map, const struct ip_prefix *prefix)
{
	uint32_t *link = find(map, prefix);
	uint32_t at = *link;

	if (at == 0)
		return 0;
	struct prefix_entry *e = &map->entries[at - 1];

	*link = e->next;
	e->next = map->free;
	map->free = at;
	return e->number;
}
