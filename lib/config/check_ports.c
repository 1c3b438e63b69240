/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/schema.h"

#define PORTS_MOST 32

static const char *const xdp_names[] = {
    [WORD_XDP_AUTO] = "auto", [WORD_XDP_NATIVE] = "native", [WORD_XDP_GENERIC] = "generic"};

static int check_addresses(struct check *c, const struct raw_port *raw, struct config_port *port)
{
	if (raw->addresses_count == 0)
		return 0;
	port->addresses = calloc(raw->addresses_count, sizeof(*port->addresses));
	if (port->addresses == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (c->at[1] = 0; c->at[1] < raw->addresses_count; c->at[1]++) {
		/* An interface address keeps its host bits: parse the halves apart. */
		const char *text = raw->addresses[c->at[1]] != NULL ? raw->addresses[c->at[1]] : "";
		struct ip_prefix *out = &port->addresses[port->addresses_count];
		char host[IP_TEXT_MAX];
		const char *slash = strchr(text, '/');
		size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
		char *end = NULL;
		unsigned long bits = slash != NULL ? strtoul(slash + 1, &end, 10) : 0;

		if (len >= sizeof(host))
			len = sizeof(host) - 1;
		memcpy(host, text, len);
		host[len] = '\0';
		if (slash == NULL || end == slash + 1 || *end != '\0' ||
		    ip_addr_parse(host, &out->addr) != 0 || bits > ip_bits(out->addr.family))
			return check_fault(c, "ports[].addresses[]",
					   "\"%.60s\" is no address with a prefix length such as "
					   "192.0.2.1/24",
					   text);
		if (!ip_addr_is_unicast(&out->addr))
			return check_fault(c, "ports[].addresses[]",
					   "%s is not the address of one host", text);
		out->len = (uint8_t)bits;
		port->addresses_count++;
	}
	return 0;
}

static int check_port(struct check *c, const struct raw_port *raw, struct config_port *port)
{
	uint64_t queues, mtu = 0;

	if (check_name(c, "ports[].name", raw->name, 15, &port->name) != 0 ||
	    check_device_name(c, "ports[].name", port->name) != 0 ||
	    check_text(c, "ports[].device", raw->device, NULL, &port->device) != 0)
		return -EINVAL;
	if (strlen(port->device) > 255)
		return check_fault(c, "ports[].device", "%zu characters; at most 255 are possible",
				   strlen(port->device));
	if (raw->role == NULL)
		return check_fault(c, "ports[].role",
				   "missing; protected, unprotected or both is needed");
	if (check_number(c, "ports[].queues", raw->queues, &queues) != 0 ||
	    (raw->mtu != NULL && check_number(c, "ports[].mtu", raw->mtu, &mtu) != 0))
		return -EINVAL;
	port->role = (unsigned int)*raw->role;
	port->queues = (uint16_t)queues;
	port->mtu = (uint16_t)mtu;
	port->xdp_mode = xdp_names[check_word("ports[].xdp", raw->xdp)];
	port->mirror = check_word("ports[].mirror", raw->mirror) != 0;
	return check_addresses(c, raw, port);
}

static const char *port_name(const struct check *c, size_t i)
{
	return c->config->ports[i].name;
}

static const char *port_device(const struct check *c, size_t i)
{
	return c->config->ports[i].device;
}

int check_ports(struct check *c)
{
	struct config *config = c->config;
	size_t n = c->raw->ports_count;

	if (n == 0 || n > PORTS_MOST)
		return check_fault(c, "ports", "%zu ports; 1 to %u are possible", n, PORTS_MOST);
	config->ports = calloc(n, sizeof(*config->ports));
	if (config->ports == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	for (size_t i = 0; i < n; i++) {
		c->at[0] = i;
		config->ports_count = i + 1; /* for config_free() */
		int err = check_port(c, &c->raw->ports[i], &config->ports[i]);
		if (err != 0)
			return err;
	}
	int err = check_unique(c, "ports[].name", n, port_name);
	return err != 0 ? err : check_unique(c, "ports[].device", n, port_device);
}

const struct config_port *check_port_find(const struct check *c, const char *name)
{
	for (size_t i = 0; i < c->config->ports_count; i++)
		if (strcmp(c->config->ports[i].name, name) == 0)
			return &c->config->ports[i];
	return NULL;
}
