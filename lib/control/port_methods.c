/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "control/view.h"

static json_t *port_view(const struct port *port)
{
	static const char *const roles[] = {[PORT_PROTECTED] = "protected",
					    [PORT_UNPROTECTED] = "unprotected",
					    [PORT_BOTH] = "both"};
	struct port_counters c = {0};
	const uint8_t *m = port->mac;

	port_counters(port, &c);
	json_t *view = json_pack("{s:s, s:i, s:b, s:s, s:s, s:s}", "name", port->name, "index",
				 (int)port->index, "up", (int)atomic_load(&port->up), "role",
				 roles[port->role & PORT_BOTH], "device", port->devargs, "kind",
				 port->af_xdp ? "af_xdp" : "dpdk");
	if (port->af_xdp)
		json_object_set_new(view, "xdp_mode",
				    json_string(port->native ? "native" : "generic"));
	json_object_set_new(
	    view, "mac",
	    json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]));
	json_object_set_new(view, "mtu", json_integer(port->mtu));
	json_object_set_new(view, "queues", json_integer(port->queues));
	json_object_set_new(view, "chains", json_boolean(port->chains));
	if (port->ifindex != 0)
		json_object_set_new(view, "ifindex", json_integer(port->ifindex));
	json_object_update_new(
	    view,
	    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets", (json_int_t)c.rx_packets,
		      "rx_bytes", (json_int_t)c.rx_bytes, "rx_missed", (json_int_t)c.rx_missed,
		      "rx_errors", (json_int_t)c.rx_errors, "tx_packets", (json_int_t)c.tx_packets,
		      "tx_bytes", (json_int_t)c.tx_bytes, "tx_errors", (json_int_t)c.tx_errors));
	return view;
}

int call_port_list(struct call *call)
{
	json_t *items = json_array();

	for (uint16_t i = 0; i < call->g->ports; i++)
		json_array_append_new(items, port_view(&call->g->port[i]));
	call->result = json_pack("{s:o}", "items", items);
	return 0;
}
