/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/log.h"
#include "route/mirror_state.h"

#define READ_AT_ONCE 1024 /* datagrams between two looks at other work */
#define DRAIN_ROUNDS 64   /* of them, when changes were lost */
#define DUMP_TRIES 4

/* What no router forwards, whatever the kernel's tables say. */
static const struct {
	const char *prefix;
	uint8_t type;
} always[] = {
    {"224.0.0.0/4", RTN_MULTICAST},
    {"255.255.255.255/32", RTN_BROADCAST},
    {"ff00::/8", RTN_MULTICAST},
    {"fe80::/10", RTN_BLACKHOLE},
};

static const struct kind {
	const char *name;
	uint16_t request;
	unsigned int families;
	uint8_t family[2];
	netlink_message_fn *dumped;
	void (*sweep)(struct mirror *m);
} kinds[] = {
    {"links", RTM_GETLINK, 1, {AF_UNSPEC}, device_message, devices_sweep},
    {"addresses", RTM_GETADDR, 2, {AF_INET, AF_INET6}, address_message, addresses_sweep},
    {"routes", RTM_GETROUTE, 2, {AF_INET, AF_INET6}, kernel_route_dumped, routes_sweep},
    {"neighbours", RTM_GETNEIGH, 2, {AF_INET, AF_INET6}, neighbour_message, neighbours_sweep},
};
#define ROUTES 2

static int dump(struct mirror *m, const struct kind *k)
{
	m->mark++;
	for (unsigned int i = 0; i < k->families; i++) {
		int err = netlink_dump(m->netlink, k->request, k->family[i], k->dumped, m);

		if (err != 0)
			return err;
	}
	return 0;
}

/* Mark and sweep, so that nothing that is still true leaves the fib meanwhile. */
static int resync(struct mirror *m, const struct kind *k)
{
	int err = -EAGAIN;

	for (unsigned int i = 0; i < DUMP_TRIES && err == -EAGAIN; i++)
		err = dump(m, k);
	if (err == 0)
		k->sweep(m);
	else
		log_warning("cannot read the kernel's %s (%s): trying again in a second", k->name,
			    strerror(-err));
	return err;
}

static void resync_wanted(struct mirror *m)
{
	if (m->resync_all) {
		bool failed = false;

		m->resync_all = false;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (i == ROUTES)
				m->resync_routes = false;
			failed |= resync(m, &kinds[i]) != 0;
		}
		m->resync_all = failed;
	} else if (m->resync_routes) {
		m->resync_routes = false;
		m->resync_routes = resync(m, &kinds[ROUTES]) != 0;
	}
}

static void changed(void *mirror, const struct nlmsghdr *message)
{
	struct mirror *m = mirror;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		device_message(m, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		address_message(m, message);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		kernel_route_changed(m, message);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_message(m, message);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		/* Changes routes that are not told one by one. */
		m->resync_routes = true;
		break;
	}
}

/*
 * What was queued before changes were lost is older than a dump and must not be
 * applied after it: the queue is emptied first.
 */
static bool drain(struct mirror *m)
{
	for (unsigned int i = 0; i < DRAIN_ROUNDS; i++)
		if (netlink_read(m->netlink, READ_AT_ONCE, changed, m) == 0)
			return true;
	return false;
}

void mirror_read(struct mirror *m)
{
	int err = netlink_read(m->netlink, READ_AT_ONCE, changed, m);

	if (err < 0) {
		if (err != -ENOBUFS)
			log_warning("reading the kernel's changes: %s", strerror(-err));
		else
			log_notice("changes of routes or neighbours were lost: reading them all");
		m->resync_all = true;
		if (drain(m))
			resync_wanted(m);
	} else {
		resync_wanted(m);
	}
	mirror_settle(m);
}

void mirror_tick(struct mirror *m)
{
	resync_wanted(m);
	mirror_retry_missing(m);
	mirror_settle(m);
	resolve_tick(m);
}

static int always_add(struct mirror *m)
{
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		struct route_spec s = {
		    .source = ROUTE_ALWAYS,
		    .type = always[i].type,
		    .table = RT_TABLE_MAIN,
		    .metric = ~0u,
		};

		ip_prefix_parse(always[i].prefix, &s.prefix);
		if (route_add(m, &s) != 0)
			return -ENOMEM;
	}
	return 0;
}

struct mirror *mirror_open(struct fib *fib, const struct mirror_events *events, struct fault *fault)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for the mirror of the kernel's routes");
		return NULL;
	}
	m->fib = fib;
	m->events = *events;
	m->seed = (uint32_t)time(NULL);
	TAILQ_INIT(&m->undecided);
	TAILQ_INIT(&m->untold);
	TAILQ_INIT(&m->neighbours[0]);
	TAILQ_INIT(&m->neighbours[1]);
	m->netlink = netlink_open();
	if (m->netlink == NULL || always_add(m) != 0) {
		fault_set(fault, errno, "", "cannot open a netlink socket: %s", strerror(errno));
		mirror_close(m);
		return NULL;
	}
	m->resync_all = true;
	resync_wanted(m);
	mirror_settle(m);
	return m;
}

void mirror_close(struct mirror *m)
{
	if (m == NULL)
		return;
	destinations_free(m);
	for (unsigned int i = 0; i < 2; i++) {
		struct neighbour *n;

		while ((n = TAILQ_FIRST(&m->neighbours[i])) != NULL) {
			n->known = n->fixed = false;
			neighbour_release(m, n);
		}
	}
	for (size_t i = 0; i < ADDRESS_BUCKETS; i++) {
		struct address *a;

		while ((a = LIST_FIRST(&m->address_of[i])) != NULL) {
			LIST_REMOVE(a, in_bucket);
			free(a);
		}
	}
	devices_free(m);
	netlink_close(m->netlink);
	free(m);
}

int mirror_fd(const struct mirror *m)
{
	return netlink_fd(m->netlink);
}
