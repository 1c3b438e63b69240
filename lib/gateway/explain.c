/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway/explain.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/state.h"
#include "mtu/payload.h"
#include "sa/sa_hot.h"
#include "worker/address.h"

/* The same bound as worker/tunnel.c: outer packets may not be longer than a total length says. */
#define INNER_MAX (UINT16_MAX - SA_HEADER_MAX - 24)

struct question {
	struct gateway *g;
	const struct flow *flow;
	uint16_t length;
	struct explain *out;
};

static void __attribute__((format(printf, 3, 4)))
ends(const struct question *q, enum explain_fate fate, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->out->why, sizeof(q->out->why), fmt, args);
	va_end(args);
	q->out->fate = fate;
}

static void __attribute__((format(printf, 3, 4)))
dropped(const struct question *q, enum drop_reason reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->out->why, sizeof(q->out->why), fmt, args);
	va_end(args);
	q->out->fate = EXPLAIN_DROP;
	q->out->drop = reason;
}

static const char *destination(const struct question *q, char *text)
{
	struct ip_addr a = ip_addr_from(q->flow->family, q->flow->remote);

	return ip_addr_text(&a, text);
}

static const struct port *port_of(const struct question *q, const struct nexthop *hop)
{
	return &q->g->port[hop->port];
}

static uint16_t port_mtu(const struct question *q, const struct nexthop *hop)
{
	uint16_t mtu = port_of(q, hop)->mtu;

	return hop->mtu != 0 && hop->mtu < mtu ? hop->mtu : mtu;
}

/* worker/transmit.c: what becomes of a packet to `to`, of which `what` says whose it is. */
static void sent(const struct question *q, const struct nexthop *hop, const struct ip_addr *to,
		 enum explain_fate fate, const char *what)
{
	char text[IP_TEXT_MAX], via[IP_TEXT_MAX];
	const struct port *port = nexthop_has_port(hop) ? port_of(q, hop) : NULL;

	ip_addr_text(to, text);
	switch ((enum nexthop_type)hop->type) {
	case NEXTHOP_ETHER:
		if (!atomic_load_explicit(&port->up, memory_order_relaxed))
			dropped(q, DROP_PORT_DOWN,
				"%s %s leaves through port %s, which has no link", what, text,
				port->name);
		else
			ends(q, fate, "%s %s leaves through port %s", what, text, port->name);
		break;
	case NEXTHOP_UNRESOLVED:
		ends(q, EXPLAIN_HELD,
		     "%s %s waits on port %s until its next hop %s answers ARP or ND, 2 seconds at "
		     "most",
		     what, text, port->name, ip_addr_text(&hop->gateway, via));
		break;
	case NEXTHOP_CONNECTED:
		ends(q, EXPLAIN_HELD,
		     "%s %s waits on port %s until %s answers ARP or ND, 2 seconds at most", what,
		     text, port->name, text);
		break;
	case NEXTHOP_TUNNEL:
		dropped(q, DROP_LOOP,
			"%s %s would have to leave in the clear, but the route to %s leads into "
			"a tunnel",
			what, text, text);
		break;
	case NEXTHOP_LOCAL:
		dropped(q, DROP_LOOP, "%s %s has an address of this machine as its destination",
			what, text);
		break;
	case NEXTHOP_BLACKHOLE:
		dropped(q, DROP_BLACKHOLE,
			"%s %s meets a route that says blackhole, unreachable or prohibit", what,
			text);
		break;
	case NEXTHOP_NONE:
		dropped(q, DROP_NO_ROUTE, "%s %s finds no route", what, text);
		break;
	case NEXTHOP_KERNEL:
		dropped(q, DROP_NO_ROUTE,
			"%s %s has a route through a device that is no port of this gateway", what,
			text);
		break;
	}
}

/* worker/tunnel.c: 0 where nothing fits at all. */
static uint16_t tunnel_limit(const struct question *q, const struct tunnel *t,
			     const struct nexthop *hop)
{
	const struct sa_spec *spec = &t->out->spec;
	uint16_t mtu = nexthop_has_port(hop) ? port_mtu(q, hop) : hop->mtu;
	uint16_t limit = mtu == 0 ? INNER_MAX : mtu_payload(mtu, spec->remote.family, spec->udp);

	return t->spec.mtu != 0 && t->spec.mtu < limit ? t->spec.mtu : limit;
}

/* esp/number.c */
static bool numbers_left(const struct question *q, const struct sa *sa)
{
	struct sa_counters c;

	sa_counters(sa, &c);
	if (c.seq < atomic_load_explicit(&sa->out->seq_limit, memory_order_relaxed))
		return true;
	if (c.seq >= (sa->spec.esn ? UINT64_MAX : UINT32_MAX))
		dropped(q, DROP_SEQ_EXHAUSTED,
			"the sequence numbers of SA 0x%08x are used up: the tunnel needs a rekey",
			sa->spi);
	else
		dropped(q, DROP_SEQ_UNRESERVED,
			"SA 0x%08x waits for its next block of sequence numbers to be on disk",
			sa->spi);
	return false;
}

static void protect(const struct question *q, struct tunnel *t)
{
	struct explain *out = q->out;

	out->tunnel = t;
	out->sa = t->out;
	if (t->out == NULL && (t->spec.trap || t->traps > 0)) {
		ends(q, EXPLAIN_HELD,
		     "tunnel \"%s\" has no SA to send with: IKE is asked for one (acquire) and "
		     "the first packets wait for it",
		     t->spec.name);
		return;
	}
	if (t->out == NULL) {
		dropped(q, DROP_TUNNEL_NO_SA,
			"tunnel \"%s\" is %s and has no SA to send with: IKE has installed none",
			t->spec.name, tunnel_state(t));
		return;
	}
	const struct ip_addr *peer = &t->out->spec.remote;
	out->outer = fib_lookup(q->g->fib, peer->family, peer->bytes);
	out->mtu = tunnel_limit(q, t, out->outer);
	if (out->mtu == 0 || q->length > out->mtu) {
		dropped(q, DROP_TOO_BIG,
			"%u bytes are more than tunnel \"%s\" carries, %u: the sender is told so "
			"by ICMP",
			q->length, t->spec.name, out->mtu);
		return;
	}
	if (numbers_left(q, t->out)) {
		char what[TUNNEL_NAME_MAX + 32];
		snprintf(what, sizeof(what), "ESP of tunnel \"%s\" to", t->spec.name);
		sent(q, out->outer, peer, EXPLAIN_PROTECT, what);
	}
}

static void to_kernel(const struct question *q)
{
	char text[IP_TEXT_MAX];

	ends(q, EXPLAIN_KERNEL, "%s is an address of this machine", destination(q, text));
}

static void other_device(const struct question *q)
{
	char text[IP_TEXT_MAX];

	ends(q, EXPLAIN_KERNEL,
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
		q->out->mtu = port_mtu(q, hop);
		if (q->length > q->out->mtu) {
			dropped(q, DROP_TX_MTU,
				"%u bytes are more than port %s carries, %u: the sender is told so "
				"by ICMP",
				q->length, port_of(q, hop)->name, q->out->mtu);
			return;
		}
	}
	sent(q, hop, &to, EXPLAIN_CLEAR, "what is bypassed to");
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
			protect(q, t);
		else
			dropped(q, DROP_TUNNEL_NO_SA, "the route to %s leads into no tunnel", text);
		break;
	}
	case NEXTHOP_LOCAL:
		to_kernel(q);
		break;
	case NEXTHOP_NONE:
		dropped(q, DROP_NO_ROUTE, "no policy matches and there is no route to %s", text);
		break;
	case NEXTHOP_BLACKHOLE:
		dropped(q, DROP_BLACKHOLE,
			"no policy matches and the route to %s says blackhole, unreachable or "
			"prohibit",
			text);
		break;
	default:
		dropped(q, DROP_NO_POLICY,
			"no policy matches, and the route to %s leads into no tunnel", text);
		break;
	}
}

static void discarded(const struct question *q, const char *name)
{
	if (q->out->policy != NULL && q->out->policy->action != POLICY_DISCARD)
		dropped(q, DROP_POLICY_DISCARD,
			"policy \"%s\" speaks of ports, and without them this may be a piece of "
			"what it protects: it does not pass in the clear",
			name);
	else
		dropped(q, DROP_POLICY_DISCARD, "policy \"%s\" says discard", name);
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
			protect(q, t);
		else
			dropped(q, DROP_TUNNEL_NO_SA, "policy \"%s\" names a tunnel that is gone",
				name);
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
		ends(&q, EXPLAIN_KERNEL, "%s is for this link alone: no gateway forwards it",
		     destination(&q, text));
	} else if (mine && out->route->type == NEXTHOP_TUNNEL) {
		by_route(&q); /* the kernel puts it into the tunnel's own device */
	} else if ((mine || behind_xdp(g)) && out->route->type == NEXTHOP_LOCAL) {
		to_kernel(&q);
	} else if (mine && out->route->type != NEXTHOP_BLACKHOLE) {
		ends(
		    &q, EXPLAIN_KERNEL,
		    "the kernel sends it itself, as its routes to %s say: none leads into a tunnel",
		    destination(&q, text));
	} else if (!mine && behind_xdp(g) && !steered(&q)) {
		ends(&q, EXPLAIN_KERNEL,
		     "no policy and no route into a tunnel covers %s: XDP leaves it to the kernel, "
		     "which forwards it or not by its own routes",
		     destination(&q, text));
	} else {
		by_policy(&q);
	}
}
