/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "packet/packet.h"
#include "route/mirror_state.h"

/*
 * A port without a netdev is a device with a negative number. On a port that has
 * one, what the configuration says is added to what the kernel says of it.
 */
static int number_of(uint16_t port)
{
	return -(int)port - 1;
}

int mirror_static_port(struct mirror *m, uint16_t port, const uint8_t mac[6], uint16_t mtu)
{
	if (port >= PORTS)
		return -EINVAL;
	struct device *d = device_get(m, number_of(port));

	if (d == NULL)
		return -ENOMEM;
	d->present = d->registered = d->up = d->admin_up = true;
	d->kind = MIRROR_PORT;
	d->index = port;
	d->mtu = mtu;
	memcpy(d->mac, mac, sizeof(d->mac));
	if (m->ports[port] == NULL)
		m->ports[port] = d;
	device_touch(m, d);
	mirror_settle(m);
	return 0;
}

static struct device *port_device(const struct mirror *m, uint16_t port)
{
	return port < PORTS ? m->ports[port] : NULL;
}

static int add_route(struct mirror *m, const struct ip_prefix *prefix, struct device *d,
		     const struct ip_addr *via)
{
	struct route_spec s = {
	    .prefix = *prefix,
	    .source = ROUTE_STATIC,
	    .type = RTN_UNICAST,
	    .table = RT_TABLE_MAIN,
	    .metric = STATIC_METRIC,
	    .hops = 1,
	    .hop = {{.ifindex = d->ifindex}},
	};

	if (via != NULL)
		s.hop[0].gateway = *via;
	int err = route_add(m, &s);

	mirror_settle(m);
	return err;
}

int mirror_static_address(struct mirror *m, uint16_t port, const struct ip_prefix *address)
{
	struct device *d = port_device(m, port);
	struct ip_prefix subnet = *address;
	const struct address facts = {
	    .addr = address->addr,
	    .len = address->len,
	    .scope = ip_addr_is_link_local6(&address->addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
	    .fixed = true,
	};

	if (d == NULL)
		return -ENODEV;
	for (unsigned int bit = subnet.len; bit < ip_bits(subnet.addr.family); bit++)
		subnet.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	address_set(m, d->ifindex, &facts);
	if (subnet.len == ip_bits(subnet.addr.family) || ip_addr_is_link_local6(&subnet.addr)) {
		mirror_settle(m);
		return 0;
	}
	return add_route(m, &subnet, d, NULL);
}

static struct device *registered_tunnel(const struct mirror *m, uint32_t tunnel)
{
	for (size_t i = 0; i < DEVICE_BUCKETS; i++) {
		struct device *d;

		LIST_FOREACH (d, &m->devices[i], in_bucket)
			if (d->registered && d->kind == MIRROR_TUNNEL && d->index == tunnel)
				return d;
	}
	return NULL;
}

/* A tunnel without a device in the kernel has one more number, below those of ports. */
static struct device *tunnel_device(struct mirror *m, uint32_t tunnel)
{
	struct device *d = registered_tunnel(m, tunnel);

	if (d != NULL || tunnel > (uint32_t)INT32_MAX - PORTS - 1)
		return d;
	d = device_get(m, -(int)tunnel - PORTS - 1);
	if (d == NULL)
		return NULL;
	d->present = d->registered = d->up = d->admin_up = true;
	d->kind = MIRROR_TUNNEL;
	d->index = tunnel;
	return d;
}

void static_routes_forget(struct mirror *m, struct device *d)
{
	struct hop *h = LIST_FIRST(&d->hops), *next;

	for (; h != NULL; h = next) {
		next = LIST_NEXT(h, on_device);
		if (h->route->source == ROUTE_STATIC)
			route_delete(m, h->route);
	}
}

int mirror_static_route(struct mirror *m, const struct ip_prefix *prefix, uint16_t port,
			const struct ip_addr *via, uint32_t tunnel, struct fault *fault)
{
	char text[IP_TEXT_MAX], gateway[IP_TEXT_MAX];
	struct device *d;

	if (tunnel != TUNNEL_NONE) {
		d = tunnel_device(m, tunnel);
		via = NULL;
	} else {
		d = port_device(m, port);
		if (d == NULL)
			return fault_set(fault, ENODEV, "port",
					 "the route %s leaves through port %u, which is not there",
					 ip_prefix_text(prefix, text), port);
	}
	if (via != NULL && via->family == 0)
		via = NULL;
	if (via != NULL && !ip_addr_is_unicast(via))
		return fault_set(fault, EINVAL, "via", "%s is not the address of one gateway",
				 ip_addr_text(via, gateway));
	int err = d != NULL ? add_route(m, prefix, d, via) : -ENOMEM;

	if (err != 0)
		return fault_set(fault, -err, "prefix", "no memory for the route %s",
				 ip_prefix_text(prefix, text));
	return 0;
}

int mirror_static_neighbour(struct mirror *m, uint16_t port, const struct ip_addr *addr,
			    const uint8_t mac[6])
{
	struct device *d = port_device(m, port);

	if (d == NULL)
		return -ENODEV;
	struct neighbour *n = neighbour_get(m, d, addr);

	if (n == NULL)
		return -ENOMEM;
	n->fixed = n->valid = true;
	memcpy(n->mac, mac, sizeof(n->mac));
	neighbour_touch(m, n);
	mirror_settle(m);
	return 0;
}
