/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <libmnl/libmnl.h>

#include "report/log.h"
#include "route/mirror_state.h"

/*
 * Two routes a prefix: to the device, which the kernel drops with the device,
 * and a blackhole behind it, which stays. Same key, same metric: what an earlier
 * process left is replaced in place, never doubled and never missing in between.
 */
static struct nlmsghdr *request(struct mirror *m, uint16_t type, uint16_t flags,
				const struct ip_prefix *prefix, uint8_t kind, uint32_t metric)
{
	struct rtmsg *rtm;
	struct nlmsghdr *h = netlink_request(m->netlink, type, flags, sizeof(*rtm), (void **)&rtm);

	rtm->rtm_family = netlink_af(prefix->addr.family);
	rtm->rtm_dst_len = prefix->len;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = OWN_PROTOCOL;
	rtm->rtm_type = kind;
	if (type == RTM_DELROUTE)
		rtm->rtm_scope = RT_SCOPE_NOWHERE; /* any */
	else if (kind == RTN_UNICAST && prefix->addr.family == 4)
		rtm->rtm_scope = RT_SCOPE_LINK;
	if (prefix->len > 0)
		mnl_attr_put(h, RTA_DST, ip_size(prefix->addr.family), prefix->addr.bytes);
	mnl_attr_put_u32(h, RTA_PRIORITY, metric);
	return h;
}

static int put(struct mirror *m, const struct ip_prefix *prefix, uint8_t kind, uint32_t metric,
	       int ifindex, const struct ip_addr *source)
{
	struct nlmsghdr *h =
	    request(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, prefix, kind, metric);

	if (ifindex > 0)
		mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	if (source != NULL && source->family == prefix->addr.family)
		mnl_attr_put(h, RTA_PREFSRC, ip_size(source->family), source->bytes);
	return netlink_commit(m->netlink, h);
}

static int take(struct mirror *m, const struct ip_prefix *prefix, uint8_t kind, uint32_t metric)
{
	int err = netlink_commit(m->netlink, request(m, RTM_DELROUTE, 0, prefix, kind, metric));

	return err == -ESRCH ? -ENOENT : err;
}

int mirror_own_route_add(struct mirror *m, const struct ip_prefix *prefix, int ifindex,
			 const struct ip_addr *source)
{
	int err = put(m, prefix, RTN_BLACKHOLE, OWN_BLACKHOLE_METRIC, 0, NULL);

	if (err != 0)
		return err;
	if (ifindex > 0)
		return put(m, prefix, RTN_UNICAST, OWN_METRIC, ifindex, source);
	err = take(m, prefix, RTN_UNICAST, OWN_METRIC);
	return err == -ENOENT ? 0 : err;
}

int mirror_own_route_remove(struct mirror *m, const struct ip_prefix *prefix)
{
	int device = take(m, prefix, RTN_UNICAST, OWN_METRIC);
	int blackhole = take(m, prefix, RTN_BLACKHOLE, OWN_BLACKHOLE_METRIC);

	return device != 0 && device != -ENOENT ? device : blackhole;
}

struct owned {
	struct owned_route {
		struct ip_prefix prefix;
		uint8_t type;
		uint32_t metric;
	} * route;
	size_t n, size;
};

static void collect(void *arg, const struct nlmsghdr *message)
{
	struct owned *o = arg;
	struct route_spec s;

	if (message->nlmsg_type != RTM_NEWROUTE || !kernel_route_parse(message, &s) ||
	    s.protocol != OWN_PROTOCOL || s.table != RT_TABLE_MAIN)
		return;
	if (o->n == o->size) {
		size_t size = o->size > 0 ? 2 * o->size : 64;
		struct owned_route *grown = realloc(o->route, size * sizeof(*grown));

		if (grown == NULL)
			return;
		o->route = grown;
		o->size = size;
	}
	o->route[o->n++] = (struct owned_route){s.prefix, s.type, s.metric};
}

void mirror_own_routes_sweep(struct mirror *m)
{
	struct owned o = {0};
	char text[IP_TEXT_MAX];

	/* Asked afresh: changes that have not been read yet count too. */
	for (unsigned int i = 0; i < 2; i++) {
		int err = netlink_dump(m->netlink, RTM_GETROUTE, i == 0 ? AF_INET : AF_INET6,
				       collect, &o);

		if (err != 0 && err != -EAGAIN)
			log_error("cannot list the kernel's routes (error %d): remove leftovers "
				  "with `ip route flush proto %d`",
				  -err, OWN_PROTOCOL);
	}
	for (size_t i = 0; i < o.n; i++) {
		const struct owned_route *r = &o.route[i];
		int err = take(m, &r->prefix, r->type, r->metric);

		if (err != 0 && err != -ENOENT)
			log_warning("cannot remove the route %s of protocol %d (error %d)",
				    ip_prefix_text(&r->prefix, text), OWN_PROTOCOL, -err);
	}
	free(o.route);
}
