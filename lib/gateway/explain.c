/* SPDX-License-Identifier: BSD-3-Clause */
#include <search.h>

#include "gateway/explain_state.h"
#include "gateway/state.h"
#include "worker/address.h"

static const char *destination(const struct question *q, char *text)
{
	struct ip_addr a = ip_addr_from(q->flow->family, q->flow->remote);

	return ip_addr_text(&a, text);
}

static void to_kernel(const struct question *q)
{
	char text[IP_TEXT_MAX];

	explain_ends(q, EXPLAIN_KERNEL, "%s is an address of this machine", destination(q, text));
}

static void other_device(const struct question *q)
{
	char text[IP_TEXT_MAX];

	explain_ends(
	    q, EXPLAIN_KERNEL,
	    "the route to %s leads through a device that is no port of this gateway: the kernel "
	    "forwards it",
	    destination(q, text));
}

/* worker/route.c: bypassed, by the route alone. */
static void clear(const struct question *q)
{
	struct ip_addr to = ip_addr_from(q->flow->family, q->flow->remote);
	const struct nexthop *hop = q->out->route;

	if (hop->type == NEXTHOP_LOCAL) {
		to_kernel(q);
		return;
	}
	if (hop->type == NEXTHOP_KERNEL) {
		other_device(q);
		return;
	}
	if (nexthop_has_port(hop)) {
		q->out->mtu = explain_port_mtu(q, hop);
		if (q->length > q->out->mtu) {
			explain_dropped(
			    q, DROP_TX_MTU,
			    "%u bytes are more than port %s carries, %u: the sender is told so "
			    "by ICMP",
			    q->length, q->g->port[hop->port].name, q->out->mtu);
			return;
		}
	}
	explain_sent(q, hop, &to, EXPLAIN_CLEAR, "what is bypassed to");
}

/* worker/policy.c: no policy matches. */
static void by_route(const struct question *q)
{
	const struct nexthop *hop = q->out->route;
	char text[IP_TEXT_MAX];

	destination(q, text);
	switch ((enum nexthop_type)hop->type) {
	case NEXTHOP_TUNNEL: {
		struct tunnel *t = tunnel_get(q->g->sadb, hop->tunnel);

		q->out->by_route = true;
		q->out->route = NULL;
		if (t != NULL)
			explain_protect(q, t);
		else
			explain_dropped(q, DROP_TUNNEL_NO_SA,
					"the route to %s leads into no tunnel", text);
		break;
	}
	case NEXTHOP_LOCAL:
		to_kernel(q);
		break;
	case NEXTHOP_NONE:
		explain_dropped(q, DROP_NO_ROUTE, "no policy matches and there is no route to %s",
				text);
		break;
	case NEXTHOP_BLACKHOLE:
		explain_dropped(
		    q, DROP_BLACKHOLE,
		    "no policy matches and the route to %s says blackhole, unreachable or "
		    "prohibit",
		    text);
		break;
	default:
		explain_dropped(q, DROP_NO_POLICY,
				"no policy matches, and the route to %s leads into no tunnel",
				text);
		break;
	}
}

static void discarded(const struct question *q, const char *name)
{
	if (q->out->policy != NULL && q->out->policy->action != POLICY_DISCARD)
		explain_dropped(
		    q, DROP_POLICY_DISCARD,
		    "policy \"%s\" speaks of ports, and without them this may be a piece of "
		    "what it protects: it does not pass in the clear",
		    name);
	else
		explain_dropped(q, DROP_POLICY_DISCARD, "policy \"%s\" says discard", name);
}

static void by_policy(const struct question *q)
{
	struct verdict v = spd_verdict(q->g->spd, q->flow, &q->out->policy);
	const char *name = q->out->policy != NULL ? q->out->policy->name : "(being deleted)";
	struct tunnel *t;

	switch (v.action) {
	case POLICY_PROTECT:
		t = tunnel_get(q->g->sadb, v.tunnel);
		q->out->route = NULL;
		if (t != NULL)
			explain_protect(q, t);
		else
			explain_dropped(q, DROP_TUNNEL_NO_SA,
					"policy \"%s\" names a tunnel that is gone", name);
		break;
	case POLICY_BYPASS:
		clear(q);
		break;
	case POLICY_DISCARD:
		discarded(q, name);
		break;
	default:
		by_route(q);
	}
}

/* worker/receive.c: never forwarded by a gateway. */
static bool stays_on_link(const struct flow *f)
{
	if (f->family == 4)
		return f->remote[0] >= 224;
	return f->remote[0] == 0xff || (f->remote[0] == 0xfe && (f->remote[1] & 0xc0) == 0x80);
}

/* All of the protected side is behind the XDP program, which asks before the workers do. */
static bool behind_xdp(const struct gateway *g)
{
	unsigned int ports = 0;

	for (uint16_t i = 0; i < g->ports; i++) {
		if ((g->port[i].role & PORT_PROTECTED) == 0)
			continue;
		if (!g->port[i].af_xdp)
			return false;
		ports++;
	}
	return ports > 0;
}

struct search {
	struct ip_addr addr;
	bool found;
};

static void covers(const void *node, VISIT when, void *arg)
{
	const struct prefix_use *u = *(struct prefix_use *const *)node;
	struct search *s = arg;

	if ((when == postorder || when == leaf) && u->steered &&
	    ip_prefix_contains(&u->prefix, &s->addr))
		s->found = true;
}

/* port/steer.bpf.c: only what a policy or a route into a tunnel may want reaches the workers. */
static bool steered(const struct question *q)
{
	struct search s = {.addr = ip_addr_from(q->flow->family, q->flow->remote)};
	struct provision *p = provision_of(q->g);

	if (p != NULL)
		twalk_r(p->prefixes, covers, &s);
	return s.found;
}

void gateway_explain(struct gateway *g, const struct flow *flow, uint16_t length,
		     struct explain *out)
{
	const struct question q = {g, flow, length, out};
	char text[IP_TEXT_MAX];

	*out = (struct explain){.route = fib_lookup(g->fib, flow->family, flow->remote)};
	bool mine = fib_lookup(g->fib, flow->family, flow->local)->type == NEXTHOP_LOCAL;
	if (stays_on_link(flow)) {
		explain_ends(&q, EXPLAIN_KERNEL,
			     "%s is for this link alone: no gateway forwards it",
			     destination(&q, text));
	} else if (mine && out->route->type == NEXTHOP_TUNNEL) {
		by_route(&q); /* the kernel puts it into the tunnel's own device */
	} else if ((mine || behind_xdp(g)) && out->route->type == NEXTHOP_LOCAL) {
		to_kernel(&q);
	} else if (mine && out->route->type != NEXTHOP_BLACKHOLE) {
		explain_ends(
		    &q, EXPLAIN_KERNEL,
		    "the kernel sends it itself, as its routes to %s say: none leads into a tunnel",
		    destination(&q, text));
	} else if (!mine && behind_xdp(g) && !steered(&q)) {
		explain_ends(
		    &q, EXPLAIN_KERNEL,
		    "no policy and no route into a tunnel covers %s: XDP leaves it to the kernel, "
		    "which forwards it or not by its own routes",
		    destination(&q, text));
	} else {
		by_policy(&q);
	}
}
