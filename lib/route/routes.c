/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "route/mirror_state.h"

/*
 * The order in which a lookup prefers the routes to one prefix: the local table
 * (rule 0 of the kernel) before main, then the metric, then what the kernel says
 * before what the configuration says.
 */
static uint64_t rank_of(const struct route_spec *s)
{
	return (uint64_t)(s->table != RT_TABLE_LOCAL) << 40 | (uint64_t)s->metric << 8 | s->source;
}

static bool same_hops(const struct route *r, const struct route_spec *s)
{
	static const struct ip_addr none;

	if (r->hops != s->hops)
		return false;
	for (unsigned int i = 0; i < r->hops; i++) {
		const struct neighbour *n = r->hop[i].neighbour;

		if (r->hop[i].device->ifindex != s->hop[i].ifindex ||
		    !ip_addr_equal(n != NULL ? &n->addr : &none, &s->hop[i].gateway))
			return false;
	}
	return true;
}

struct route *route_find(const struct mirror *m, const struct route_spec *s)
{
	struct destination *d = destination_find(m, &s->prefix);
	struct route *r;

	if (d == NULL)
		return NULL;
	TAILQ_FOREACH (r, &d->routes, in_destination) {
		if (r->source == s->source && r->table == s->table && r->metric == s->metric &&
		    r->type == s->type && r->protocol == s->protocol && r->mtu == s->mtu &&
		    r->opaque == s->opaque && same_hops(r, s))
			return r;
	}
	return NULL;
}

static bool hop_link(struct mirror *m, struct route *r, const struct hop_spec *spec)
{
	struct hop *h = &r->hop[r->hops];
	struct device *d = device_get(m, spec->ifindex);

	if (d == NULL)
		return false;
	h->route = r;
	h->device = d;
	h->neighbour = NULL;
	if (spec->gateway.family != 0) {
		h->neighbour = neighbour_get(m, d, &spec->gateway);
		if (h->neighbour == NULL) {
			device_release(d);
			return false;
		}
		LIST_INSERT_HEAD(&h->neighbour->hops, h, at_neighbour);
	}
	LIST_INSERT_HEAD(&d->hops, h, on_device);
	r->hops++;
	return true;
}

static void hops_unlink(struct mirror *m, struct route *r)
{
	while (r->hops > 0) {
		struct hop *h = &r->hop[--r->hops];

		LIST_REMOVE(h, on_device);
		if (h->neighbour != NULL) {
			LIST_REMOVE(h, at_neighbour);
			neighbour_release(m, h->neighbour);
		}
		device_release(h->device);
	}
}

/* Behind those of the same rank: a dump tells them in the order of preference. */
static void insert(struct destination *d, struct route *r)
{
	struct route *at;

	TAILQ_FOREACH (at, &d->routes, in_destination) {
		if (at->rank > r->rank) {
			TAILQ_INSERT_BEFORE(at, r, in_destination);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&d->routes, r, in_destination);
}

bool route_seen(struct mirror *m, const struct route_spec *s)
{
	struct route *r = route_find(m, s);

	if (r == NULL)
		return false;
	struct destination *d = r->destination;
	struct route *before = TAILQ_PREV(r, route_list, in_destination);
	struct route *after = TAILQ_NEXT(r, in_destination);

	r->mark = m->mark;
	if ((before != NULL && before->rank == r->rank) ||
	    (after != NULL && after->rank == r->rank)) {
		TAILQ_REMOVE(&d->routes, r, in_destination);
		insert(d, r);
		destination_touch(m, d);
	}
	return true;
}

int route_add(struct mirror *m, const struct route_spec *s)
{
	struct route *r = route_find(m, s);

	if (r != NULL)
		return 0;
	struct destination *d = destination_get(m, &s->prefix);

	if (d == NULL)
		return -ENOMEM;
	r = calloc(1, sizeof(*r) + s->hops * sizeof(r->hop[0]));
	if (r == NULL) {
		destination_release(m, d);
		return -ENOMEM;
	}
	r->destination = d;
	r->rank = rank_of(s);
	r->metric = s->metric;
	r->source = (uint8_t)s->source;
	r->type = s->type;
	r->table = s->table;
	r->protocol = s->protocol;
	r->opaque = s->opaque;
	r->mtu = s->mtu;
	r->mark = m->mark;
	for (unsigned int i = 0; i < s->hops; i++) {
		if (!hop_link(m, r, &s->hop[i])) {
			hops_unlink(m, r);
			free(r);
			destination_release(m, d);
			return -ENOMEM;
		}
	}
	insert(d, r);
	destination_touch(m, d);
	return 0;
}

void route_delete(struct mirror *m, struct route *r)
{
	TAILQ_REMOVE(&r->destination->routes, r, in_destination);
	destination_touch(m, r->destination);
	hops_unlink(m, r);
	free(r);
}

void routes_sweep(struct mirror *m)
{
	for (size_t i = 0; i < DESTINATION_BUCKETS; i++) {
		struct destination *d;

		LIST_FOREACH (d, &m->destinations[i], in_bucket) {
			struct route *r = TAILQ_FIRST(&d->routes), *next;

			for (; r != NULL; r = next) {
				next = TAILQ_NEXT(r, in_destination);
				if (r->source == ROUTE_KERNEL && r->mark != m->mark)
					route_delete(m, r);
			}
		}
	}
}
