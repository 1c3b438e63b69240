/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "config/check.h"
#include "config/schema.h"

#define NAME_MAX_POLICY 48

static int check_policy(struct check *c, const struct raw_policy *raw, struct config_policy *p,
			struct selector selectors[2])
{
	uint64_t priority;

	if (check_name(c, "policies[].name", raw->name, NAME_MAX_POLICY, &p->name) != 0 ||
	    check_number(c, "policies[].priority", raw->priority, &priority) != 0)
		return -EINVAL;
	p->priority = (uint32_t)priority;
	if (raw->action == NULL)
		return check_fault(c, "policies[].action",
				   "missing; protect, bypass or discard is needed");
	p->action = (unsigned int)*raw->action;
	if (p->action == WORD_PROTECT) {
		if (check_text(c, "policies[].tunnel", raw->tunnel, NULL, &p->tunnel) != 0)
			return check_fault(c, "policies[].tunnel",
					   "missing; action: protect needs the name of a tunnel");
		if (check_tunnel_find(c, p->tunnel) == NULL)
			return check_fault(c, "policies[].tunnel",
					   "\"%.60s\" is not the name of a tunnel in this file",
					   p->tunnel);
	} else if (raw->tunnel != NULL) {
		return check_fault(c, "policies[].tunnel", "goes with action: protect only");
	}
	return check_selector(c, "policies[]", &raw->selector, selectors);
}

static const char *policy_name(const struct check *c, size_t i)
{
	return c->raw->policies[i].name;
}

int check_policies(struct check *c)
{
	struct config *config = c->config;
	size_t n = c->raw->policies_count;

	config->policies = calloc(2 * n + 1, sizeof(*config->policies));
	if (config->policies == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct config_policy policy = {0};
		struct selector selectors[2];
		c->at[0] = i;
		int made = check_policy(c, &c->raw->policies[i], &policy, selectors);
		if (made < 0)
			return made;
		for (int k = 0; k < made; k++) {
			policy.selector = selectors[k];
			config->policies[config->policies_count++] = policy;
		}
	}
	return check_unique(c, "policies[].name", n, policy_name);
}
