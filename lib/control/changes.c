/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "control/changes.h"
#include "gateway/provision.h"
#include "report/log.h"

int changes_reserve(struct changes *c, size_t more, struct fault *fault)
{
	if (c->count + more <= c->room)
		return 0;
	size_t room = 2 * c->room + more + 16;
	struct change *list = realloc(c->list, room * sizeof(*list));
	if (list == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another policy change");
	c->list = list;
	c->room = room;
	return 0;
}

void changes_note(struct changes *c, bool added, const struct policy *policy)
{
	c->list[c->count++] = (struct change){.added = added, .policy = *policy};
}

/* By name: a policy that was deleted and put back has a new number. */
static int take_back(struct gateway *g, const struct change *change, struct fault *fault)
{
	struct policy policy = change->policy;

	if (!change->added)
		return gateway_policy_add(g, &policy, fault);
	const struct policy *there = policy_find(g->spd, policy.name);
	return gateway_policy_delete(g, there != NULL ? there->id : policy.id, fault);
}

/* Newest first, so that names and tunnels are free again when an older change needs them. */
void changes_undo(struct changes *c, struct gateway *g, size_t mark)
{
	struct fault fault = {0};

	while (c->count > mark) {
		struct change *last = &c->list[--c->count];
		if (take_back(g, last, &fault) != 0)
			log_error("policy \"%s\": a refused change could not be undone: %s",
				  last->policy.name, fault.what);
	}
}

int changes_commit(struct changes *c, struct gateway *g, struct fault *fault)
{
	if (c->count == 0)
		return 0;
	int rc = gateway_commit(g, fault);
	if (rc != 0) {
		struct fault again = {0};
		changes_undo(c, g, 0);
		if (gateway_commit(g, &again) != 0)
			log_error("policies after an undone change: %s", again.what);
	}
	c->count = 0;
	return rc;
}

void changes_free(struct changes *c)
{
	free(c->list);
	*c = (struct changes){0};
}
