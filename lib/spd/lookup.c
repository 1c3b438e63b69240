/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <rte_malloc.h>

#include "spd/acl.h"
#include "spd/view.h"

/* With a slot: that policy withholds the packet, though another one would let it pass. */
#define SLOT_WITHHELD (UINT32_C(1) << 31)

/* A vector on its way through the cache. */
struct lookup {
	uint64_t key[VECTOR_MAX][5];
	void *set[VECTOR_MAX];
	uint32_t slot[VECTOR_MAX];
	uint8_t miss[VECTOR_MAX]; /* indices */
	unsigned int misses;
};

struct spd_cache *spd_cache_create(struct spd *s, unsigned int worker, uint32_t entries,
				   struct fault *fault)
{
	if (worker >= SPD_WORKERS_MAX) {
		fault_set(fault, EINVAL, "workers", "there are at most %d workers",
			  SPD_WORKERS_MAX);
		return NULL;
	}
	if (entries < 64 || entries > 1u << 26 || (entries & (entries - 1)) != 0) {
		fault_set(fault, EINVAL, "flows",
			  "%u is not a power of two between 64 and 67108864", entries);
		return NULL;
	}
	struct spd_cache *c = rte_zmalloc("spd cache", sizeof(*c), RTE_CACHE_LINE_SIZE);
	/* Counts stay with the database: they outlive the worker. */
	if (s->counts[worker] == NULL)
		s->counts[worker] = calloc(POLICIES_MAX + 1, sizeof(*s->counts[worker]));
	if (c == NULL || s->counts[worker] == NULL ||
	    flow_cache_init(&c->flows, entries, s->seed) < 0) {
		fault_set(fault, ENOMEM, "flows",
			  "no memory for a flow cache of %u entries: lower it, or give DPDK more",
			  entries);
		rte_free(c);
		return NULL;
	}
	c->spd = s;
	c->counts = s->counts[worker];
	return c;
}

void spd_cache_destroy(struct spd_cache *c)
{
	if (c == NULL)
		return;
	flow_cache_fini(&c->flows);
	rte_free(c);
}

bool spd_empty(const struct spd *s)
{
	return atomic_load_explicit(&s->view, memory_order_acquire)->policies == 0;
}

static __rte_always_inline void read_keys(const struct flow_cache *flows, const struct vector *v,
					  bool outbound, uint32_t generation, struct lookup *l)
{
	for (unsigned int i = 0; i < v->n; i++) {
		if (v->p[i]->family == 4) {
			flow_key_v4(v->p[i], outbound, generation, l->key[i]);
			l->set[i] = flow_set_v4(flows, l->key[i]);
		} else {
			flow_key_v6(v->p[i], outbound, generation, l->key[i]);
			l->set[i] = flow_set_v6(flows, l->key[i]);
			rte_prefetch0((uint8_t *)l->set[i] + sizeof(struct flow_entry_v6));
		}
		rte_prefetch0(l->set[i]);
	}
}

static void ask_cache(const struct vector *v, struct lookup *l)
{
	l->misses = 0;
	for (unsigned int i = 0; i < v->n; i++) {
		bool hit = v->p[i]->family == 4
			       ? flow_set_v4_get(l->set[i], l->key[i], &l->slot[i])
			       : flow_set_v6_get(l->set[i], l->key[i], &l->slot[i]);
		l->miss[l->misses] = (uint8_t)i;
		l->misses += !hit;
	}
}

/*
 * A packet whose ports cannot be read, though its protocol has some, may be a
 * piece of what a policy with narrowed ports protects: then no BYPASS below that
 * policy lets it out in the clear.
 */
static uint32_t choose_slot(const struct spd_view *view, const uint32_t *result, uint64_t tail)
{
	uint32_t slot = result[ACL_PORTS_UNKNOWN], first = result[ACL_PORTS_IGNORED];

	if (flow_tail_known(tail))
		return result[ACL_PORTS_KNOWN];
	if (flow_has_ports(flow_tail_proto(tail)) && first != slot &&
	    view->verdict[slot].action == POLICY_BYPASS)
		return first | SLOT_WITHHELD;
	return slot;
}

/* The misses of one family go to rte_acl together. */
static __rte_noinline void ask_acl(const struct spd_view *view, const struct vector *v,
				   struct lookup *l, bool six)
{
	struct acl_key key[VECTOR_MAX];
	const uint8_t *data[VECTOR_MAX];
	uint32_t result[VECTOR_MAX * ACL_CATEGORIES];
	uint8_t which[VECTOR_MAX];
	unsigned int n = 0;

	for (unsigned int m = 0; m < l->misses; m++) {
		uint8_t i = l->miss[m];

		if ((v->p[i]->family == 6) != six)
			continue;
		(six ? acl_key_v6 : acl_key_v4)(&key[n], l->key[i]);
		data[n] = (const uint8_t *)&key[n];
		which[n++] = i;
	}
	if (n == 0)
		return;
	if (view->acl[six] == NULL ||
	    rte_acl_classify(view->acl[six], data, result, n, ACL_CATEGORIES) != 0)
		memset(result, 0, sizeof(result));
	for (unsigned int k = 0; k < n; k++) {
		uint8_t i = which[k];

		l->slot[i] = choose_slot(view, &result[k * ACL_CATEGORIES], l->key[i][six ? 4 : 1]);
		if (six)
			flow_set_v6_put(l->set[i], l->key[i], l->slot[i]);
		else
			flow_set_v4_put(l->set[i], l->key[i], l->slot[i]);
	}
}

void spd_lookup(struct spd_cache *c, const struct vector *v, bool outbound, struct verdict *out)
{
	const struct spd_view *view = atomic_load_explicit(&c->spd->view, memory_order_acquire);
	const uint64_t epoch = view->number >> FLOW_GENERATION_BITS;
	struct lookup l;

	if (unlikely(c->epoch != epoch)) {
		flow_cache_clear(&c->flows);
		c->epoch = epoch;
	}
	if (outbound)
		read_keys(&c->flows, v, true, (uint32_t)view->number, &l);
	else
		read_keys(&c->flows, v, false, (uint32_t)view->number, &l);
	ask_cache(v, &l);
	if (unlikely(l.misses > 0)) {
		ask_acl(view, v, &l, false);
		ask_acl(view, v, &l, true);
	}
	for (unsigned int i = 0; i < v->n; i++) {
		uint32_t slot = l.slot[i] & ~SLOT_WITHHELD;
		struct policy_count *count = &c->counts[slot];

		out[i] = view->verdict[slot];
		if (unlikely(slot != l.slot[i]))
			out[i].action = POLICY_DISCARD;
		if (outbound) {
			relaxed_add(&count->packets, 1);
			relaxed_add(&count->bytes, v->p[i]->ip_len);
		}
	}
}

/* The key that workers would make of such a packet; the generation does not matter to rte_acl. */
static void key_of_flow(const struct flow *f, uint64_t *key)
{
	const size_t size = f->family == 4 ? 4 : 16;
	uint8_t addresses[32] = {0}, ports[4];
	uint32_t tag = f->proto;

	memcpy(addresses, f->local, size);
	memcpy(addresses + size, f->remote, size);
	memcpy(key, addresses, 2 * size);
	store_be16(ports, f->local_port);
	store_be16(ports + 2, f->remote_port);
	bool known = f->ports_known && flow_has_ports(f->proto);
	if (known)
		tag |= 1u << 8;
	key[2 * size / 8] = (known ? load_u32(ports) : 0) | (uint64_t)tag << 32;
}

static const struct policy *policy_in_slot(const struct spd *s, uint32_t slot)
{
	for (uint32_t i = 0; i < s->table.count && slot != 0; i++) {
		if (s->table.order[i]->slot == slot)
			return &s->table.order[i]->policy;
	}
	return NULL;
}

struct verdict spd_verdict(const struct spd *s, const struct flow *f, const struct policy **policy)
{
	const struct spd_view *view = atomic_load_explicit(&s->view, memory_order_acquire);
	const bool six = f->family == 6;
	uint32_t result[ACL_CATEGORIES] = {0};
	struct acl_key key;
	uint64_t words[5];

	key_of_flow(f, words);
	memset(&key, 0, sizeof(key));
	(six ? acl_key_v6 : acl_key_v4)(&key, words);
	const uint8_t *data = (const uint8_t *)&key;
	if (view->acl[six] == NULL ||
	    rte_acl_classify(view->acl[six], &data, result, 1, ACL_CATEGORIES) != 0)
		memset(result, 0, sizeof(result));
	uint32_t slot = choose_slot(view, result, words[six ? 4 : 1]);
	struct verdict verdict = view->verdict[slot & ~SLOT_WITHHELD];
	if ((slot & SLOT_WITHHELD) != 0)
		verdict.action = POLICY_DISCARD;
	*policy = policy_in_slot(s, slot & ~SLOT_WITHHELD);
	return verdict;
}
