/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/lpm6_pair.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <rte_lcore.h>

#include "rcu/rcu.h"
#include "report/log.h"

struct change {
	struct ip_prefix prefix;
	uint32_t id, before;
};

struct lpm6_pair {
	struct rte_lpm6 *_Atomic *active;
	struct rte_lpm6 *table[2];
	unsigned int standby;
	struct change *changes; /* made on one table; to be replayed on the other once published */
	size_t count, size;
	bool published;
	uint64_t token; /* of the swap */
};

struct lpm6_pair *lpm6_pair_create(struct rte_lpm6 *_Atomic *active, uint32_t max_rules,
				   uint32_t tbl8s)
{
	const struct rte_lpm6_config config = {.max_rules = max_rules, .number_tbl8s = tbl8s};
	struct lpm6_pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		return NULL;
	for (unsigned int i = 0; i < 2; i++) {
		char name[RTE_LPM6_NAMESIZE];

		/* The library tells tables apart by name; a process may hold several fibs. */
		snprintf(name, sizeof(name), "f6_%u_%lx", i, (unsigned long)pair);
		pair->table[i] = rte_lpm6_create(name, rte_socket_id(), &config);
		if (pair->table[i] == NULL) {
			lpm6_pair_free(pair);
			return NULL;
		}
	}
	pair->active = active;
	pair->standby = 1;
	atomic_store(active, pair->table[0]);
	return pair;
}

void lpm6_pair_free(struct lpm6_pair *pair)
{
	if (pair == NULL)
		return;
	rte_lpm6_free(pair->table[0]);
	rte_lpm6_free(pair->table[1]);
	free(pair->changes);
	free(pair);
}

static int apply(struct rte_lpm6 *table, const struct change *c)
{
	if (c->id != 0)
		return rte_lpm6_add(table, c->prefix.addr.bytes, c->prefix.len, c->id);
	return rte_lpm6_delete(table, c->prefix.addr.bytes, c->prefix.len);
}

/* Bring the table that was active before the last swap up to date. */
static void catch_up(struct lpm6_pair *pair)
{
	char text[IP_TEXT_MAX];

	if (!pair->published)
		return;
	rte_rcu_qsbr_check(rcu_domain(), pair->token, true);
	for (size_t i = 0; i < pair->count; i++) {
		int err = apply(pair->table[pair->standby], &pair->changes[i]);

		if (err != 0)
			log_error("IPv6 route %s: the second table refused what the first took "
				  "(error %d)",
				  ip_prefix_text(&pair->changes[i].prefix, text), -err);
	}
	pair->count = 0;
	pair->published = false;
}

int lpm6_pair_change(struct lpm6_pair *pair, const struct ip_prefix *prefix, uint32_t id,
		     uint32_t before)
{
	const struct change c = {*prefix, id, before};

	catch_up(pair);
	if (pair->count == pair->size) {
		size_t size = pair->size > 0 ? pair->size * 2 : 64;
		struct change *grown = realloc(pair->changes, size * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		pair->changes = grown;
		pair->size = size;
	}
	int err = apply(pair->table[pair->standby], &c);

	if (err == 0)
		pair->changes[pair->count++] = c;
	return err;
}

bool lpm6_pair_publish(struct lpm6_pair *pair)
{
	if (pair->published || pair->count == 0)
		return false;
	atomic_store_explicit(pair->active, pair->table[pair->standby], memory_order_release);
	pair->standby ^= 1;
	pair->published = true;
	pair->token = rte_rcu_qsbr_start(rcu_domain());
	return true;
}

void lpm6_pair_released(const struct lpm6_pair *pair, void (*fn)(void *arg, uint32_t id), void *arg)
{
	for (size_t i = 0; i < pair->count; i++)
		if (pair->changes[i].before != 0)
			fn(arg, pair->changes[i].before);
}
