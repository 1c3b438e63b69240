/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/hop_table.h"

#include <stdlib.h>
#include <string.h>
#include <rte_jhash.h>
#include <rte_malloc.h>

#include "rcu/rcu.h"

struct hop_record {
	struct hop_table *table;
	uint32_t refs;
	uint32_t next; /* in its bucket, or in the free list */
};

struct hop_table {
	struct nexthop *slots; /* read by workers */
	struct hop_record *records;
	uint32_t *buckets;
	uint32_t mask;
	uint32_t free; /* first free id; 0: none */
};

/* Fields only: whoever fills in a hop need not care for padding. */
static struct nexthop normalise(const struct nexthop *hop)
{
	struct nexthop n;

	memset(&n, 0, sizeof(n));
	n.type = hop->type;
	n.port = hop->port;
	n.tunnel = hop->tunnel;
	n.mtu = hop->mtu;
	memcpy(n.eth, hop->eth, sizeof(n.eth));
	n.gateway.family = hop->gateway.family;
	memcpy(n.gateway.bytes, hop->gateway.bytes, sizeof(n.gateway.bytes));
	return n;
}

static uint32_t *bucket_of(struct hop_table *t, const struct nexthop *hop)
{
	return &t->buckets[rte_jhash(hop, sizeof(*hop), 0) & t->mask];
}

struct hop_table *hop_table_create(uint32_t max)
{
	struct hop_table *t = calloc(1, sizeof(*t));
	uint32_t buckets = rte_align32pow2(max + 1);

	if (t == NULL)
		return NULL;
	t->mask = buckets - 1;
	t->buckets = calloc(buckets, sizeof(*t->buckets));
	t->records = calloc(max + 1, sizeof(*t->records));
	t->slots = rte_zmalloc("hop_table", (max + 1) * sizeof(*t->slots), RTE_CACHE_LINE_SIZE);
	if (t->buckets == NULL || t->records == NULL || t->slots == NULL) {
		hop_table_free(t);
		return NULL;
	}
	t->slots[0].type = NEXTHOP_NONE;
	for (uint32_t id = max; id > 0; id--) {
		t->records[id].table = t;
		t->records[id].next = t->free;
		t->free = id;
	}
	return t;
}

void hop_table_free(struct hop_table *t)
{
	if (t == NULL)
		return;
	rte_free(t->slots);
	free(t->records);
	free(t->buckets);
	free(t);
}

const struct nexthop *hop_table_slots(const struct hop_table *t)
{
	return t->slots;
}

uint32_t hop_get(struct hop_table *t, const struct nexthop *hop)
{
	struct nexthop n = normalise(hop);
	uint32_t *bucket = bucket_of(t, &n);

	for (uint32_t id = *bucket; id != 0; id = t->records[id].next) {
		if (memcmp(&t->slots[id], &n, sizeof(n)) == 0) {
			t->records[id].refs++;
			return id;
		}
	}
	if (t->free == 0)
		rcu_barrier();
	uint32_t id = t->free;
	if (id == 0)
		return 0;
	t->free = t->records[id].next;
	memcpy(&t->slots[id], &n, sizeof(n));
	t->records[id].refs = 1;
	t->records[id].next = *bucket;
	*bucket = id;
	return id;
}

static void release(void *p)
{
	struct hop_record *r = p;
	struct hop_table *t = r->table;

	r->next = t->free;
	t->free = (uint32_t)(r - t->records);
}

void hop_put(struct hop_table *t, uint32_t id)
{
	if (id == 0 || --t->records[id].refs > 0)
		return;
	uint32_t *link = bucket_of(t, &t->slots[id]);

	while (*link != id)
		link = &t->records[*link].next;
	*link = t->records[id].next;
	rcu_defer(release, &t->records[id]);
}
