/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <time.h>
#include <linux/neighbour.h>
#include <libmnl/libmnl.h>

#include "route/mirror_state.h"

#define REPEAT_MS 1000  /* a request for the same address within this is dropped */
#define PENDING_MS 5000 /* an entry that appears within this was asked for by a worker */

/*
 * The kernel is asked to resolve a host once (NTF_USE) and to keep it reachable
 * (NTF_EXT_MANAGED, Linux 5.16) once it has answered. A gateway of a route is
 * managed from the start. So a scan of a subnet leaves no entries behind that the
 * kernel would probe for ever.
 */
static int ask(struct mirror *m, int ifindex, const struct ip_addr *addr, uint16_t type,
	       uint8_t flags, bool managed)
{
	struct ndmsg *ndm;
	uint16_t create = type == RTM_NEWNEIGH ? NLM_F_CREATE : 0;
	struct nlmsghdr *h = netlink_request(m->netlink, type, create, sizeof(*ndm), (void **)&ndm);

	ndm->ndm_family = netlink_af(addr->family);
	ndm->ndm_ifindex = ifindex;
	ndm->ndm_flags = flags;
	ndm->ndm_state = NUD_NONE;
	mnl_attr_put(h, NDA_DST, ip_size(addr->family), addr->bytes);
	if (managed)
		mnl_attr_put_u32(h, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return netlink_commit(m->netlink, h);
}

static void use(struct mirror *m, int ifindex, const struct ip_addr *addr, bool managed)
{
	int err =
	    managed && !m->no_managed ? ask(m, ifindex, addr, RTM_NEWNEIGH, 0, true) : -EAGAIN;

	if (err == 0 || ask(m, ifindex, addr, RTM_NEWNEIGH, NTF_USE, false) != 0)
		return;
	/* The kernel would take the request but for this flag. */
	m->no_managed |= err == -EINVAL || err == -EOPNOTSUPP;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A slot may be taken over by another address: then a request is repeated early. */
static struct resolving *slot_of(const struct mirror *m, int ifindex, const struct ip_addr *addr)
{
	uint32_t at = mirror_hash(m, addr, (uint32_t)ifindex) % RESOLVING;

	return (struct resolving *)&m->resolving[at];
}

static bool asked_within(const struct mirror *m, int ifindex, const struct ip_addr *addr,
			 uint64_t ms)
{
	const struct resolving *r = slot_of(m, ifindex, addr);

	return r->ifindex == ifindex && ip_addr_equal(&r->addr, addr) && now_ms() - r->since < ms;
}

bool resolve_pending(const struct mirror *m, const struct device *d, const struct ip_addr *addr)
{
	return asked_within(m, d->ifindex, addr, PENDING_MS);
}

void mirror_resolve(struct mirror *m, uint16_t port, const struct ip_addr *addr)
{
	const struct device *d = port < PORTS ? m->ports[port] : NULL;

	/* A port without a netdev has the neighbours of the configuration and no others. */
	if (d == NULL || d->ifindex <= 0 || !ip_addr_is_unicast(addr) ||
	    asked_within(m, d->ifindex, addr, REPEAT_MS))
		return;
	const struct neighbour *n = neighbour_find(m, d->ifindex, addr);

	*slot_of(m, d->ifindex, addr) = (struct resolving){d->ifindex, *addr, now_ms()};
	if (n == NULL || !n->valid)
		use(m, d->ifindex, addr, n != NULL && !LIST_EMPTY(&n->hops));
}

void resolve_tick(struct mirror *m)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct neighbour *n = TAILQ_FIRST(&m->neighbours[i]), *next;

		for (; n != NULL; n = next) {
			const struct device *d = n->device;
			bool gateway = !LIST_EMPTY(&n->hops);

			next = TAILQ_NEXT(n, in_family);
			if (!d->registered || d->kind != MIRROR_PORT || d->ifindex <= 0 || !d->up ||
			    n->fixed || n->permanent)
				continue;
			if (n->managed && n->failed && !gateway) {
				ask(m, d->ifindex, &n->addr, RTM_DELNEIGH, 0, false);
				n->managed = n->wanted = false;
			} else if (!n->managed && !m->no_managed &&
				   (gateway || (n->wanted && n->valid))) {
				use(m, d->ifindex, &n->addr, true);
				n->managed = true;
			}
		}
	}
}
