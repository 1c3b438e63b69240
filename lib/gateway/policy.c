/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/state.h"

#define RANGE_PREFIXES 254 /* ip_range_prefixes() needs no more */

/*
 * Not for a prefix that the outer remote address lies in (any, or the peer's own
 * network): the route would take IKE's and ESP's own packets into the device.
 */
static bool wants_route(const struct gateway *g, const struct policy *policy,
			const struct ip_prefix *prefix)
{
	if (policy->action != POLICY_PROTECT || prefix->len == 0)
		return false;
	const struct tunnel *t = tunnel_get(g->sadb, policy->tunnel);
	return t == NULL || t->spec.remote.family != prefix->addr.family ||
	       !ip_prefix_contains(prefix, &t->spec.remote);
}

static int remote_prefixes(const struct policy *policy, struct ip_prefix out[RANGE_PREFIXES])
{
	if (policy->action == POLICY_BYPASS)
		return 0;
	return ip_range_prefixes(&policy->selector.remote_first, &policy->selector.remote_last, out,
				 RANGE_PREFIXES);
}

static int check(const struct gateway *g, const struct policy *policy, struct fault *fault)
{
	if (policy->action == POLICY_PROTECT && tunnel_get(g->sadb, policy->tunnel) == NULL)
		return fault_set(fault, ENOENT, "tunnel", "there is no tunnel %u", policy->tunnel);
	return 0;
}

int gateway_policy_add(struct gateway *g, struct policy *policy, struct fault *fault)
{
	struct ip_prefix prefix[RANGE_PREFIXES];
	struct provision *p = provision_of(g);

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another policy");
	int err = check(g, policy, fault);
	if (err != 0)
		return err;
	int n = remote_prefixes(policy, prefix), taken = 0;
	if (n < 0)
		return fault_set(fault, EINVAL, "remote", "the range is none");
	while (taken < n) {
		bool route = wants_route(g, policy, &prefix[taken]);
		err = prefix_share(p, &prefix[taken], route, &policy->selector);
		if (err != 0) {
			char text[IP_TEXT_MAX];
			fault_set(fault, -err, "remote", "%s cannot be steered or routed: %s",
				  ip_prefix_text(&prefix[taken], text), strerror(-err));
			break;
		}
		taken++;
	}
	if (err == 0)
		err = policy_add(g->spd, policy, fault);
	if (err == 0) {
		trap_add(p, policy);
		p->uncommitted = true;
		return 0;
	}
	while (taken-- > 0)
		prefix_give_back(p, &prefix[taken], wants_route(g, policy, &prefix[taken]));
	return err;
}

struct by_id {
	uint32_t id;
	const struct policy *found;
};

static bool has_id(void *arg, const struct policy *policy)
{
	struct by_id *b = arg;

	if (policy->id == b->id)
		b->found = policy;
	return b->found == NULL;
}

static int make_room(struct provision *p, size_t n)
{
	if (p->releases + n <= p->releases_size)
		return 0;
	size_t size = (p->releases + n) * 2;
	struct release *release = realloc(p->release, size * sizeof(*release));
	if (release == NULL)
		return -ENOMEM;
	p->release = release;
	p->releases_size = size;
	return 0;
}

int gateway_policy_delete(struct gateway *g, uint32_t id, struct fault *fault)
{
	struct ip_prefix prefix[RANGE_PREFIXES];
	struct provision *p = provision_of(g);
	struct by_id b = {.id = id};

	policy_each(g->spd, has_id, &b);
	if (b.found == NULL)
		return fault_set(fault, ENOENT, "id", "there is no policy %u", id);
	struct policy policy = *b.found;
	int n = remote_prefixes(&policy, prefix);
	if (n < 0)
		n = 0;
	if (p == NULL || make_room(p, (size_t)n) != 0)
		return fault_set(fault, ENOMEM, "", "no memory to delete a policy");
	int err = policy_remove(g->spd, id);
	if (err != 0)
		return fault_set(fault, -err, "id", "policy %u cannot be removed: %s", id,
				 strerror(-err));
	trap_remove(p, &policy);
	/* Until the commit workers still protect by it: what leads there stays so long. */
	for (int i = 0; i < n; i++)
		p->release[p->releases++] =
		    (struct release){prefix[i], wants_route(g, &policy, &prefix[i])};
	p->uncommitted = true;
	return 0;
}

int gateway_commit(struct gateway *g, struct fault *fault)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return fault_set(fault, ENOMEM, "", "no memory");
	int err = spd_commit(g->spd, fault);
	if (err != 0)
		return err;
	for (size_t i = 0; i < p->releases; i++)
		prefix_give_back(p, &p->release[i].prefix, p->release[i].route);
	p->releases = 0;
	p->uncommitted = false;
	return 0;
}
