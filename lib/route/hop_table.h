/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_HOP_TABLE_H
#define ESPALIER_ROUTE_HOP_TABLE_H

#include "route/fib.h"

/*
 * Next hops interned by content: equal hops share an id and are counted. Slot 0
 * is NEXTHOP_NONE for ever. A slot whose last reference went is reused only
 * after a grace period. Control thread.
 */
struct hop_table;

struct hop_table *hop_table_create(uint32_t max);
/* Everything deferred must have run (rcu_barrier). */
void hop_table_free(struct hop_table *t);

const struct nexthop *hop_table_slots(const struct hop_table *t);

/* The id of a hop equal to *hop, with one more reference; 0 if all slots are taken. */
uint32_t hop_get(struct hop_table *t, const struct nexthop *hop);
/* Drop a reference. No lookup that begins from now on may find the id if it was the last. */
void hop_put(struct hop_table *t, uint32_t id);

#endif
