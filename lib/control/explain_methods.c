/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "control/selector_json.h"
#include "control/view.h"
#include "gateway/explain.h"

#define EPHEMERAL_PORT 49152 /* the first one of RFC 6335 */

static const char *const fate_names[] = {[EXPLAIN_PROTECT] = "protect",
					 [EXPLAIN_CLEAR] = "clear",
					 [EXPLAIN_KERNEL] = "kernel",
					 [EXPLAIN_HELD] = "held",
					 [EXPLAIN_DROP] = "drop"};

static const char *const hop_names[] = {
    [NEXTHOP_NONE] = "none",           [NEXTHOP_BLACKHOLE] = "blackhole",
    [NEXTHOP_LOCAL] = "local",         [NEXTHOP_TUNNEL] = "tunnel",
    [NEXTHOP_ETHER] = "reachable",     [NEXTHOP_UNRESOLVED] = "resolving",
    [NEXTHOP_CONNECTED] = "connected", [NEXTHOP_KERNEL] = "kernel"};

/* RFC 4301 4.4.1.1 and spd/selector.h: whose ports are compared. */
static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_DCCP || proto == IPPROTO_UDPLITE;
}

static int read_ports(struct call *call, struct flow *flow)
{
	bool source = call_has(call, "source_port"),
	     destination = call_has(call, "destination_port");

	if (!source && !destination)
		return 0;
	if (!has_ports(flow->proto))
		return call_fault(
		    call, EINVAL, source ? "source_port" : "destination_port",
		    "only TCP, UDP, SCTP, DCCP and UDP-Lite have ports; give protocol");
	flow->ports_known = true;
	flow->local_port = source ? (uint16_t)call_integer(call, "source_port") : EPHEMERAL_PORT;
	flow->remote_port =
	    destination ? (uint16_t)call_integer(call, "destination_port") : EPHEMERAL_PORT;
	return 0;
}

static int read_flow(struct call *call, struct flow *flow)
{
	struct ip_addr source = call_address(call, "source");
	struct ip_addr destination = call_address(call, "destination");
	const json_t *proto = json_object_get(call->params, "protocol");

	if (source.family != destination.family)
		return call_fault(call, EINVAL, "destination",
				  "source is IPv%u and destination is IPv%u; both must be of one "
				  "family",
				  source.family, destination.family);
	*flow = (struct flow){.family = source.family};
	memcpy(flow->local, source.bytes, sizeof(flow->local));
	memcpy(flow->remote, destination.bytes, sizeof(flow->remote));
	if (proto != NULL)
		protocol_from_json(proto, &flow->proto);
	return read_ports(call, flow);
}

static json_t *sa_in_short(const struct sa *sa)
{
	return json_pack("{s:I, s:o, s:o, s:b}", "spi", (json_int_t)sa->spi, "local",
			 address_view(&sa->spec.local), "remote", address_view(&sa->spec.remote),
			 "udp", (int)sa->spec.udp);
}

static json_t *hop_view(const struct gateway *g, const struct nexthop *hop)
{
	json_t *view = json_pack("{s:s}", "state", hop_names[hop->type]);

	if (hop->type == NEXTHOP_ETHER || hop->type == NEXTHOP_UNRESOLVED ||
	    hop->type == NEXTHOP_CONNECTED)
		json_object_set_new(view, "port", json_string(g->port[hop->port].name));
	if (hop->gateway.family != 0)
		json_object_set_new(view, "gateway", address_view(&hop->gateway));
	return view;
}

static json_t *explain_view(const struct gateway *g, const struct explain *e)
{
	json_t *view = json_pack("{s:s}", "fate", fate_names[e->fate]);

	if (e->fate == EXPLAIN_DROP)
		json_object_set_new(view, "drop", json_string(drop_name(e->drop)));
	json_object_set_new(view, "why", json_string(e->why));
	if (e->policy != NULL)
		json_object_set_new(view, "policy", json_string(e->policy->name));
	if (e->tunnel != NULL)
		json_object_set_new(view, "tunnel", json_string(e->tunnel->spec.name));
	json_object_set_new(view, "by_route", json_boolean(e->by_route));
	if (e->sa != NULL)
		json_object_set_new(view, "sa", sa_in_short(e->sa));
	if (e->route != NULL)
		json_object_set_new(view, "route", hop_view(g, e->route));
	if (e->outer != NULL)
		json_object_set_new(view, "outer", hop_view(g, e->outer));
	if (e->mtu != 0)
		json_object_set_new(view, "mtu", json_integer(e->mtu));
	return view;
}

int call_explain(struct call *call)
{
	struct explain e;
	struct flow flow;
	int rc = read_flow(call, &flow);

	if (rc != 0)
		return rc;
	gateway_explain(call->g, &flow, (uint16_t)call_integer(call, "length"), &e);
	call->result = explain_view(call->g, &e);
	return 0;
}
