/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <libmnl/libmnl.h>

#include "report/log.h"
#include "route/mirror_state.h"

static void mask(struct ip_prefix *p)
{
	for (unsigned int bit = p->len; bit < ip_bits(p->addr.family); bit++)
		p->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static bool is_multicast(const struct ip_prefix *p)
{
	return p->addr.family == 4 ? p->len >= 4 && p->addr.bytes[0] >> 4 == 0xe
				   : p->len >= 8 && p->addr.bytes[0] == 0xff;
}

/*
 * Kept out: multicast and link-local unicast (never forwarded: destinations that
 * stand in the fib from the start answer for them) and IPv6's routes by source.
 */
static bool concerns_us(const struct rtmsg *rtm, const struct route_spec *s)
{
	if (rtm->rtm_flags & RTM_F_CLONED || rtm->rtm_src_len != 0 || rtm->rtm_tos != 0)
		return false;
	if (s->type == RTN_UNICAST && s->prefix.len >= 10 &&
	    ip_addr_is_link_local6(&s->prefix.addr))
		return false;
	return !is_multicast(&s->prefix);
}

static void add_hop(struct route_spec *s, uint32_t ifindex, unsigned int flags,
		    const struct nlattr *gateway, const struct nlattr *via)
{
	struct hop_spec hop = {.ifindex = (int)ifindex};

	if (flags & RTNH_F_DEAD || s->hops == HOPS_MAX || ifindex == 0 || ifindex > INT32_MAX)
		return;
	if (via != NULL && mnl_attr_get_payload_len(via) > sizeof(struct rtvia)) {
		/* A gateway of the other family (RFC 8950). */
		const struct rtvia *v = mnl_attr_get_payload(via);
		uint8_t family = netlink_family(v->rtvia_family);

		if (family == 0 || mnl_attr_get_payload_len(via) < sizeof(*v) + ip_size(family))
			return;
		hop.gateway = ip_addr_from(family, v->rtvia_addr);
	} else if (gateway != NULL) {
		if (!netlink_address(gateway, s->prefix.addr.family, &hop.gateway))
			return;
	}
	s->hop[s->hops++] = hop;
}

static void add_multipath(struct route_spec *s, const struct nlattr *attr)
{
	const char *at = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *nh = (const struct rtnexthop *)at;
		const struct nlattr *tb[RTA_MAX + 1];

		if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > left)
			return;
		netlink_nested(at + sizeof(*nh), nh->rtnh_len - sizeof(*nh), tb, RTA_MAX);
		s->opaque |= tb[RTA_ENCAP_TYPE] != NULL;
		add_hop(s, (uint32_t)nh->rtnh_ifindex, nh->rtnh_flags, tb[RTA_GATEWAY],
			tb[RTA_VIA]);
		size_t step = RTNH_ALIGN(nh->rtnh_len);

		if (step >= left)
			return;
		at += step;
		left -= step;
	}
}

static bool in_order(const struct hop_spec *a, const struct hop_spec *b)
{
	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex;
	return ip_addr_compare(&a->gateway, &b->gateway) <= 0;
}

/* IPv6 tells the same next hops in any order; a stable one keeps the choice stable. */
static void sort_hops(struct route_spec *s)
{
	for (unsigned int i = 1; i < s->hops; i++) {
		for (unsigned int j = i; j > 0 && !in_order(&s->hop[j - 1], &s->hop[j]); j--) {
			struct hop_spec swap = s->hop[j];

			s->hop[j] = s->hop[j - 1];
			s->hop[j - 1] = swap;
		}
	}
}

static uint16_t mtu_of(const struct nlattr *metrics)
{
	const struct nlattr *tb[RTAX_MAX + 1];
	uint32_t mtu = 0;

	if (metrics == NULL)
		return 0;
	netlink_nested(mnl_attr_get_payload(metrics), mnl_attr_get_payload_len(metrics), tb,
		       RTAX_MAX);
	netlink_u32(tb[RTAX_MTU], &mtu);
	return mtu <= UINT16_MAX ? (uint16_t)mtu : 0;
}

bool kernel_route_parse(const struct nlmsghdr *message, struct route_spec *s)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(message);
	const struct nlattr *tb[RTA_MAX + 1];
	uint32_t table, oif = 0;

	memset(s, 0, sizeof(*s));
	if (!netlink_attributes(message, sizeof(*rtm), tb, RTA_MAX))
		return false;
	uint8_t family = netlink_family(rtm->rtm_family);

	if (family == 0 || rtm->rtm_dst_len > ip_bits(family))
		return false;
	table = rtm->rtm_table;
	netlink_u32(tb[RTA_TABLE], &table);
	if (table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL)
		return false;
	s->prefix.addr.family = family;
	s->prefix.len = rtm->rtm_dst_len;
	if (tb[RTA_DST] != NULL && !netlink_address(tb[RTA_DST], family, &s->prefix.addr))
		return false;
	if (tb[RTA_DST] == NULL && rtm->rtm_dst_len != 0)
		return false;
	mask(&s->prefix);
	s->source = ROUTE_KERNEL;
	s->type = rtm->rtm_type;
	s->table = (uint8_t)table;
	s->protocol = rtm->rtm_protocol;
	netlink_u32(tb[RTA_PRIORITY], &s->metric);
	s->mtu = mtu_of(tb[RTA_METRICS]);
	if (!concerns_us(rtm, s))
		return false;
	if (s->type != RTN_UNICAST)
		return true;
	s->opaque = tb[RTA_ENCAP_TYPE] != NULL;
	if (tb[RTA_MULTIPATH] != NULL)
		add_multipath(s, tb[RTA_MULTIPATH]);
	else if (netlink_u32(tb[RTA_OIF], &oif))
		add_hop(s, oif, rtm->rtm_flags, tb[RTA_GATEWAY], tb[RTA_VIA]);
	else /* a nexthop object that the kernel does not expand */
		s->opaque = true;
	if (family == 6)
		sort_hops(s);
	return true;
}

static void add(struct mirror *m, const struct route_spec *s)
{
	char text[IP_TEXT_MAX];

	if (route_add(m, s) != 0)
		log_error("no memory for the route %s", ip_prefix_text(&s->prefix, text));
}

void kernel_route_dumped(void *mirror, const struct nlmsghdr *message)
{
	struct route_spec s;

	if (message->nlmsg_type == RTM_NEWROUTE && kernel_route_parse(message, &s) &&
	    !route_seen(mirror, &s))
		add(mirror, &s);
}

/* Kernel routes with the kernel's own key; the first one, and how many there are. */
static unsigned int same_key(const struct mirror *m, const struct route_spec *s,
			     struct route **first)
{
	struct destination *d = destination_find(m, &s->prefix);
	unsigned int n = 0;
	struct route *r;

	*first = NULL;
	if (d == NULL)
		return 0;
	TAILQ_FOREACH (r, &d->routes, in_destination) {
		if (r->source != ROUTE_KERNEL || r->table != s->table || r->metric != s->metric)
			continue;
		if (n++ == 0)
			*first = r;
	}
	return n;
}

static bool has_gateway(const struct route *r)
{
	return r->hops > 0 && r->hop[0].neighbour != NULL;
}

/*
 * A change says which route it is about only by its key, and several routes may
 * share one: IPv6 routes through gateways are told as one multipath route, others
 * stand side by side, IPv4 appends and prepends. Where it is not clear what
 * became of the others, the routes are dumped again.
 */
static void added(struct mirror *m, const struct nlmsghdr *message, const struct route_spec *s)
{
	struct route *other;
	unsigned int n = same_key(m, s, &other);
	bool gateways = s->hops > 0 && s->hop[0].gateway.family != 0;
	bool grown = s->prefix.addr.family == 6 && gateways && n == 1 && has_gateway(other);

	if (route_find(m, s) == NULL && n > 0) {
		if (n == 1 && (message->nlmsg_flags & NLM_F_REPLACE || grown))
			route_delete(m, other);
		else
			m->resync_routes = true;
	}
	add(m, s);
}

static void removed(struct mirror *m, const struct route_spec *s)
{
	struct route *r = route_find(m, s), *other;

	if (r != NULL)
		route_delete(m, r);
	else if (same_key(m, s, &other) > 0)
		m->resync_routes = true;
}

void kernel_route_changed(void *mirror, const struct nlmsghdr *message)
{
	struct route_spec s;

	if (!kernel_route_parse(message, &s))
		return;
	if (message->nlmsg_type == RTM_NEWROUTE)
		added(mirror, message, &s);
	else
		removed(mirror, &s);
}
