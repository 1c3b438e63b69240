/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_empty.h"

#include "gateway/provision.h"

static bool first_session(void *arg, struct session *one)
{
	*(struct session **)arg = one;
	return false;
}

static void empty_sessions(struct sessions *s)
{
	struct session *one;

	while (one = NULL, session_each(s, first_session, &one), one != NULL) {
		struct session_walk count = {0}, swept = {0};
		must(one->connections == 0 && one->claimed);
		while (session_count(s, one, false, &count))
			;
		while (session_sweep(s, one, false, "swept", &swept))
			;
		must(swept.count.policies == count.count.policies);
		must(swept.count.sas == count.count.sas && swept.count.spis == count.count.spis);
		must(swept.count.tunnels <= count.count.tunnels);
		session_forget(s, one);
	}
	while (sessions_clean(s))
		;
}

static bool first_policy(void *arg, const struct policy *p)
{
	*(uint32_t *)arg = p->id;
	return false;
}

static bool first_tunnel(void *arg, struct tunnel *t)
{
	*(struct tunnel **)arg = t;
	return false;
}

void control_empty(struct control *c, struct inprocess *gateway)
{
	struct gateway *g = &gateway->g;
	struct fault fault;
	struct tunnel *t;
	uint32_t id;

	empty_sessions(c->sessions);
	while (id = 0, policy_each(g->spd, first_policy, &id), id != 0)
		must(gateway_policy_delete(g, id, &fault) == 0);
	must(gateway_commit(g, &fault) == 0);
	while (t = NULL, tunnel_each(g->sadb, first_tunnel, &t), t != NULL)
		must(gateway_tunnel_delete(g, t, &fault) == 0);
	must(sa_count(g->sadb, SA_INBOUND) + sa_count(g->sadb, SA_OUTBOUND) == 0);
	while (inprocess_run_inbox(gateway, 0) > 0)
		fuzz_settle(gateway, NULL);
}
