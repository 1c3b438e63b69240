/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "control/caller.h"
#include "control/claim.h"
#include "control/state.h"

/* Whether the caller's session owns an object of session `owner` from now on. */
static bool takes(struct call *call, uint32_t owner, bool created)
{
	struct session *one = call->caller->session;

	if (one == NULL || (!created && owner == 0))
		return false;
	one->claimed = true;
	return true;
}

void claim_sa(struct call *call, struct sa *sa, bool created)
{
	if (created && sa->direction == SA_INBOUND)
		unclaim_spi(call, sa->spi);
	if (takes(call, sa->session, created)) {
		sa->session = call->caller->session->number;
		sa->mark = call->caller->session->epoch;
	}
}

void claim_tunnel(struct call *call, struct tunnel *t, bool created)
{
	if (takes(call, t->session, created)) {
		t->session = call->caller->session->number;
		t->mark = call->caller->session->epoch;
	}
}

struct search {
	uint32_t id, session;
};

static bool find(void *arg, const struct policy *p)
{
	struct search *s = arg;

	if (p->id == s->id)
		s->session = p->session;
	return p->id != s->id;
}

void claim_policy(struct call *call, uint32_t id, bool created)
{
	const struct session *one = call->caller->session;
	struct search search = {.id = id};

	if (one != NULL && !created)
		policy_each(call->g->spd, find, &search);
	if (takes(call, search.session, created))
		policy_claim(call->g->spd, id, one->number, one->epoch);
}

int claim_spi(struct call *call, uint32_t spi)
{
	struct caller *caller = call->caller;
	struct session *one = caller->session;

	if (one != NULL)
		one->claimed = true;
	return spi_claimed(call->control->sessions, one != NULL ? &one->spis : &caller->spis, spi,
			   one != NULL ? one->epoch : 0);
}

void unclaim_spi(struct call *call, uint32_t spi)
{
	spi_unclaimed(call->control->sessions, spi);
}
