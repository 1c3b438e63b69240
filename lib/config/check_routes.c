/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"

static int check_port_name(struct check *c, const char *path, const char *given, const char **out)
{
	if (check_text(c, path, given, NULL, out) != 0)
		return -EINVAL;
	if (check_port_find(c, given) == NULL)
		return check_fault(c, path, "\"%.60s\" is not the name of a port in this file",
				   given);
	return 0;
}

static int check_into_tunnel(struct check *c, const struct raw_route *raw, struct config_route *r)
{
	if (raw->via != NULL)
		return check_fault(c, "routes[].via", "goes with port, not with tunnel");
	if (check_text(c, "routes[].tunnel", raw->tunnel, NULL, &r->tunnel) != 0)
		return -EINVAL;
	const struct config_tunnel *t = check_tunnel_find(c, r->tunnel);
	if (t == NULL)
		return check_fault(c, "routes[].tunnel",
				   "\"%.60s\" is not the name of a tunnel in this file", r->tunnel);
	if (t->device[0] == '\0')
		return check_fault(
		    c, "routes[].tunnel",
		    "\"%s\" is policy-based, and its selectors and policies say what "
		    "enters it; give it a device to route into it",
		    r->tunnel);
	return 0;
}

static int check_route(struct check *c, const struct raw_route *raw, struct config_route *r)
{
	if (check_prefix(c, "routes[].prefix", raw->prefix, &r->prefix) != 0)
		return -EINVAL;
	if ((raw->port == NULL) == (raw->tunnel == NULL))
		return check_fault(c, "routes[]", "%s; either the port or the tunnel is needed",
				   raw->port == NULL ? "neither port nor tunnel stands here"
						     : "port and tunnel stand both here");
	if (raw->tunnel != NULL)
		return check_into_tunnel(c, raw, r);
	if (check_port_name(c, "routes[].port", raw->port, &r->port) != 0)
		return -EINVAL;
	if (raw->via == NULL)
		return 0;
	if (check_address(c, "routes[].via", raw->via, &r->via) != 0)
		return -EINVAL;
	if (r->via.family != r->prefix.addr.family)
		return check_fault(c, "routes[].via", "%s is not of the IP family of prefix, %s",
				   raw->via, raw->prefix);
	return 0;
}

static int check_neighbour(struct check *c, const struct raw_neighbour *raw,
			   struct config_neighbour *n)
{
	const char *mac;
	int end = 0;

	if (check_port_name(c, "neighbours[].port", raw->port, &n->port) != 0 ||
	    check_address(c, "neighbours[].address", raw->address, &n->address) != 0 ||
	    check_text(c, "neighbours[].mac", raw->mac, NULL, &mac) != 0)
		return -EINVAL;
	if (sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &n->mac[0], &n->mac[1], &n->mac[2],
		   &n->mac[3], &n->mac[4], &n->mac[5], &end) != 6 ||
	    mac[end] != '\0')
		return check_fault(c, "neighbours[].mac",
				   "\"%.40s\" is no Ethernet address such as 02:00:00:00:00:01",
				   mac);
	if ((n->mac[0] & 1) != 0)
		return check_fault(c, "neighbours[].mac",
				   "%s is a group address; a neighbour has one of its own", mac);
	return 0;
}

int check_routes(struct check *c)
{
	struct config *config = c->config;
	const struct raw_config *raw = c->raw;

	config->routes = calloc(raw->routes_count + 1, sizeof(*config->routes));
	config->neighbours = calloc(raw->neighbours_count + 1, sizeof(*config->neighbours));
	if (config->routes == NULL || config->neighbours == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < raw->routes_count; i++) {
		c->at[0] = i;
		if (check_route(c, &raw->routes[i], &config->routes[i]) != 0)
			return -EINVAL;
	}
	config->routes_count = raw->routes_count;
	for (size_t i = 0; i < raw->neighbours_count; i++) {
		c->at[0] = i;
		if (check_neighbour(c, &raw->neighbours[i], &config->neighbours[i]) != 0)
			return -EINVAL;
	}
	config->neighbours_count = raw->neighbours_count;
	return 0;
}

static const char *tunnel_device(const struct check *c, size_t i)
{
	const char *device = c->config->tunnels[i].device;

	return device[0] != '\0' ? device : NULL;
}

/* A tun device cannot have the name of another netdev that the file speaks of. */
static int check_taken(struct check *c, const char *path, const char *device)
{
	for (size_t i = 0; i < c->config->ports_count; i++) {
		const struct config_port *port = &c->config->ports[i];
		if (strcmp(port->device, device) == 0 || strcmp(port->name, device) == 0)
			return check_fault(c, path, "\"%s\" is the name or device of ports[%zu]",
					   device, i);
	}
	return 0;
}

int check_devices(struct check *c)
{
	struct config *config = c->config;
	int err = check_device_name(c, "policy_device", config->policy_device);

	if (err == 0)
		err = check_taken(c, "policy_device", config->policy_device);
	if (err == 0)
		err = check_unique(c, "tunnels[].device", config->tunnels_count, tunnel_device);
	for (size_t i = 0; i < config->tunnels_count && err == 0; i++) {
		const char *device = config->tunnels[i].device;
		c->at[0] = i;
		if (device[0] != '\0' && strcmp(device, config->policy_device) == 0)
			err = check_fault(c, "tunnels[].device", "\"%s\" is the policy_device",
					  device);
		else if (device[0] != '\0')
			err = check_taken(c, "tunnels[].device", device);
	}
	return err;
}
