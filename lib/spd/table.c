/* SPDX-License-Identifier: BSD-3-Clause */
#include "spd/table.h"

#include <stdlib.h>
#include <string.h>

static unsigned int name_bucket(const char *name)
{
	uint32_t h = 2166136261; /* FNV-1a */

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619;
	return h % POLICY_BUCKETS;
}

static unsigned int id_bucket(uint32_t id)
{
	return id % POLICY_BUCKETS;
}

void table_fini(struct policy_table *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->order[i]);
	free(t->order);
	free(t->free);
}

struct policy_entry *table_find_name(const struct policy_table *t, const char *name)
{
	struct policy_entry *e = t->by_name[name_bucket(name)];

	while (e != NULL && strcmp(e->policy.name, name) != 0)
		e = e->next_name;
	return e;
}

struct policy_entry *table_find_id(const struct policy_table *t, uint32_t id)
{
	struct policy_entry *e = t->by_id[id_bucket(id)];

	while (e != NULL && e->policy.id != id)
		e = e->next_id;
	return e;
}

/* The free stack has room for every slot in use, so that releasing one cannot fail. */
static bool make_room(struct policy_table *t)
{
	if (t->count < t->room && t->slots < t->room)
		return true;
	uint32_t room = t->room > 0 ? t->room * 2 : 64;
	struct policy_entry **order = realloc(t->order, room * sizeof(struct policy_entry *));
	if (order != NULL)
		t->order = order;
	uint32_t *free_slots = realloc(t->free, room * sizeof(*free_slots));
	if (free_slots != NULL)
		t->free = free_slots;
	if (order == NULL || free_slots == NULL)
		return false;
	t->room = room;
	return true;
}

/* Index of the first policy that is asked after one of `priority` that is added now. */
static uint32_t place(const struct policy_table *t, uint32_t priority)
{
	uint32_t low = 0, high = t->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (t->order[middle]->policy.priority <= priority)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct policy_entry *table_insert(struct policy_table *t, const struct policy *policy,
				  uint32_t rules)
{
	if (t->free_count == 0 && t->slots == POLICIES_MAX)
		return NULL;
	struct policy_entry *e = calloc(1, sizeof(*e));
	if (e == NULL || !make_room(t)) {
		free(e);
		return NULL;
	}
	e->policy = *policy;
	e->policy.id = ++t->last_id;
	e->slot = t->free_count > 0 ? t->free[--t->free_count] : ++t->slots;
	e->rules = rules;
	t->rules[policy->selector.local_first.family == 6] += rules;

	uint32_t at = place(t, policy->priority);
	memmove(&t->order[at + 1], &t->order[at], (t->count - at) * sizeof(struct policy_entry *));
	t->order[at] = e;
	t->count++;
	struct policy_entry **head = &t->by_name[name_bucket(policy->name)];
	e->next_name = *head;
	*head = e;
	head = &t->by_id[id_bucket(e->policy.id)];
	e->next_id = *head;
	*head = e;
	return e;
}

void table_remove(struct policy_table *t, struct policy_entry *e)
{
	struct policy_entry **link = &t->by_name[name_bucket(e->policy.name)];
	while (*link != e)
		link = &(*link)->next_name;
	*link = e->next_name;
	link = &t->by_id[id_bucket(e->policy.id)];
	while (*link != e)
		link = &(*link)->next_id;
	*link = e->next_id;

	/* Equal priorities stand in the order of their ids. */
	uint32_t at = place(t, e->policy.priority) - 1;
	while (t->order[at] != e)
		at--;
	t->count--;
	memmove(&t->order[at], &t->order[at + 1], (t->count - at) * sizeof(struct policy_entry *));
	t->rules[e->policy.selector.local_first.family == 6] -= e->rules;
	free(e);
}

void table_release_slot(struct policy_table *t, uint32_t slot)
{
	t->free[t->free_count++] = slot;
}
