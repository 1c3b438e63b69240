/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "gateway/explain_state.h"
#include "worker/address.h"

void explain_ends(const struct question *q, enum explain_fate fate, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->out->why, sizeof(q->out->why), fmt, args);
	va_end(args);
	q->out->fate = fate;
}

void explain_dropped(const struct question *q, enum drop_reason reason, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->out->why, sizeof(q->out->why), fmt, args);
	va_end(args);
	q->out->fate = EXPLAIN_DROP;
	q->out->drop = reason;
}

static const struct port *port_of(const struct question *q, const struct nexthop *hop)
{
	return &q->g->port[hop->port];
}

uint16_t explain_port_mtu(const struct question *q, const struct nexthop *hop)
{
	uint16_t mtu = port_of(q, hop)->mtu;

	return hop->mtu != 0 && hop->mtu < mtu ? hop->mtu : mtu;
}

void explain_sent(const struct question *q, const struct nexthop *hop, const struct ip_addr *to,
		  enum explain_fate fate, const char *what)
{
	char text[IP_TEXT_MAX], via[IP_TEXT_MAX];
	const struct port *port = nexthop_has_port(hop) ? port_of(q, hop) : NULL;

	ip_addr_text(to, text);
	switch ((enum nexthop_type)hop->type) {
	case NEXTHOP_ETHER:
		if (!atomic_load_explicit(&port->up, memory_order_relaxed))
			explain_dropped(q, DROP_PORT_DOWN,
					"%s %s leaves through port %s, which has no link", what,
					text, port->name);
		else
			explain_ends(q, fate, "%s %s leaves through port %s", what, text,
				     port->name);
		break;
	case NEXTHOP_UNRESOLVED:
		explain_ends(
		    q, EXPLAIN_HELD,
		    "%s %s waits on port %s until its next hop %s answers ARP or ND, 2 seconds at "
		    "most",
		    what, text, port->name, ip_addr_text(&hop->gateway, via));
		break;
	case NEXTHOP_CONNECTED:
		explain_ends(q, EXPLAIN_HELD,
			     "%s %s waits on port %s until %s answers ARP or ND, 2 seconds at most",
			     what, text, port->name, text);
		break;
	case NEXTHOP_TUNNEL:
		explain_dropped(
		    q, DROP_LOOP,
		    "%s %s would have to leave in the clear, but the route to %s leads into "
		    "a tunnel",
		    what, text, text);
		break;
	case NEXTHOP_LOCAL:
		explain_dropped(q, DROP_LOOP,
				"%s %s has an address of this machine as its destination", what,
				text);
		break;
	case NEXTHOP_BLACKHOLE:
		explain_dropped(q, DROP_BLACKHOLE,
				"%s %s meets a route that says blackhole, unreachable or prohibit",
				what, text);
		break;
	case NEXTHOP_NONE:
		explain_dropped(q, DROP_NO_ROUTE, "%s %s finds no route", what, text);
		break;
	case NEXTHOP_KERNEL:
		explain_dropped(
		    q, DROP_NO_ROUTE,
		    "%s %s has a route through a device that is no port of this gateway", what,
		    text);
		break;
	}
}
