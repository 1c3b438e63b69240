/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <linux/if_addr.h>
#include <libmnl/libmnl.h>

#include "report/log.h"
#include "route/mirror_state.h"

#define NOT_FOR_SOURCE (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)

bool ip_addr_is_link_local6(const struct ip_addr *a)
{
	return a->family == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static uint32_t bucket_of(const struct mirror *m, const struct ip_addr *addr)
{
	return mirror_hash(m, addr, 0) % ADDRESS_BUCKETS;
}

/* On `d`, or on any device if d is NULL. */
static struct address *find(const struct mirror *m, const struct device *d,
			    const struct ip_addr *addr)
{
	struct address *a;

	LIST_FOREACH (a, &m->address_of[bucket_of(m, addr)], in_bucket)
		if (ip_addr_equal(&a->addr, addr) && (d == NULL || a->device == d))
			return a;
	return NULL;
}

/* A host route of its own: an address may stand in a table that is not mirrored (VRF). */
static struct route_spec local_route(const struct ip_addr *addr)
{
	return (struct route_spec){
	    .prefix = {*addr, ip_bits(addr->family)},
	    .source = ROUTE_ADDRESS,
	    .type = RTN_LOCAL,
	    .table = RT_TABLE_LOCAL,
	    .metric = ~0u,
	};
}

static void tell(struct mirror *m, const struct ip_addr *addr, bool present)
{
	if (m->events.local_address != NULL)
		m->events.local_address(m->events.arg, addr, present);
}

void address_set(struct mirror *m, int ifindex, const struct address *facts)
{
	struct device *d = device_get(m, ifindex);
	struct address *a = d != NULL ? find(m, d, &facts->addr) : NULL;
	bool news = find(m, NULL, &facts->addr) == NULL;
	const struct route_spec route = local_route(&facts->addr);

	if (a == NULL) {
		a = calloc(1, sizeof(*a));
		if (d == NULL || a == NULL) {
			log_error("no memory for a local address");
			free(a);
			return;
		}
		a->device = d;
		a->addr = facts->addr;
		LIST_INSERT_HEAD(&m->address_of[bucket_of(m, &a->addr)], a, in_bucket);
		LIST_INSERT_HEAD(&d->addresses, a, on_device);
	}
	a->len = facts->len;
	a->scope = facts->scope;
	a->flags = facts->flags;
	a->fixed |= facts->fixed;
	a->mark = m->mark;
	if (route_add(m, &route) != 0)
		log_error("no memory for the route to a local address");
	if (news)
		tell(m, &a->addr, true);
}

static void forget(struct mirror *m, struct address *a)
{
	struct ip_addr addr = a->addr;
	const struct route_spec route = local_route(&addr);

	LIST_REMOVE(a, in_bucket);
	LIST_REMOVE(a, on_device);
	free(a);
	if (find(m, NULL, &addr) != NULL)
		return;
	struct route *r = route_find(m, &route);

	if (r != NULL)
		route_delete(m, r);
	tell(m, &addr, false);
}

void address_message(void *mirror, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(message);
	const struct nlattr *tb[IFA_MAX + 1];
	struct mirror *m = mirror;
	struct address facts = {0};

	if (!netlink_attributes(message, sizeof(*ifa), tb, IFA_MAX))
		return;
	uint8_t family = netlink_family(ifa->ifa_family);

	/* On a point-to-point link IFA_ADDRESS is the peer's. */
	if ((!netlink_address(tb[IFA_LOCAL], family, &facts.addr) &&
	     !netlink_address(tb[IFA_ADDRESS], family, &facts.addr)) ||
	    ifa->ifa_index == 0 || ifa->ifa_index > INT32_MAX ||
	    ifa->ifa_prefixlen > ip_bits(family))
		return;
	if (message->nlmsg_type == RTM_NEWADDR) {
		facts.len = ifa->ifa_prefixlen;
		facts.scope = ifa->ifa_scope;
		facts.flags = ifa->ifa_flags;
		netlink_u32(tb[IFA_FLAGS], &facts.flags);
		address_set(m, (int)ifa->ifa_index, &facts);
		return;
	}
	struct device *d = device_find(m, (int)ifa->ifa_index);
	struct address *a = d != NULL ? find(m, d, &facts.addr) : NULL;

	/* IPv4 routes that prefer this source go without a word. */
	m->resync_routes |= family == 4;
	if (a == NULL || a->fixed)
		return;
	forget(m, a);
	device_release(d);
}

void addresses_sweep(struct mirror *m)
{
	for (size_t i = 0; i < ADDRESS_BUCKETS; i++) {
		struct address *a = LIST_FIRST(&m->address_of[i]), *next;

		for (; a != NULL; a = next) {
			next = LIST_NEXT(a, in_bucket);
			if (a->fixed || a->mark == m->mark)
				continue;
			struct device *d = a->device;

			forget(m, a);
			device_release(d);
		}
	}
}

void addresses_forget(struct mirror *m, struct device *d)
{
	struct address *a = LIST_FIRST(&d->addresses), *next;

	for (; a != NULL; a = next) {
		next = LIST_NEXT(a, on_device);
		if (!a->fixed)
			forget(m, a);
	}
}

bool mirror_source_address(const struct mirror *m, uint16_t port, uint8_t family,
			   struct ip_addr *out)
{
	const struct device *d = port < PORTS ? m->ports[port] : NULL;
	const struct address *a, *best = NULL;

	if (d == NULL)
		return false;
	LIST_FOREACH (a, &d->addresses, on_device) {
		/* Narrower scopes have greater numbers; a host's own never leaves it. */
		if (a->addr.family != family || a->scope >= RT_SCOPE_HOST ||
		    a->flags & NOT_FOR_SOURCE)
			continue;
		if (best == NULL || a->scope < best->scope ||
		    (a->scope == best->scope &&
		     (a->flags & IFA_F_SECONDARY) < (best->flags & IFA_F_SECONDARY)))
			best = a;
	}
	if (best != NULL)
		*out = best->addr;
	return best != NULL;
}
