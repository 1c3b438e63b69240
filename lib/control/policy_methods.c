/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/claim.h"
#include "control/selector_json.h"
#include "control/state.h"
#include "control/view.h"
#include "gateway/provision.h"

static_assert(POLICY_NAME_MAX == 64, "policy.add name");

static const char *const action_names[] = {
    [POLICY_PROTECT] = "protect", [POLICY_BYPASS] = "bypass", [POLICY_DISCARD] = "discard"};

static enum policy_action action_of(const char *text)
{
	for (enum policy_action a = POLICY_PROTECT; a < POLICY_DISCARD; a++)
		if (strcmp(action_names[a], text) == 0)
			return a;
	return POLICY_DISCARD;
}

json_t *policy_view(const struct control *c, const struct policy *p)
{
	const struct gateway *g = c->g;
	json_t *view =
	    json_pack("{s:I, s:I, s:s, s:s}", "priority", (json_int_t)p->priority, "id",
		      (json_int_t)p->id, "name", p->name, "action", action_names[p->action]);
	uint64_t packets = 0, bytes = 0;

	if (p->action == POLICY_PROTECT) {
		const struct tunnel *t = tunnel_get(g->sadb, p->tunnel);
		json_object_set_new(view, "tunnel", json_string(t != NULL ? t->spec.name : ""));
		json_object_set_new(view, "trap", json_boolean(p->trap));
	}
	json_object_set_new(view, "selector", selector_to_json(&p->selector));
	put_session(view, c, p->session);
	policy_hits(g->spd, p->id, &packets, &bytes);
	json_object_set_new(view, "packets", json_integer((json_int_t)packets));
	json_object_set_new(view, "bytes", json_integer((json_int_t)bytes));
	return view;
}

struct search {
	uint32_t id;
	const struct policy *found;
};

static bool has_id(void *arg, const struct policy *p)
{
	struct search *s = arg;

	if (p->id == s->id)
		s->found = p;
	return s->found == NULL;
}

/* The policy that name or id says; NULL with the fault. */
static const struct policy *call_policy(struct call *call)
{
	const char *name = call_text(call, "name");
	struct search search = {.id = (uint32_t)call_integer(call, "id")};

	if ((name != NULL) == call_has(call, "id")) {
		call_fault(call, EINVAL, "name", "give either name or id");
		return NULL;
	}
	if (name != NULL) {
		search.found = policy_find(call->g->spd, name);
		if (search.found == NULL)
			call_fault(call, ENOENT, "name", "there is no policy \"%s\"", name);
	} else {
		policy_each(call->g->spd, has_id, &search);
		if (search.found == NULL)
			call_fault(call, ENOENT, "id", "there is no policy %u", search.id);
	}
	return search.found;
}

static int read_policy(struct call *call, struct policy *p)
{
	*p = (struct policy){.priority = (uint32_t)call_integer(call, "priority"),
			     .action = action_of(call_text(call, "action")),
			     .tunnel = TUNNEL_NONE,
			     .trap = call_boolean(call, "trap")};
	snprintf(p->name, sizeof(p->name), "%s", call_text(call, "name"));
	if (p->action == POLICY_PROTECT) {
		if (!call_has(call, "tunnel"))
			return call_fault(call, EINVAL, "tunnel", "protect needs a tunnel");
		struct tunnel *t = call_tunnel(call, "tunnel");
		if (t == NULL)
			return -ENOENT;
		p->tunnel = t->index;
	} else if (call_has(call, "tunnel")) {
		return call_fault(call, EINVAL, "tunnel", "%s takes no tunnel",
				  action_names[p->action]);
	} else if (p->trap) {
		return call_fault(call, EINVAL, "trap", "%s waits for no SA",
				  action_names[p->action]);
	}
	int rc = selector_from_json(json_object_get(call->params, "selector"), &p->selector,
				    &call->error.fault);
	return rc != 0 ? fault_under(&call->error.fault, "selector") : 0;
}

static bool is_same(const struct policy *a, const struct policy *b)
{
	return a->priority == b->priority && a->action == b->action && a->tunnel == b->tunnel &&
	       a->trap == b->trap && selector_equal(&a->selector, &b->selector);
}

int call_policy_add(struct call *call)
{
	struct changes *changes = &call->control->changes;
	struct policy policy;
	int rc = read_policy(call, &policy);

	if (rc != 0)
		return rc;
	const struct policy *before = policy_find(call->g->spd, policy.name);
	bool same = before != NULL && call_boolean(call, "exist_ok") && is_same(before, &policy);
	if (same) {
		policy.id = before->id;
	} else {
		rc = changes_reserve(changes, 1, &call->error.fault);
		if (rc == 0)
			rc = gateway_policy_add(call->g, &policy, &call->error.fault);
		if (rc != 0 && strcmp(call->error.fault.where, "remote") == 0)
			return fault_under(&call->error.fault, "selector");
		if (rc != 0)
			return rc;
		changes_note(changes, true, &policy);
	}
	claim_policy(call, policy.id, !same);
	call->result = json_pack("{s:b, s:I, s:s}", "created", !same, "id", (json_int_t)policy.id,
				 "name", policy.name);
	return 0;
}

int call_policy_delete(struct call *call)
{
	const struct policy *p = call_policy(call);

	if (p == NULL && !(call->error.fault.err == ENOENT && call_boolean(call, "missing_ok")))
		return -call->error.fault.err;
	if (p != NULL) {
		struct policy copy = *p;
		int rc = changes_reserve(&call->control->changes, 1, &call->error.fault);
		if (rc == 0)
			rc = gateway_policy_delete(call->g, copy.id, &call->error.fault);
		if (rc != 0)
			return rc;
		changes_note(&call->control->changes, false, &copy);
	}
	call->result = json_pack("{s:b}", "deleted", p != NULL);
	return 0;
}

int call_policy_get(struct call *call)
{
	const struct policy *p = call_policy(call);

	if (p == NULL)
		return -call->error.fault.err;
	call->result = policy_view(call->control, p);
	return 0;
}
