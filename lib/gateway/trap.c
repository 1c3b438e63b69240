/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/state.h"

void trap_follow(struct provision *p, struct tunnel *t)
{
	tunnel_set_trap(p->g->sadb, t, t->spec.trap || t->traps > 0);
}

void trap_add(struct provision *p, const struct policy *policy)
{
	struct tunnel *t = policy->trap && policy->action == POLICY_PROTECT
			       ? tunnel_get(p->g->sadb, policy->tunnel)
			       : NULL;

	if (t == NULL)
		return;
	t->traps++;
	trap_follow(p, t);
}

void trap_remove(struct provision *p, const struct policy *policy)
{
	struct tunnel *t = policy->trap && policy->action == POLICY_PROTECT
			       ? tunnel_get(p->g->sadb, policy->tunnel)
			       : NULL;

	if (t == NULL)
		return;
	t->traps--;
	trap_follow(p, t);
}
