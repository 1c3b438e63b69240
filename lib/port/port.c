/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_state.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <rte_dev.h>

#include "packet/packet.h"
#include "port/host.h"

/* "0000:03:00.1" or "03:00.1", perhaps with driver arguments behind a comma. */
static bool is_pci(const char *device)
{
	unsigned int domain, bus, dev, function;
	int end = 0;

	if (sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &dev, &function, &end) != 4 &&
	    sscanf(device, "%2x:%2x.%1x%n", &bus, &dev, &function, &end) != 3)
		return false;
	return device[end] == '\0' || device[end] == ',';
}

bool port_is_netdev(const char *device)
{
	if (strchr(device, ',') != NULL || is_pci(device) || strlen(device) >= IFNAMSIZ)
		return false;
	return if_nametoindex(device) != 0 || strncmp(device, "net_", 4) != 0;
}

/* Ethdevs are the process's, and so is which of them are ports. */
static bool is_port[RTE_MAX_ETHPORTS];

static bool find_ethdev(const char *name, bool pci, uint16_t *ethdev)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV (id) {
		if (rte_eth_dev_info_get(id, &info) != 0 || info.device == NULL)
			continue;
		const char *found = rte_dev_name(info.device);
		size_t len = strlen(found), wanted = strlen(name);

		/* A PCI address may leave out its domain. */
		if (len < wanted || (!pci && len != wanted) ||
		    strcmp(found + len - wanted, name) != 0)
			continue;
		*ethdev = id;
		return true;
	}
	return false;
}

int port_probe(const char *bus, const char *name, const char *args, uint16_t *ethdev)
{
	bool pci = strcmp(bus, "pci") == 0;

	/* The EAL's own arguments may have probed it, but a port must not be opened twice. */
	if (!find_ethdev(name, pci, ethdev)) {
		int err = rte_eal_hotplug_add(bus, name, args);

		if (err != 0)
			return err;
		if (!find_ethdev(name, pci, ethdev))
			return -ENODEV;
	}
	if (is_port[*ethdev])
		return -EEXIST;
	is_port[*ethdev] = true;
	return 0;
}

void port_remove(uint16_t ethdev)
{
	struct rte_eth_dev_info info;

	if (!rte_eth_dev_is_valid_port(ethdev) || rte_eth_dev_info_get(ethdev, &info) != 0)
		return;
	is_port[ethdev] = false;
	rte_eth_dev_stop(ethdev);
	rte_dev_remove(info.device);
}

static int check_config(const struct port_config *config, const struct rte_mempool *pool,
			struct fault *fault)
{
	if (config->queues < 1 || config->queues > PORT_QUEUES_MAX)
		return fault_set(fault, EINVAL, "queues", "%u is outside 1 to %u", config->queues,
				 PORT_QUEUES_MAX);
	if (strlen(config->name) >= PORT_NAME_MAX || config->name[0] == '\0')
		return fault_set(fault, EINVAL, "name", "\"%s\" is not 1 to %u characters long",
				 config->name, PORT_NAME_MAX - 1);
	if (strlen(config->device) >= sizeof(((struct port *)NULL)->devargs))
		return fault_set(fault, EINVAL, "device", "longer than %zu characters",
				 sizeof(((struct port *)NULL)->devargs) - 1);
	if (rte_pktmbuf_priv_size((struct rte_mempool *)(uintptr_t)pool) <
	    sizeof(struct packet_carry))
		return fault_set(fault, EINVAL, "", "the packet pool has no private area");
	return 0;
}

int port_open(struct port *port, const struct port_config *config, struct rte_mempool *pool,
	      struct steer *steer, struct host *host, struct fault *fault)
{
	uint16_t index = port->index;
	int err = check_config(config, pool, fault);

	if (err != 0)
		return err;
	memset(port, 0, sizeof(*port));
	port->index = index;
	port->role = config->role;
	port->queues = config->queues;
	port->device = HOST_NONE;
	snprintf(port->name, sizeof(port->name), "%s", config->name);
	snprintf(port->devargs, sizeof(port->devargs), "%s", config->device);
	port->af_xdp = port_is_netdev(config->device);
	err = port->af_xdp ? port_open_af_xdp(port, config, pool, steer, fault)
			   : port_open_dpdk(port, config, pool, host, fault);
	if (err == 0)
		port_link_update(port);
	return err;
}

void port_close(struct port *port, struct steer *steer, struct host *host)
{
	atomic_store(&port->up, false);
	if (port->af_xdp)
		port_close_af_xdp(port, steer);
	else
		port_close_dpdk(port, host);
}

void port_link_update(struct port *port)
{
	bool up = false;

	if (port->af_xdp) {
		/* The driver says "up" whatever happens. */
		up = netdev_link(port->devargs);
	} else {
		struct rte_eth_link link;

		if (rte_eth_link_get_nowait(port->queue[0].ethdev, &link) == 0)
			up = link.link_status == RTE_ETH_LINK_UP;
	}
	atomic_store_explicit(&port->up, up, memory_order_relaxed);
}

void port_counters(const struct port *port, struct port_counters *out)
{
	memset(out, 0, sizeof(*out));
	/* One ethdev a queue on AF_XDP, one for all queues elsewhere. */
	for (uint16_t i = 0; i < (port->af_xdp ? port->queues : 1); i++) {
		struct rte_eth_stats s;

		if (rte_eth_stats_get(port->queue[i].ethdev, &s) != 0)
			continue;
		out->rx_packets += s.ipackets;
		out->rx_bytes += s.ibytes;
		out->rx_missed += s.imissed + s.rx_nombuf;
		out->rx_errors += s.ierrors;
		out->tx_packets += s.opackets;
		out->tx_bytes += s.obytes;
		out->tx_errors += s.oerrors;
	}
}
