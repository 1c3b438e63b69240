/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_LPM6_PAIR_H
#define ESPALIER_ROUTE_LPM6_PAIR_H

#include <rte_lpm6.h>

#include "packet/address.h"

/*
 * rte_lpm6 cannot change under readers, so there are two: changes go to the
 * standby, a swap publishes them, and once every worker has left the other table
 * the same changes are made there. Both tables live through the same history, so
 * a change that one took the other takes. Control thread.
 */
struct lpm6_pair;

/* `active` is where workers read the table; it is filled in. NULL: no memory. */
struct lpm6_pair *lpm6_pair_create(struct rte_lpm6 *_Atomic *active, uint32_t max_rules,
				   uint32_t tbl8s);
void lpm6_pair_free(struct lpm6_pair *pair);

/*
 * Change the standby: `id` from now on, or no rule if id is 0. `before` is the id
 * that thereby loses this rule, or 0. 0 or -errno.
 */
int lpm6_pair_change(struct lpm6_pair *pair, const struct ip_prefix *prefix, uint32_t id,
		     uint32_t before);

/* Swap if anything changed; true if it did. */
bool lpm6_pair_publish(struct lpm6_pair *pair);
/* After a publishing that was true: every `before` that no new lookup can find. */
void lpm6_pair_released(const struct lpm6_pair *pair, void (*fn)(void *arg, uint32_t id),
			void *arg);

#endif
