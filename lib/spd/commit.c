/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rcu/rcu.h"
#include "spd/acl.h"
#include "spd/view.h"

void view_free(void *arg)
{
	struct spd_view *v = arg;

	for (uint32_t i = 0; i < v->retired_count; i++)
		table_release_slot(&v->spd->table, v->retired[i]);
	free(v->retired);
	rte_acl_free(v->acl[0]);
	rte_acl_free(v->acl[1]);
	free(v);
}

static int build_family(const struct policy_table *t, unsigned int six, struct rte_acl_ctx **out,
			struct fault *fault)
{
	const uint8_t family = six ? 6 : 4;
	struct acl_build build;

	if (t->rules[six] == 0)
		return 0;
	int err = acl_begin(&build, family, t->rules[six], fault);
	for (uint32_t rank = 0; rank < t->count && err == 0; rank++) {
		const struct policy_entry *e = t->order[rank];
		if (e->policy.selector.local_first.family == family)
			err = acl_add(&build, &e->policy.selector, rank, e->slot,
				      e->policy.action != POLICY_BYPASS, fault);
	}
	if (err == 0)
		err = acl_finish(&build, out, fault);
	if (err < 0)
		acl_abort(&build);
	return err;
}

static struct spd_view *view_make(struct spd *s, struct fault *fault)
{
	const struct policy_table *t = &s->table;
	struct spd_view *v = calloc(1, sizeof(*v) + (t->slots + 1) * sizeof(v->verdict[0]));

	if (v == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for %u policies", t->count);
		return NULL;
	}
	v->spd = s;
	v->policies = t->count;
	v->slots = t->slots;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct policy *p = &t->order[i]->policy;
		v->verdict[t->order[i]->slot] =
		    (struct verdict){.action = (uint8_t)p->action, .tunnel = p->tunnel};
	}
	if (build_family(t, 0, &v->acl[0], fault) < 0 ||
	    build_family(t, 1, &v->acl[1], fault) < 0) {
		rte_acl_free(v->acl[0]);
		free(v);
		return NULL;
	}
	return v;
}

int spd_commit(struct spd *s, struct fault *fault)
{
	if (!s->changed)
		return 0;
	struct fault local = {.err = 0};
	struct spd_view *v = view_make(s, fault != NULL ? fault : &local);
	if (v == NULL)
		return -(fault != NULL ? fault : &local)->err;

	/* Generation 0 is that of an empty cache. */
	s->commits++;
	if (s->commits % (1u << FLOW_GENERATION_BITS) == 0)
		s->commits++;
	v->number = s->commits;
	for (uint32_t i = 0; i < s->table.count; i++)
		s->table.order[i]->committed = true;
	s->changed = false;

	struct spd_view *old = atomic_exchange_explicit(&s->view, v, memory_order_acq_rel);
	if (old != NULL) {
		old->retired = s->retired;
		old->retired_count = s->retired_count;
		s->retired = NULL;
		s->retired_count = s->retired_room = 0;
		rcu_defer(view_free, old);
	}
	return 0;
}
