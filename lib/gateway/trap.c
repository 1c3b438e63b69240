/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/state.h"

/* The tunnel that such a policy makes trap; NULL: none. */
static struct tunnel *trapping(const struct provision *p, const struct policy *policy)
{
	if (!policy->trap || policy->action != POLICY_PROTECT)
		return NULL;
	return tunnel_get(p->g->sadb, policy->tunnel);
}

static void change(struct provision *p, const struct policy *policy, int by)
{
	struct tunnel *t = trapping(p, policy);

	if (t == NULL)
		return;
	t->traps = (uint32_t)((int)t->traps + by);
	tunnel_set_trap(p->g->sadb, t, t->spec.trap || t->traps > 0);
}

void trap_add(struct provision *p, const struct policy *policy)
{
	change(p, policy, 1);
}

void trap_remove(struct provision *p, const struct policy *policy)
{
	change(p, policy, -1);
}
