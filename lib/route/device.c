/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>

#include "report/log.h"
#include "route/mirror_state.h"

static uint32_t bucket_of(int ifindex)
{
	return (uint32_t)ifindex % DEVICE_BUCKETS;
}

struct device *device_find(const struct mirror *m, int ifindex)
{
	struct device *d;

	LIST_FOREACH (d, &m->devices[bucket_of(ifindex)], in_bucket)
		if (d->ifindex == ifindex)
			return d;
	return NULL;
}

struct device *device_get(struct mirror *m, int ifindex)
{
	struct device *d = device_find(m, ifindex);

	if (d != NULL)
		return d;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->ifindex = ifindex;
	LIST_INSERT_HEAD(&m->devices[bucket_of(ifindex)], d, in_bucket);
	return d;
}

void device_release(struct device *d)
{
	if (d->present || d->registered || !LIST_EMPTY(&d->hops) || !LIST_EMPTY(&d->neighbours) ||
	    !LIST_EMPTY(&d->addresses))
		return;
	LIST_REMOVE(d, in_bucket);
	free(d);
}

void device_touch(struct mirror *m, struct device *d)
{
	struct neighbour *n;
	struct hop *h;

	LIST_FOREACH (h, &d->hops, on_device)
		destination_touch(m, h->route->destination);
	LIST_FOREACH (n, &d->neighbours, on_device)
		neighbour_touch(m, n);
}

static void set_link(struct mirror *m, struct device *d, bool up)
{
	if (d->up == up)
		return;
	d->up = up;
	device_touch(m, d); /* multipath routes look at links */
	if (d->registered && d->kind == MIRROR_PORT && m->events.link != NULL)
		m->events.link(m->events.arg, (uint16_t)d->index, up);
}

/*
 * The kernel does not tell which IPv4 routes it drops or revives when a device
 * goes down, up or away.
 */
static void set_admin(struct mirror *m, struct device *d, bool up)
{
	if (d->admin_up != up)
		m->resync_routes = true;
	d->admin_up = up;
}

static void gone(struct mirror *m, struct device *d)
{
	set_link(m, d, false);
	set_admin(m, d, false);
	m->resync_routes = true;
	neighbours_forget(m, d);
	addresses_forget(m, d);
	d->present = false;
	device_release(d);
}

void device_message(void *mirror, const struct nlmsghdr *message)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(message);
	struct mirror *m = mirror;

	/* Bridge ports are told in another family, beside the link itself. */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC ||
	    ifi->ifi_index <= 0)
		return;
	if (message->nlmsg_type == RTM_DELLINK) {
		struct device *d = device_find(m, ifi->ifi_index);

		if (d != NULL)
			gone(m, d);
		return;
	}
	struct device *d = device_get(m, ifi->ifi_index);

	if (d == NULL) {
		log_error("no memory for the network device with index %d", ifi->ifi_index);
		return;
	}
	d->present = true;
	d->mark = m->mark;
	set_admin(m, d, ifi->ifi_flags & IFF_UP);
	set_link(m, d, (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_LOWER_UP));
}

void devices_sweep(struct mirror *m)
{
	for (size_t i = 0; i < DEVICE_BUCKETS; i++) {
		struct device *d = LIST_FIRST(&m->devices[i]), *next;

		for (; d != NULL; d = next) {
			next = LIST_NEXT(d, in_bucket);
			if (d->ifindex > 0 && d->present && d->mark != m->mark)
				gone(m, d);
		}
	}
}

void devices_free(struct mirror *m)
{
	for (size_t i = 0; i < DEVICE_BUCKETS; i++) {
		struct device *d;

		while ((d = LIST_FIRST(&m->devices[i])) != NULL) {
			LIST_REMOVE(d, in_bucket);
			free(d);
		}
	}
}

int mirror_device_add(struct mirror *m, int ifindex, enum mirror_device_kind kind, uint32_t index,
		      const uint8_t mac[6], uint16_t mtu)
{
	if (ifindex <= 0 || (kind == MIRROR_PORT && index >= PORTS))
		return -EINVAL;
	struct device *d = device_get(m, ifindex);

	if (d == NULL)
		return -ENOMEM;
	d->registered = true;
	d->kind = (uint8_t)kind;
	d->index = index;
	d->mtu = mtu;
	memset(d->mac, 0, sizeof(d->mac));
	if (mac != NULL)
		memcpy(d->mac, mac, sizeof(d->mac));
	device_touch(m, d);
	if (kind == MIRROR_PORT) {
		m->ports[index] = d;
		if (m->events.link != NULL)
			m->events.link(m->events.arg, (uint16_t)index, d->up);
	}
	mirror_settle(m);
	return 0;
}

void mirror_device_remove(struct mirror *m, int ifindex)
{
	struct device *d = device_find(m, ifindex);

	if (d == NULL || !d->registered)
		return;
	if (d->kind == MIRROR_PORT && m->ports[d->index] == d)
		m->ports[d->index] = NULL;
	static_routes_forget(m, d);
	d->registered = false;
	device_touch(m, d);
	device_release(d);
	mirror_settle(m);
}
