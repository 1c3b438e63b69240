/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/state.h"
#include "report/log.h"

static int compare(const void *a, const void *b)
{
	const struct prefix_use *x = a, *y = b;

	if (x->prefix.addr.family != y->prefix.addr.family)
		return x->prefix.addr.family < y->prefix.addr.family ? -1 : 1;
	if (x->prefix.len != y->prefix.len)
		return x->prefix.len < y->prefix.len ? -1 : 1;
	return memcmp(x->prefix.addr.bytes, y->prefix.addr.bytes, sizeof(x->prefix.addr.bytes));
}

static struct prefix_use *find(struct provision *p, const struct ip_prefix *prefix)
{
	struct prefix_use wanted = {.prefix = *prefix};
	struct prefix_use *const *found = tfind(&wanted, &p->prefixes, compare);

	return found != NULL ? *found : NULL;
}

static struct prefix_use *find_or_add(struct provision *p, const struct ip_prefix *prefix)
{
	struct prefix_use *u = find(p, prefix);

	if (u != NULL)
		return u;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->prefix = *prefix;
	if (tsearch(u, &p->prefixes, compare) == NULL) {
		free(u);
		return NULL;
	}
	return u;
}

static void queue(struct provision *p, struct prefix_use *u)
{
	if (!u->queued)
		TAILQ_INSERT_TAIL(&p->queue, u, in_queue);
	u->queued = true;
}

static bool in_use(const struct prefix_use *u)
{
	return u->steering > 0 || u->routed || u->fixed != 0;
}

static void drop_if_unused(struct provision *p, struct prefix_use *u)
{
	if (in_use(u) || u->queued || u->steered || u->owned.present)
		return;
	tdelete(u, &p->prefixes, compare);
	free(u);
}

static int apply_steer(struct provision *p, struct prefix_use *u)
{
	struct steer *steer = p->g->steer;
	int err = 0;

	if (steer == NULL || u->steered == in_use(u))
		return 0;
	if (u->steered)
		steer_prefix_remove(steer, &u->prefix);
	else
		err = steer_prefix_set(steer, &u->prefix, true);
	if (err == 0)
		u->steered = !u->steered;
	return err;
}

/* One of our addresses that the policy's local side holds: other sources it would not match. */
static struct ip_addr choose_source(const struct provision *p, const struct prefix_use *u)
{
	for (size_t i = 0; i < p->locals; i++) {
		const struct ip_addr *a = &p->local[i];
		if (a->family == u->local_first.family &&
		    ip_addr_compare(a, &u->local_first) >= 0 &&
		    ip_addr_compare(a, &u->local_last) <= 0)
			return *a;
	}
	return (struct ip_addr){0};
}

static struct owned wanted_route(const struct provision *p, const struct prefix_use *u)
{
	if (u->routing > 0 && p->g->policy_ifindex != 0)
		return (struct owned){true, p->g->policy_ifindex, choose_source(p, u)};
	if (u->fixed != 0)
		return (struct owned){true, u->fixed, {0}};
	return (struct owned){.present = u->routed};
}

static bool same_route(const struct owned *a, const struct owned *b)
{
	return a->present == b->present &&
	       (!a->present || (a->ifindex == b->ifindex && ip_addr_equal(&a->source, &b->source)));
}

static int apply_route(struct provision *p, struct prefix_use *u)
{
	struct mirror *mirror = p->g->mirror;
	struct owned wanted = wanted_route(p, u);
	int err;

	if (mirror == NULL || same_route(&wanted, &u->owned))
		return 0;
	if (!wanted.present) {
		err = mirror_own_route_remove(mirror, &u->prefix);
		if (err == -ENOENT || err == -ESRCH)
			err = 0;
	} else {
		err = mirror_own_route_add(mirror, &u->prefix, wanted.ifindex, &wanted.source);
	}
	if (err == 0)
		u->owned = wanted;
	return err;
}

int prefix_share(struct provision *p, const struct ip_prefix *prefix, bool route,
		 const struct selector *selector)
{
	struct prefix_use *u = find_or_add(p, prefix);

	if (u == NULL)
		return -ENOMEM;
	if (route && u->routing == 0) {
		u->local_first = selector->local_first;
		u->local_last = selector->local_last;
	}
	u->steering++;
	u->routing += route;
	int err = apply_steer(p, u);
	if (err == 0)
		err = apply_route(p, u);
	if (err != 0)
		prefix_give_back(p, prefix, route);
	return err;
}

void prefix_give_back(struct provision *p, const struct ip_prefix *prefix, bool route)
{
	struct prefix_use *u = find(p, prefix);

	if (u == NULL)
		return;
	u->steering--;
	u->routing -= route;
	/* The route goes first: with the steering gone it would lead nowhere. */
	if (apply_route(p, u) != 0)
		queue(p, u);
	apply_steer(p, u);
	drop_if_unused(p, u);
}

int prefix_fix(struct provision *p, const struct ip_prefix *prefix, int ifindex)
{
	struct prefix_use *u = find_or_add(p, prefix);

	if (u == NULL)
		return -ENOMEM;
	int before = u->fixed;
	u->fixed = ifindex;
	int err = apply_steer(p, u);
	if (err == 0)
		err = apply_route(p, u);
	if (err != 0) {
		u->fixed = before;
		apply_steer(p, u);
		drop_if_unused(p, u);
	}
	return err;
}

void prefix_routed(struct provision *p, const struct ip_prefix *prefix, bool present)
{
	struct prefix_use *u = present ? find_or_add(p, prefix) : find(p, prefix);

	if (u == NULL) {
		if (present)
			log_error("no memory to steer a prefix that is routed into a tunnel");
		return;
	}
	u->routed = present;
	int err = present ? apply_steer(p, u) : 0;
	if (err != 0) {
		char text[IP_TEXT_MAX];
		log_error("%s is routed into a tunnel but cannot be steered to the datapath: %s",
			  ip_prefix_text(prefix, text), strerror(-err));
	}
	queue(p, u);
}

void prefix_settle(struct provision *p)
{
	struct prefix_queue now = TAILQ_HEAD_INITIALIZER(now);

	TAILQ_CONCAT(&now, &p->queue, in_queue);
	while (!TAILQ_EMPTY(&now)) {
		struct prefix_use *u = TAILQ_FIRST(&now);
		TAILQ_REMOVE(&now, u, in_queue);
		u->queued = false;
		int err = apply_route(p, u);
		if (err != 0) {
			char text[IP_TEXT_MAX];
			log_warning("owned route to %s: %s", ip_prefix_text(&u->prefix, text),
				    strerror(-err));
		}
		apply_steer(p, u);
		drop_if_unused(p, u);
	}
}

static void gather_sourced(const void *node, VISIT visit, void *arg)
{
	struct prefix_use *u = *(struct prefix_use *const *)node;

	if ((visit == postorder || visit == leaf) && u->routing > 0)
		queue(arg, u);
}

void prefix_sources_changed(struct provision *p)
{
	twalk_r(p->prefixes, gather_sourced, p);
}

struct unfix {
	struct provision *p;
	int ifindex;
};

static void unfix_one(const void *node, VISIT visit, void *arg)
{
	struct prefix_use *u = *(struct prefix_use *const *)node;
	struct unfix *w = arg;

	if ((visit == postorder || visit == leaf) && u->fixed == w->ifindex) {
		u->fixed = 0;
		queue(w->p, u);
	}
}

void prefix_unfix(struct provision *p, int ifindex)
{
	struct unfix w = {p, ifindex};

	twalk_r(p->prefixes, unfix_one, &w);
}

void prefix_free_all(struct provision *p)
{
	TAILQ_INIT(&p->queue);
	tdestroy(p->prefixes, free);
	p->prefixes = NULL;
}
