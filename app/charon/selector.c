/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "selector.h"

#include <netinet/in.h>

#define CLASS 1000 /* more than the bits of two prefixes */

static bool same_family(traffic_selector_t *a, traffic_selector_t *b)
{
	return a->get_type(a) == b->get_type(b);
}

static int family_of(traffic_selector_t *ts)
{
	return ts->get_type(ts) == TS_IPV4_ADDR_RANGE ? AF_INET : AF_INET6;
}

static bool any_ports(traffic_selector_t *ts)
{
	return ts->get_from_port(ts) == 0 && ts->get_to_port(ts) == 65535;
}

static bool any_addresses(traffic_selector_t *ts)
{
	chunk_t from = ts->get_from_address(ts), to = ts->get_to_address(ts);

	for (size_t i = 0; i < from.len; i++)
		if (from.ptr[i] != 0 || to.ptr[i] != 0xff)
			return false;
	return true;
}

bool selector_is_any(traffic_selector_t *ts)
{
	return any_addresses(ts) && any_ports(ts) && ts->get_protocol(ts) == 0;
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* "any", "first" or "first-last"; the gateway takes prefixes as well, but ranges say the same. */
static json_t *range_json(traffic_selector_t *ts)
{
	host_t *from = host_create_from_chunk(family_of(ts), ts->get_from_address(ts), 0);
	host_t *to = host_create_from_chunk(family_of(ts), ts->get_to_address(ts), 0);
	host_t *net = NULL;
	uint8_t mask;
	char text[128];

	if (ts->to_subnet(ts, &net, &mask))
		snprintf(text, sizeof(text), "%H/%d", net, mask);
	else
		snprintf(text, sizeof(text), "%H-%H", from, to);
	DESTROY_IF(net);
	from->destroy(from);
	to->destroy(to);
	return json_string(text);
}

static json_t *ports_json(traffic_selector_t *ts)
{
	char text[16];

	if (any_ports(ts))
		return json_string("any");
	snprintf(text, sizeof(text), "%u-%u", ts->get_from_port(ts), ts->get_to_port(ts));
	return json_string(text);
}

json_t *selector_json(traffic_selector_t *local, traffic_selector_t *remote)
{
	uint8_t protocol = max(local->get_protocol(local), remote->get_protocol(remote));
	bool ports = !any_ports(local) || !any_ports(remote);

	if (ports &&
	    (is_icmp(protocol) || local->get_from_port(local) > local->get_to_port(local) ||
	     remote->get_from_port(remote) > remote->get_to_port(remote))) {
		DBG1(DBG_KNL,
		     "kernel-espalier: the gateway cannot select ICMP types or opaque ports: "
		     "%R === %R",
		     local, remote);
		return NULL;
	}
	json_t *s =
	    json_pack("{s:o, s:o, s:s}", "local", range_json(local), "remote", range_json(remote),
		      "family", family_of(local) == AF_INET ? "ipv4" : "ipv6");
	if (protocol != 0)
		json_object_set_new(s, "protocol", json_integer(protocol));
	if (ports) {
		json_object_set_new(s, "local_ports", ports_json(local));
		json_object_set_new(s, "remote_ports", ports_json(remote));
	}
	return s;
}

/* charon has pairs of one family and compatible protocols only. */
static bool compatible(traffic_selector_t *a, traffic_selector_t *b)
{
	return same_family(a, b) && (a->get_protocol(a) == 0 || b->get_protocol(b) == 0 ||
				     a->get_protocol(a) == b->get_protocol(b));
}

json_t *selectors_json(linked_list_t *local, linked_list_t *remote)
{
	enumerator_t *outer = local->create_enumerator(local), *inner;
	traffic_selector_t *l, *r;
	json_t *all = json_array();

	while (all != NULL && outer->enumerate(outer, &l)) {
		inner = remote->create_enumerator(remote);
		while (all != NULL && inner->enumerate(inner, &r)) {
			if (!compatible(l, r))
				continue;
			json_t *one = selector_json(l, r);
			if (one == NULL || json_array_append_new(all, one) != 0) {
				json_decref(all);
				all = NULL;
			}
		}
		inner->destroy(inner);
	}
	outer->destroy(outer);
	return all;
}

bool selectors_are_any(linked_list_t *local, linked_list_t *remote)
{
	linked_list_t *lists[] = {local, remote};
	bool any = local->get_count(local) > 0 && remote->get_count(remote) > 0;

	for (size_t i = 0; i < countof(lists); i++) {
		enumerator_t *e = lists[i]->create_enumerator(lists[i]);
		traffic_selector_t *ts;
		while (e->enumerate(e, &ts))
			any = any && selector_is_any(ts);
		e->destroy(e);
	}
	return any;
}

static uint32_t prefix_bits(traffic_selector_t *ts)
{
	host_t *net = NULL;
	uint8_t mask = 0;

	ts->to_subnet(ts, &net, &mask);
	DESTROY_IF(net);
	return mask;
}

uint32_t selector_priority(traffic_selector_t *local, traffic_selector_t *remote,
			   policy_priority_t class, uint32_t manual)
{
	/* A trap and the policy of its SAs are one policy of the gateway. */
	static const uint32_t base[] = {[POLICY_PRIORITY_PASS] = CLASS,
					[POLICY_PRIORITY_DEFAULT] = 2 * CLASS,
					[POLICY_PRIORITY_ROUTED] = 2 * CLASS,
					[POLICY_PRIORITY_FALLBACK] = 3 * CLASS};

	if (manual != 0)
		return manual;
	uint32_t narrow = prefix_bits(local) + prefix_bits(remote);
	narrow += !any_ports(local) + !any_ports(remote);
	narrow += local->get_protocol(local) != 0 || remote->get_protocol(remote) != 0;
	return base[class] + CLASS - 1 - narrow;
}

static traffic_selector_t *of_host(const json_t *address, uint8_t protocol, const json_t *port)
{
	uint16_t from = 0, to = 65535;
	host_t *host = NULL;

	if (json_is_string(address))
		host = host_create_from_string((char *)json_string_value(address), 0);
	if (host == NULL)
		return NULL;
	if (json_is_integer(port) && !is_icmp(protocol))
		from = to = (uint16_t)json_integer_value(port);
	return traffic_selector_create_from_subnet(
	    host, host->get_family(host) == AF_INET ? 32 : 128, protocol, from, to);
}

bool selector_of_packet(const json_t *packet, traffic_selector_t **local,
			traffic_selector_t **remote)
{
	uint8_t protocol = (uint8_t)json_integer_value(json_object_get(packet, "protocol"));

	*local = of_host(json_object_get(packet, "local"), protocol,
			 json_object_get(packet, "local_port"));
	*remote = of_host(json_object_get(packet, "remote"), protocol,
			  json_object_get(packet, "remote_port"));
	if (*local != NULL && *remote != NULL)
		return true;
	DESTROY_IF(*local);
	DESTROY_IF(*remote);
	return false;
}
