/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "gateway/state.h"

void tunnel_follow(struct provision *p, struct tunnel *t, const char *reason)
{
	struct tunnel_care *care = provision_care(p, t->index);
	const char *now = tunnel_state(t);

	if (care == NULL || strcmp(care->state, now) == 0)
		return;
	struct event event = {.kind = EVENT_TUNNEL_STATE, .tunnel = t, .was = care->state};
	snprintf(t->reason, sizeof(t->reason), "%s", reason);
	event.reason = t->reason;
	care->state = now;
	event_raise(p, &event);
}

void sa_event(struct provision *p, enum event_kind kind, const struct sa *sa,
	      enum notice_limit limit)
{
	struct event event = {
	    .kind = kind, .tunnel = tunnel_get(p->g->sadb, sa->tunnel), .sa = sa, .limit = limit};

	event_raise(p, &event);
}

void sa_end(struct provision *p, struct sa *sa, enum event_kind kind, enum notice_limit limit)
{
	struct tunnel *t = tunnel_get(p->g->sadb, sa->tunnel);
	char reason[64] = "sequence space exhausted";

	/* The tunnel's other SAs take over, if there are any. */
	sa_expire(p->g->sadb, sa);
	lifetime_forget(sa);
	sa_event(p, kind, sa, limit);
	if (kind == EVENT_SA_HARD)
		snprintf(reason, sizeof(reason), "hard lifetime (%s)", limit_name(limit));
	tunnel_follow(p, t, reason);
}
