/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/state.h"
#include "worker/worker.h"

/* Of one call and worker: a flood must leave the control thread time for others. */
#define NOTICES_AT_ONCE 256

/* Which of its policies, where it was one that let the packet ask. */
static const struct policy *asking_policy(const struct provision *p, const struct tunnel *t,
					  const struct flow *flow)
{
	const struct policy *policy = NULL;
	struct verdict v = spd_verdict(p->g->spd, flow, &policy);

	return v.action == POLICY_PROTECT && v.tunnel == t->index ? policy : NULL;
}

static void on_acquire(struct provision *p, const struct notice *n)
{
	const struct tunnel *t = tunnel_get(p->g->sadb, tunnel_handle_index(n->tunnel));

	/* Deleted meanwhile, or it has got its SA. */
	if (t == NULL || t->handle != n->tunnel || tunnel_sender(t) != NULL)
		return;
	struct event event = {.kind = EVENT_ACQUIRE,
			      .tunnel = t,
			      .policy = asking_policy(p, t, &n->flow),
			      .flow = n->flow};
	event_raise(p, &event);
}

static void on_mapping(struct provision *p, const struct sa *sa, const struct notice *n)
{
	struct event event = {.kind = EVENT_SA_MAPPING,
			      .tunnel = tunnel_get(p->g->sadb, sa->tunnel),
			      .sa = sa,
			      .source = n->source.address,
			      .source_port = n->source.port};

	event_raise(p, &event);
}

static void on_failures(struct provision *p, const struct sa *sa, const struct notice *n)
{
	struct event event = {.kind = EVENT_SA_FAILURES,
			      .tunnel = tunnel_get(p->g->sadb, sa->tunnel),
			      .sa = sa,
			      .drop = n->reason,
			      .count = n->count};

	event_raise(p, &event);
}

void notice_handle(struct provision *p, const struct notice *n, uint64_t now)
{
	if (n->kind == NOTICE_ACQUIRE) {
		on_acquire(p, n);
		return;
	}
	struct sa *sa = sa_at(p->g->sadb, n->direction, n->slot);
	/* The SA may have been deleted, and its slot used again. */
	if (sa == NULL || sa->serial != n->serial)
		return;
	switch ((enum notice_kind)n->kind) {
	case NOTICE_FIRST_USE:
		lifetime_used(p->lifetimes, sa, now);
		break;
	case NOTICE_SOFT:
		if (!lifetime_soft_raised(p->lifetimes, sa))
			sa_event(p, EVENT_SA_SOFT, sa, n->limit);
		break;
	case NOTICE_HARD:
		sa_end(p, sa, EVENT_SA_HARD, n->limit);
		break;
	case NOTICE_EXHAUSTED:
		sa_end(p, sa, EVENT_SA_EXHAUSTED, n->limit);
		break;
	case NOTICE_MAPPING:
		on_mapping(p, sa, n);
		break;
	case NOTICE_FAILURES:
		on_failures(p, sa, n);
		break;
	case NOTICE_ACQUIRE:
		break;
	}
}

void gateway_read_notices(struct gateway *g)
{
	struct provision *p = provision_of(g);
	uint64_t now = lifetime_clock();
	struct notice n;

	if (p == NULL)
		return;
	for (uint16_t w = 0; w < g->workers; w++)
		for (unsigned int i = 0;
		     i < NOTICES_AT_ONCE && worker_next_notice(g->worker[w], &n); i++)
			notice_handle(p, &n, now);
	lifetimes_run(p, now);
}
