/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "daemon.h"
#include "report/log.h"

static struct sa_spec spec_of(const struct config_tunnel *t, const struct config_sa *key,
			      enum sa_direction direction, uint32_t tunnel)
{
	struct sa_spec spec = {.direction = direction,
			       .spi = key->spi,
			       .tunnel = tunnel,
			       .algorithm =
				   key->key_len == 36 ? AEAD_AES_256_GCM_16 : AEAD_AES_128_GCM_16,
			       .esn = t->esn,
			       .udp = t->udp,
			       .local_port = t->local_port,
			       .remote_port = t->remote_port,
			       .local = t->local,
			       .remote = t->remote,
			       .replay_window = direction == SA_INBOUND ? t->replay_window : 0,
			       .seq_first = 1,
			       .df = t->df,
			       .dscp_set = t->dscp >= 0,
			       .dscp = t->dscp >= 0 ? (uint8_t)t->dscp : 0,
			       .selectors = (uint8_t)t->selectors_count,
			       .selector = t->selectors};

	memcpy(spec.key, key->key, key->key_len);
	return spec;
}

/* Inbound first: the peer may send as soon as it hears us. */
static int add_manual(struct daemon *d, const struct config_tunnel *t, uint32_t tunnel,
		      struct fault *fault)
{
	struct sa_spec in = spec_of(t, &t->in, SA_INBOUND, tunnel);
	struct sa_spec out = spec_of(t, &t->out, SA_OUTBOUND, tunnel);

	int err = gateway_sa_add(d->g, &in, NULL, fault);
	if (err != 0)
		fault_under(fault, "in");
	if (err == 0) {
		err = gateway_manual_sa_add(d->g, d->reserve, &out, NULL, fault);
		if (err != 0 && strcmp(fault->where, "state_directory") != 0)
			fault_under(fault, "out");
	}
	explicit_bzero(in.key, sizeof(in.key));
	explicit_bzero(out.key, sizeof(out.key));
	return err;
}

static int add_tunnel(struct daemon *d, const struct config_tunnel *t, struct fault *fault)
{
	struct tunnel_spec spec = {
	    .local = t->local, .remote = t->remote, .mtu = t->mtu, .keepalive = t->keepalive};
	struct tunnel *tunnel;

	snprintf(spec.name, sizeof(spec.name), "%s", t->name);
	snprintf(spec.device, sizeof(spec.device), "%s", t->device);
	int err = gateway_tunnel_add(d->g, &spec, &tunnel, fault);
	/* A tunnel with a device is chosen by routes; its selectors only check. */
	for (size_t i = 0; i < t->selectors_count && err == 0 && t->device[0] == '\0'; i++) {
		struct policy policy = {.priority = t->priority,
					.action = POLICY_PROTECT,
					.tunnel = tunnel->index,
					.selector = t->selectors[i]};
		snprintf(policy.name, sizeof(policy.name), "%s#%zu", t->name, i + 1);
		err = gateway_policy_add(d->g, &policy, fault);
		if (err != 0)
			fault_under(fault, "selectors[%zu]", i);
	}
	return err;
}

static int add_policy(struct daemon *d, size_t i, struct fault *fault)
{
	const struct config_policy *p = &d->config->policies[i];
	struct policy policy = {
	    .priority = p->priority, .action = p->action, .selector = p->selector};

	/* An any-to-any policy is two entries, one of each family. */
	bool second = i > 0 && d->config->policies[i - 1].name == p->name;
	snprintf(policy.name, sizeof(policy.name), "%s%s", p->name, second ? "#6" : "");
	if (p->tunnel != NULL)
		policy.tunnel = tunnel_find(d->g->sadb, p->tunnel)->index;
	return gateway_policy_add(d->g, &policy, fault);
}

static int add_tunnel_routes(struct daemon *d, struct fault *fault)
{
	for (size_t i = 0; i < d->config->routes_count; i++) {
		const struct config_route *r = &d->config->routes[i];
		if (r->tunnel == NULL)
			continue;
		struct tunnel *t = tunnel_find(d->g->sadb, r->tunnel);
		if (gateway_tunnel_route_add(d->g, t, &r->prefix, fault) != 0)
			return fault_under(fault, "routes[%zu]", i);
	}
	return 0;
}

int apply_tunnels(struct daemon *d, struct fault *fault)
{
	const struct config *c = d->config;

	for (size_t i = 0; i < c->tunnels_count; i++)
		if (add_tunnel(d, &c->tunnels[i], fault) != 0)
			return fault_under(fault, "tunnels[%zu]", i);
	for (size_t i = 0; i < c->policies_count; i++)
		if (add_policy(d, i, fault) != 0)
			return fault_under(fault, "policies (\"%s\")", c->policies[i].name);
	int err = add_tunnel_routes(d, fault);
	if (err == 0)
		err = gateway_commit(d->g, fault);
	/* SAs come last: until a policy stands there is nothing they could protect. */
	for (size_t i = 0; i < c->tunnels_count && err == 0; i++) {
		if (!c->tunnels[i].keys)
			continue;
		uint32_t index = tunnel_find(d->g->sadb, c->tunnels[i].name)->index;
		err = add_manual(d, &c->tunnels[i], index, fault);
		if (err != 0 && strcmp(fault->where, "state_directory") != 0)
			fault_under(fault, "tunnels[%zu]", i);
	}
	return err;
}

static int open_port(struct daemon *d, const struct config_port *c, struct port *port,
		     struct fault *fault)
{
	struct port_config config = {.name = c->name,
				     .device = c->device,
				     .role = c->role,
				     .queues = c->queues,
				     .mtu = c->mtu,
				     .xdp_mode = c->xdp_mode,
				     .mirror = c->mirror,
				     .sleep = d->config->sleep};
	bool netdev = port_is_netdev(c->device);
	uint32_t program = 0;

	if (netdev && c->addresses_count > 0)
		return fault_set(fault, EINVAL, "addresses",
				 "%s is a kernel netdev: give it addresses with ip address add",
				 c->device);
	if (netdev)
		bpf_xdp_query_id((int)if_nametoindex(c->device), 0, &program);
	port->index = d->g->ports;
	int err = port_open(port, &config, d->g->pool, d->g->steer, d->g->host, fault);
	/* Busy: the program was no crashed process's but someone else's. */
	if (program != 0 && err != -EBUSY)
		d->took_over = true;
	if (err != 0)
		return err;
	d->g->ports++;
	return 0;
}

/* Tell the mirror what it must know of a port to route through it. */
static int announce_port(struct daemon *d, const struct config_port *c, const struct port *port,
			 struct fault *fault)
{
	struct mirror *m = d->g->mirror;
	int err = port->ifindex != 0 ? mirror_device_add(m, port->ifindex, MIRROR_PORT, port->index,
							 port->mac, port->mtu)
				     : 0;

	/* A mirror tap may have addresses of the kernel; those of the file are there anyway. */
	if (err == 0 && !port->af_xdp)
		err = mirror_static_port(m, port->index, port->mac, port->mtu);
	for (size_t i = 0; i < c->addresses_count && err == 0; i++)
		err = mirror_static_address(m, port->index, &c->addresses[i]);
	if (err != 0)
		return fault_set(fault, -err, "", "routes through %s cannot be followed: %s",
				 c->name, strerror(-err));
	return 0;
}

static uint16_t port_index(const struct gateway *g, const char *name)
{
	for (uint16_t i = 0; i < g->ports; i++)
		if (strcmp(g->port[i].name, name) == 0)
			return i;
	return PORT_NONE;
}

static int add_static(struct daemon *d, struct fault *fault)
{
	const struct config *c = d->config;

	for (size_t i = 0; i < c->neighbours_count; i++) {
		const struct config_neighbour *n = &c->neighbours[i];
		int err = mirror_static_neighbour(d->g->mirror, port_index(d->g, n->port),
						  &n->address, n->mac);
		if (err != 0) {
			fault_set(fault, -err, "", "the neighbour was refused: %s", strerror(-err));
			return fault_under(fault, "neighbours[%zu]", i);
		}
	}
	for (size_t i = 0; i < c->routes_count; i++) {
		const struct config_route *r = &c->routes[i];
		if (r->port != NULL &&
		    mirror_static_route(d->g->mirror, &r->prefix, port_index(d->g, r->port),
					&r->via, TUNNEL_NONE, fault) != 0)
			return fault_under(fault, "routes[%zu]", i);
	}
	return 0;
}

int apply_ports(struct daemon *d, struct fault *fault)
{
	const struct config *c = d->config;

	for (size_t i = 0; i < c->ports_count; i++) {
		struct port *port = &d->g->port[i];
		if (open_port(d, &c->ports[i], port, fault) != 0 ||
		    announce_port(d, &c->ports[i], port, fault) != 0)
			return fault_under(fault, "ports[%zu]", i);
	}
	int err = add_static(d, fault);
	gateway_ports_changed(d->g);
	gateway_settle(d->g);
	return err;
}
