/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <linux/neighbour.h>
#include <libmnl/libmnl.h>

#include "report/log.h"
#include "route/mirror_state.h"

#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

static uint32_t bucket_of(const struct mirror *m, int ifindex, const struct ip_addr *addr)
{
	return mirror_hash(m, addr, (uint32_t)ifindex) % NEIGHBOUR_BUCKETS;
}

struct neighbour *neighbour_find(const struct mirror *m, int ifindex, const struct ip_addr *addr)
{
	struct neighbour *n;

	LIST_FOREACH (n, &m->neighbour_of[bucket_of(m, ifindex, addr)], in_bucket)
		if (n->device->ifindex == ifindex && ip_addr_equal(&n->addr, addr))
			return n;
	return NULL;
}

struct neighbour *neighbour_get(struct mirror *m, struct device *d, const struct ip_addr *addr)
{
	struct neighbour *n = neighbour_find(m, d->ifindex, addr);

	if (n != NULL)
		return n;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->device = d;
	n->addr = *addr;
	LIST_INSERT_HEAD(&m->neighbour_of[bucket_of(m, d->ifindex, addr)], n, in_bucket);
	LIST_INSERT_HEAD(&d->neighbours, n, on_device);
	TAILQ_INSERT_TAIL(&m->neighbours[family_index(addr->family)], n, in_family);
	return n;
}

/* The device stays: whoever calls holds it by something else or releases it next. */
void neighbour_release(struct mirror *m, struct neighbour *n)
{
	if (n->known || n->fixed || !LIST_EMPTY(&n->hops))
		return;
	LIST_REMOVE(n, in_bucket);
	LIST_REMOVE(n, on_device);
	TAILQ_REMOVE(&m->neighbours[family_index(n->addr.family)], n, in_family);
	free(n);
}

static bool on_port(const struct neighbour *n)
{
	return n->device->registered && n->device->kind == MIRROR_PORT &&
	       !ip_addr_is_link_local6(&n->addr);
}

/* Also a host whose MAC is gone must be touched, even after its port was removed. */
void neighbour_touch(struct mirror *m, struct neighbour *n)
{
	struct ip_prefix host = {n->addr, ip_bits(n->addr.family)};
	struct destination *d = destination_find(m, &host);
	struct hop *h;

	LIST_FOREACH (h, &n->hops, at_neighbour)
		destination_touch(m, h->route->destination);
	if (d != NULL)
		destination_touch(m, d);
	else if (n->valid && on_port(n))
		destination_touch_host(m, &n->addr);
}

void neighbours_touch_inside(struct mirror *m, const struct ip_prefix *prefix)
{
	struct neighbour *n;

	TAILQ_FOREACH (n, &m->neighbours[family_index(prefix->addr.family)], in_family)
		if (n->valid && on_port(n) && ip_prefix_contains(prefix, &n->addr))
			destination_touch_host(m, &n->addr);
}

static bool mac_usable(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0;
}

static void forget(struct mirror *m, struct neighbour *n)
{
	if (n->fixed)
		return;
	n->known = n->managed = n->wanted = n->failed = n->permanent = false;
	if (n->valid) {
		n->valid = false;
		neighbour_touch(m, n);
	}
	neighbour_release(m, n);
}

static void learn(struct mirror *m, struct neighbour *n, uint16_t state, const struct nlattr *mac)
{
	bool valid = (state & NUD_USABLE) && mac != NULL && mnl_attr_get_payload_len(mac) == 6 &&
		     mac_usable(mnl_attr_get_payload(mac));
	const uint8_t *bytes = valid ? mnl_attr_get_payload(mac) : n->mac;

	n->known = true;
	n->mark = m->mark;
	n->failed = state & NUD_FAILED;
	n->permanent = state & NUD_PERMANENT;
	if (n->fixed || (n->valid == valid && memcmp(n->mac, bytes, 6) == 0))
		return;
	n->valid = valid;
	memcpy(n->mac, bytes, 6);
	neighbour_touch(m, n);
}

void neighbour_message(void *mirror, const struct nlmsghdr *message)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(message);
	const struct nlattr *tb[NDA_MAX + 1];
	struct mirror *m = mirror;
	struct ip_addr addr;
	uint32_t more = 0;

	if (!netlink_attributes(message, sizeof(*ndm), tb, NDA_MAX))
		return;
	if (!netlink_address(tb[NDA_DST], netlink_family(ndm->ndm_family), &addr) ||
	    ndm->ndm_ifindex <= 0 || ndm->ndm_flags & NTF_PROXY || ndm->ndm_state & NUD_NOARP)
		return;
	struct neighbour *n = neighbour_find(m, ndm->ndm_ifindex, &addr);

	if (message->nlmsg_type == RTM_DELNEIGH) {
		if (n != NULL) {
			struct device *d = n->device;

			forget(m, n);
			device_release(d);
		}
		return;
	}
	struct device *d = device_get(m, ndm->ndm_ifindex);

	if (d != NULL && n == NULL)
		n = neighbour_get(m, d, &addr);
	if (n == NULL) {
		log_error("no memory for a neighbour");
		return;
	}
	netlink_u32(tb[NDA_FLAGS_EXT], &more);
	n->managed = more & NTF_EXT_MANAGED;
	n->wanted |= resolve_pending(m, d, &addr);
	learn(m, n, ndm->ndm_state, tb[NDA_LLADDR]);
}

void neighbours_sweep(struct mirror *m)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct neighbour *n = TAILQ_FIRST(&m->neighbours[i]), *next;

		for (; n != NULL; n = next) {
			struct device *d = n->device;

			next = TAILQ_NEXT(n, in_family);
			if (n->known && n->mark != m->mark)
				forget(m, n);
			device_release(d);
		}
	}
}

void neighbours_forget(struct mirror *m, struct device *d)
{
	struct neighbour *n = LIST_FIRST(&d->neighbours), *next;

	for (; n != NULL; n = next) {
		next = LIST_NEXT(n, on_device);
		forget(m, n);
	}
}
