/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <net/ethernet.h>

#include "report/log.h"
#include "route/mirror_state.h"

struct decision {
	struct nexthop hop;
	bool protected;
	int ifindex; /* CONNECTED */
};

static uint16_t smaller_mtu(uint16_t a, uint16_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Out of a port: source and type of the frame header are known, the destination not yet. */
static void out_of_port(struct decision *out, const struct device *port, uint8_t family,
			uint8_t type)
{
	uint16_t ethertype = family == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6;

	out->hop.type = type;
	out->hop.port = (uint16_t)port->index;
	out->hop.mtu = smaller_mtu(out->hop.mtu, port->mtu);
	memcpy(&out->hop.eth[6], port->mac, 6);
	out->hop.eth[12] = (uint8_t)(ethertype >> 8);
	out->hop.eth[13] = (uint8_t)ethertype;
}

static void to_neighbour(struct decision *out, const struct neighbour *n, uint8_t family)
{
	out_of_port(out, n->device, family, n->valid ? NEXTHOP_ETHER : NEXTHOP_UNRESOLVED);
	if (n->valid)
		memcpy(out->hop.eth, n->mac, 6);
	out->hop.gateway = n->addr;
}

static void through(const struct mirror *m, const struct destination *d, const struct hop *h,
		    struct decision *out)
{
	const struct device *device = h->device;
	uint8_t family = d->prefix.addr.family;

	if (!device->registered) {
		out->hop.type = NEXTHOP_KERNEL;
	} else if (device->kind == MIRROR_TUNNEL) {
		out->hop.type = NEXTHOP_TUNNEL;
		out->hop.tunnel = device->index;
		out->protected = true;
	} else if (device->kind == MIRROR_POLICY) {
		/* Policies are asked before routes: what still comes here matches none of them. */
		out->hop.type = NEXTHOP_BLACKHOLE;
		out->protected = true;
	} else if (h->neighbour != NULL) {
		to_neighbour(out, h->neighbour, family);
	} else {
		const struct neighbour *n = NULL;

		if (d->prefix.len == ip_bits(family))
			n = neighbour_find(m, device->ifindex, &d->prefix.addr);
		if (n != NULL && n->valid) {
			to_neighbour(out, n, family);
		} else {
			out_of_port(out, device, family, NEXTHOP_CONNECTED);
			out->ifindex = device->ifindex;
		}
	}
}

/*
 * Of a multipath route the first next hop whose link is up is used, else the
 * first: there is no ECMP.
 */
static const struct hop *usable_hop(const struct route *r)
{
	for (unsigned int i = 0; i < r->hops; i++)
		if (r->hop[i].device->up)
			return &r->hop[i];
	return r->hops > 0 ? &r->hop[0] : NULL;
}

/* False where the route leads nowhere now and the next best is to be tried. */
static bool follow(const struct mirror *m, const struct destination *d, const struct route *r,
		   struct decision *out)
{
	switch (r->type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		out->hop.type = NEXTHOP_LOCAL;
		return true;
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		out->hop.type = NEXTHOP_BLACKHOLE;
		return true;
	case RTN_UNICAST:
		if (r->opaque)
			break;
		const struct hop *h = usable_hop(r);

		if (h == NULL)
			return false;
		out->hop.mtu = r->mtu;
		through(m, d, h, out);
		return true;
	}
	out->hop.type = NEXTHOP_KERNEL;
	return true;
}

/* A host without a route of its own, on the subnet that holds it. */
static void neighbour_on_link(const struct mirror *m, const struct destination *d,
			      struct decision *out)
{
	uint8_t family = d->prefix.addr.family;

	if (d->prefix.len != ip_bits(family))
		return;
	const struct destination *cover = destination_cover(m, &d->prefix.addr);

	if (cover == NULL || cover->hop.type != NEXTHOP_CONNECTED)
		return;
	const struct neighbour *n = neighbour_find(m, cover->ifindex, &d->prefix.addr);

	if (n != NULL && n->valid) {
		out->hop.mtu = cover->hop.mtu;
		to_neighbour(out, n, family);
	}
}

static void decide(const struct mirror *m, const struct destination *d, struct decision *out)
{
	const struct route *r;

	memset(out, 0, sizeof(*out));
	TAILQ_FOREACH (r, &d->routes, in_destination)
		if (follow(m, d, r, out))
			return;
	neighbour_on_link(m, d, out);
}

static void write_fib(struct mirror *m, struct destination *d)
{
	char text[IP_TEXT_MAX];
	bool missing = false;

	if (d->hop.type == NEXTHOP_NONE) {
		if (d->installed)
			fib_remove(m->fib, &d->prefix);
		d->installed = false;
	} else {
		int err = fib_set(m->fib, &d->prefix, &d->hop);

		missing = err != 0;
		if (missing && d->installed) /* rather nothing than what was true before */
			fib_remove(m->fib, &d->prefix);
		d->installed = !missing;
		if (missing && m->missing == 0)
			log_error("the forwarding table has no room for %s (%s): it follows a "
				  "shorter prefix, and so do others; raise the limit of routes",
				  ip_prefix_text(&d->prefix, text), strerror(-err));
	}
	m->missing = m->missing + missing - d->missing;
	d->missing = missing;
}

static bool same_way(const struct nexthop *a, const struct nexthop *b)
{
	return a->type == b->type && a->port == b->port && a->mtu == b->mtu;
}

static void settle(struct mirror *m, struct destination *d)
{
	struct decision new;

	decide(m, d, &new);
	bool host = d->prefix.len == ip_bits(d->prefix.addr.family);
	bool other = !same_way(&d->hop, &new.hop) || d->ifindex != new.ifindex;

	d->hop = new.hop;
	d->ifindex = new.ifindex;
	write_fib(m, d);
	/* Steered but not in the fib would be forwarded in the clear: left to the kernel's route.
	 */
	d->protected = new.protected && !d->missing;
	if (other && !host)
		neighbours_touch_inside(m, &d->prefix);
	if (d->protected != d->told && !d->untold) {
		d->untold = true;
		TAILQ_INSERT_TAIL(&m->untold, d, in_untold);
	}
	destination_release(m, d);
}

/* After the fib shows the change, so that what is steered to workers finds its route. */
static void tell(struct mirror *m)
{
	struct destination *d;

	while ((d = TAILQ_FIRST(&m->untold)) != NULL) {
		struct ip_prefix prefix = d->prefix;
		bool present = d->protected;
		bool news = present != d->told;

		TAILQ_REMOVE(&m->untold, d, in_untold);
		d->untold = false;
		d->told = present;
		destination_release(m, d);
		if (news && m->events.protected_prefix != NULL)
			m->events.protected_prefix(m->events.arg, &prefix, present);
	}
}

void mirror_settle(struct mirror *m)
{
	struct destination *d;

	fib_batch_begin(m->fib);
	while ((d = TAILQ_FIRST(&m->undecided)) != NULL) {
		TAILQ_REMOVE(&m->undecided, d, in_undecided);
		d->undecided = false;
		settle(m, d);
	}
	fib_batch_commit(m->fib);
	tell(m);
}

void mirror_retry_missing(struct mirror *m)
{
	for (size_t i = 0; m->missing > 0 && i < DESTINATION_BUCKETS; i++) {
		struct destination *d;

		LIST_FOREACH (d, &m->destinations[i], in_bucket)
			if (d->missing)
				destination_touch(m, d);
	}
}
