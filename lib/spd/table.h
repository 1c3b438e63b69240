/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_TABLE_H
#define ESPALIER_SPD_TABLE_H

#include "spd/spd.h"

/*
 * The policies as the control thread keeps them: in the order in which they are
 * asked, and findable by name and by id. Each has a slot, a small number under
 * which workers know it; slot 0 stands for "no policy".
 */
#define POLICIES_MAX 65535
#define POLICY_BUCKETS 4096

struct policy_entry {
	struct policy policy;
	uint32_t slot;
	uint32_t rules;   /* that rte_acl needs for it */
	bool committed;   /* workers know its slot */
	uint64_t packets; /* counted in this slot before the policy had it */
	uint64_t bytes;
	struct policy_entry *next_name, *next_id;
};

struct policy_table {
	struct policy_entry **order;
	uint32_t count, room;
	uint32_t rules[2]; /* of IPv4 and IPv6 policies */
	uint32_t last_id;
	uint32_t slots; /* 1 … slots have been used */
	uint32_t *free; /* slots to use again, a stack */
	uint32_t free_count;
	struct policy_entry *by_name[POLICY_BUCKETS];
	struct policy_entry *by_id[POLICY_BUCKETS];
};

void table_fini(struct policy_table *t);

/* Copies *policy with a new id and slot. NULL without memory, or POLICIES_MAX are there. */
struct policy_entry *table_insert(struct policy_table *t, const struct policy *policy,
				  uint32_t rules);
/* Unlinks and frees; its slot stays taken until table_release_slot(). */
void table_remove(struct policy_table *t, struct policy_entry *e);
void table_release_slot(struct policy_table *t, uint32_t slot);

struct policy_entry *table_find_name(const struct policy_table *t, const char *name);
struct policy_entry *table_find_id(const struct policy_table *t, uint32_t id);

#endif
