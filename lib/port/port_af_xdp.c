/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_state.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <rte_eal.h>
#include <rte_ether.h>

#include "port/steer.h"
#include "report/log.h"

/* The driver fills the fill ring with this many at once, whatever is asked. */
#define RING_SIZE 2048

static int check_queues(const struct port_config *config, struct fault *fault)
{
	struct netdev_channels c;
	int err = netdev_channels(config->device, &c);
	uint16_t n = config->queues;

	if (err != 0)
		return fault_set(fault, -err, "device", "cannot ask %s for its queues: %s",
				 config->device, strerror(-err));
	if (c.rx == n && c.tx >= n)
		return 0;
	if (c.rx_max < n)
		return fault_set(fault, EINVAL, "queues",
				 "%u, but %s can have %u at most (a veth gets more with "
				 "\"ip link add ... numrxqueues N numtxqueues N\" on both ends)",
				 n, config->device, c.rx_max);
	/* Frames on a queue without a socket would be dropped. */
	if (c.combined)
		return fault_set(
		    fault, EINVAL, "queues",
		    "%u, but %s has %u to receive and %u to send: make them equal with "
		    "\"ethtool -L %s combined %u\"",
		    n, config->device, c.rx, c.tx, config->device, n);
	return fault_set(fault, EINVAL, "queues",
			 "%u, but %s has %u to receive and %u to send: make them equal with "
			 "\"ethtool -L %s rx %u tx %u\"",
			 n, config->device, c.rx, c.tx, config->device, n, n);
}

/* The driver takes the whole pool as one array of buffers, without looking. */
static int check_pool(const struct port_config *config, struct rte_mempool *pool,
		      struct fault *fault)
{
	uint32_t object = pool->header_size + pool->elt_size + pool->trailer_size;
	long page = sysconf(_SC_PAGESIZE);

	if (pool->nb_mem_chunks != 1)
		return fault_set(fault, EINVAL, "",
				 "the packet pool lies in %u pieces and AF_XDP needs one: fewer "
				 "buffers, larger hugepages or EAL argument --iova-mode=va",
				 pool->nb_mem_chunks);
	if (object > page)
		return fault_set(
		    fault, EINVAL, "buffer_size",
		    "AF_XDP needs a buffer and its headers (%u bytes) within a page of "
		    "%ld: at most %ld",
		    object, page,
		    page - (long)(object - rte_pktmbuf_data_room_size(pool)) -
			RTE_PKTMBUF_HEADROOM);
	if (rte_mempool_avail_count(pool) < config->queues * (unsigned int)PORT_XDP_BUFFERS)
		return fault_set(fault, ENOMEM, "queues",
				 "%u queues may hold %u buffers and %u are free: more buffers",
				 config->queues, config->queues * PORT_XDP_BUFFERS,
				 rte_mempool_avail_count(pool));
	return 0;
}

static int set_mtu(struct port *port, const struct port_config *config,
		   const struct rte_mempool *pool, struct fault *fault)
{
	uint16_t room = rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
	int limit = room - PORT_XDP_HEADROOM - RTE_ETHER_HDR_LEN;
	uint16_t mtu = config->mtu;
	int err = mtu != 0 ? 0 : netdev_mtu(config->device, &mtu);

	if (err == 0 && mtu > limit)
		return fault_set(fault, EINVAL, "mtu",
				 "%u is more than the %d that fit a buffer of AF_XDP: lower it, or "
				 "raise buffer_size by %d",
				 mtu, limit, mtu - limit);
	if (err == 0 && config->mtu != 0)
		err = netdev_set_mtu(config->device, mtu);
	if (err != 0)
		return fault_set(fault, -err, "mtu", "%s does not take an MTU of %u: %s",
				 config->device, mtu, strerror(-err));
	port->mtu = mtu;
	return 0;
}

static int open_queue(struct port *port, uint16_t q, const struct port_config *config,
		      struct rte_mempool *pool, struct fault *fault)
{
	char name[64], args[128];
	struct rte_eth_conf conf = {0};
	uint16_t id;

	snprintf(name, sizeof(name), "net_af_xdp_%s_%u", port->name, q);
	/*
	 * Busy polling is a system call in every idle round: not for workers that
	 * sleep. Zero copy drops buffers that cross pages, unless the pages are huge.
	 */
	snprintf(args, sizeof(args), "iface=%s,start_queue=%u,queue_count=1%s%s", config->device, q,
		 config->sleep ? ",busy_budget=0" : "",
		 rte_eal_has_hugepages() ? "" : ",force_copy=1");
	int err = port_probe("vdev", name, args, &id);
	if (err != 0)
		return fault_set(fault, -err, "device",
				 "DPDK cannot open AF_XDP on %s queue %u: %s", config->device, q,
				 strerror(-err));
	port->queue[q] = (struct port_queue){.ethdev = id, .queue = 0};
	err = rte_eth_dev_configure(id, 1, 1, &conf);
	if (err == 0)
		err = rte_eth_rx_queue_setup(id, 0, RING_SIZE, SOCKET_ID_ANY, NULL, pool);
	if (err == 0)
		err = rte_eth_tx_queue_setup(id, 0, RING_SIZE, SOCKET_ID_ANY, NULL);
	if (err == 0)
		err = rte_eth_dev_start(id);
	if (err != 0)
		return fault_set(
		    fault, -err, "device",
		    "cannot set up AF_XDP on %s queue %u: %s (does another program use "
		    "it, or is RLIMIT_MEMLOCK too low for the packet pool?)",
		    config->device, q, strerror(-err));
	return 0;
}

static int open_queues(struct port *port, const struct port_config *config,
		       struct rte_mempool *pool, bool keep, struct fault *fault)
{
	for (uint16_t q = 0; q < port->queues; q++)
		port->queue[q].ethdev = RTE_MAX_ETHPORTS;
	for (uint16_t q = 0; q < port->queues; q++) {
		int err = open_queue(port, q, config, pool, fault);

		if (err == 0)
			continue;
		/* Removing a queue detaches the program. */
		for (uint16_t i = 0; !keep && i <= q; i++)
			port_remove(port->queue[i].ethdev);
		return err;
	}
	return 0;
}

/*
 * Packet memory is charged to RLIMIT_MEMLOCK, unless the process has CAP_IPC_LOCK.
 * Where this fails, so may the socket, and its fault names the limit.
 */
static void raise_memlock(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

int port_open_af_xdp(struct port *port, const struct port_config *config, struct rte_mempool *pool,
		     struct steer *steer, struct fault *fault)
{
	struct steer_attached attached;
	struct rte_ether_addr mac;

	port->ifindex = (int)if_nametoindex(config->device);
	if (port->ifindex == 0)
		return fault_set(fault, ENODEV, "device",
				 "there is no network device \"%s\" here; a DPDK device is a PCI "
				 "address, or a string such as net_memif0,...",
				 config->device);
	if (steer == NULL)
		return fault_set(fault, EINVAL, "device", "%s needs AF_XDP steering",
				 config->device);
	int err = check_queues(config, fault);
	if (err == 0)
		err = check_pool(config, pool, fault);
	if (err == 0)
		err = set_mtu(port, config, pool, fault);
	if (err != 0)
		return err;
	err = netdev_set_up(config->device); /* AF_XDP refuses a device that is down */
	if (err != 0)
		return fault_set(fault, -err, "device", "cannot bring %s up: %s", config->device,
				 strerror(-err));
	raise_memlock();
	err = steer_attach(steer, port->ifindex, port->role, config->xdp_mode, &attached, fault);
	if (err != 0)
		return err;
	err = open_queues(port, config, pool, attached.taken_over, fault);
	if (err != 0) {
		if (!attached.taken_over)
			steer_detach(steer, port->ifindex);
		return err;
	}
	port->native = attached.native;
	port->chains = false;
	rte_eth_macaddr_get(port->queue[0].ethdev, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	log_info("port %s: AF_XDP on %s, %u queue%s, %s mode%s%s%s", port->name, config->device,
		 port->queues, port->queues == 1 ? "" : "s", port->native ? "native" : "generic",
		 attached.reason[0] != '\0' ? " (native: " : "", attached.reason,
		 attached.reason[0] != '\0' ? ")" : "");
	if (attached.taken_over)
		log_notice("port %s: took over the XDP program that an earlier espalier left on %s",
			   port->name, config->device);
	return 0;
}

void port_close_af_xdp(struct port *port, struct steer *steer)
{
	/* The driver detaches the program when the first queue goes. */
	for (uint16_t q = 0; q < port->queues; q++)
		port_remove(port->queue[q].ethdev);
	steer_detach(steer, port->ifindex);
}
