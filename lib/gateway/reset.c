/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "gateway/state.h"

static bool has_manual_keys(const struct provision *p, const struct tunnel *t)
{
	const struct manual *manual;

	LIST_FOREACH (manual, &p->manuals, in_list)
		if (manual->sa->tunnel == t->index)
			return true;
	return false;
}

static void reset(struct provision *p, struct tunnel *t, const char *reason)
{
	char text[sizeof(t->reason)];

	snprintf(text, sizeof(text), "reset%s%s", reason != NULL ? ": " : "",
		 reason != NULL ? reason : "");
	struct event event = {.kind = EVENT_TUNNEL_RESET, .tunnel = t, .reason = text};
	event_raise(p, &event);
	while (t->in != NULL)
		gateway_sa_delete(p->g, t->in, text);
	while (t->out != NULL)
		gateway_sa_delete(p->g, t->out, text);
}

int gateway_tunnel_reset(struct gateway *g, struct tunnel *t, const char *reason,
			 struct fault *fault)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory");
	if (has_manual_keys(p, t))
		return fault_set(fault, EOPNOTSUPP, "name",
				 "tunnel \"%s\" has manual keys, and nobody would install others; "
				 "restart the gateway to use them anew",
				 t->spec.name);
	reset(p, t, reason);
	return 0;
}

struct resetting {
	struct provision *p;
	const char *reason;
	uint32_t count;
};

static bool reset_one(void *arg, struct tunnel *t)
{
	struct resetting *r = arg;

	if (!has_manual_keys(r->p, t)) {
		reset(r->p, t, r->reason);
		r->count++;
	}
	return true;
}

uint32_t gateway_reset(struct gateway *g, const char *reason)
{
	struct resetting r = {.p = provision_of(g), .reason = reason};

	if (r.p != NULL)
		tunnel_each(g->sadb, reset_one, &r);
	return r.count;
}
