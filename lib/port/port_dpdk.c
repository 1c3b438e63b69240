/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_state.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <rte_ether.h>

#include "port/host.h"
#include "report/log.h"

#define RING_SIZE 1024

/*
 * Software drivers that transmit chains although they do not say so, or carry
 * frames of any size although they have no MTU to set.
 */
static const struct soft_driver {
	const char *name;
	bool chains;
	bool any_size;
} soft_driver[] = {
    {"net_memif", true, true},
    {"net_pcap", true, true},
    {"net_ring", true, true},
    {"net_null", true, true},
};

static const struct soft_driver *find_soft_driver(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(soft_driver); i++)
		if (strcmp(soft_driver[i].name, name) == 0)
			return &soft_driver[i];
	return NULL;
}

static int probe(const struct port_config *config, uint16_t *ethdev, struct fault *fault)
{
	char name[256];
	const char *comma = strchr(config->device, ',');
	const char *args = comma != NULL ? comma + 1 : "";

	snprintf(name, sizeof(name), "%.*s",
		 (int)(comma != NULL ? comma - config->device : (long)strlen(config->device)),
		 config->device);
	int err = port_probe(strchr(name, ':') != NULL ? "pci" : "vdev", name, args, ethdev);
	if (err == 0)
		return 0;
	if (err == -EEXIST)
		return fault_set(fault, EBUSY, "device", "\"%s\" is a port already", name);
	return fault_set(fault, -err, "device",
			 "DPDK cannot open \"%s\": %s; a network card must be bound to vfio-pci "
			 "(dpdk-devbind.py), a virtual device is DRIVER_NAME,argument=value,...",
			 config->device, strerror(-err));
}

static int check_queues(const struct port_config *config, const struct rte_eth_dev_info *info,
			struct fault *fault)
{
	uint16_t limit = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

	if (config->queues <= limit)
		return 0;
	return fault_set(fault, EINVAL, "queues", "%u, but %s has %u at most", config->queues,
			 info->driver_name, limit);
}

/* Frames larger than a buffer are received as a chain, where the driver can. */
static int choose_rx(struct rte_eth_conf *conf, const struct port_config *config,
		     const struct rte_eth_dev_info *info, struct rte_mempool *pool, bool any_size,
		     struct fault *fault)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	uint32_t frame = (config->mtu != 0 ? config->mtu : RTE_ETHER_MTU) + RTE_ETHER_HDR_LEN +
			 RTE_ETHER_CRC_LEN;

	if (frame > room && info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER)
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	else if (frame > room && !any_size)
		return fault_set(fault, EINVAL, "mtu",
				 "%u needs buffers of %u bytes with %s, which receives no chains: "
				 "raise buffer_size from %u",
				 config->mtu, frame, info->driver_name, room);
	if (config->mtu != 0 && !any_size)
		conf->rxmode.mtu = config->mtu;
	uint64_t hash = info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_ESP);
	if (config->queues > 1 && hash != 0) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = hash;
	}
	return 0;
}

static int set_up_queues(uint16_t id, const struct port_config *config,
			 const struct rte_eth_dev_info *info, const struct rte_eth_conf *conf,
			 struct rte_mempool *pool)
{
	struct rte_eth_rxconf rx = info->default_rxconf;
	struct rte_eth_txconf tx = info->default_txconf;
	uint16_t n = config->queues, rx_size = RING_SIZE, tx_size = RING_SIZE;
	int err = rte_eth_dev_configure(id, n, n, conf);

	rx.offloads = conf->rxmode.offloads;
	tx.offloads = conf->txmode.offloads;
	if (err == 0)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_size, &tx_size);
	for (uint16_t q = 0; q < n && err == 0; q++) {
		err = rte_eth_rx_queue_setup(id, q, rx_size, SOCKET_ID_ANY, &rx, pool);
		if (err == 0)
			err = rte_eth_tx_queue_setup(id, q, tx_size, SOCKET_ID_ANY, &tx);
	}
	return err;
}

static int start(struct port *port, uint16_t id, const struct port_config *config,
		 struct rte_mempool *pool, struct fault *fault)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	int err = rte_eth_dev_info_get(id, &info);

	if (err != 0)
		return fault_set(fault, -err, "device", "%s says nothing about itself: %s",
				 config->device, strerror(-err));
	const struct soft_driver *soft = find_soft_driver(info.driver_name);
	bool any_size = soft != NULL && soft->any_size;
	bool segments = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	err = check_queues(config, &info, fault);
	if (err == 0)
		err = choose_rx(&conf, config, &info, pool, any_size, fault);
	if (err != 0)
		return err;
	if (segments)
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	port->chains = segments || (soft != NULL && soft->chains);

	err = set_up_queues(id, config, &info, &conf, pool);
	if (err == 0 && config->mtu != 0 && !any_size) {
		int refused = rte_eth_dev_set_mtu(id, config->mtu);

		if (refused != 0 && refused != -ENOTSUP)
			return fault_set(fault, -refused, "mtu",
					 "%s does not take an MTU of %u: %s (at most %u)",
					 info.driver_name, config->mtu, strerror(-refused),
					 info.max_mtu);
	}
	if (err == 0)
		err = rte_eth_dev_start(id);
	if (err != 0)
		return fault_set(fault, -err, "device", "cannot start %s: %s", config->device,
				 strerror(-err));
	rte_eth_promiscuous_enable(id); /* drivers without it get every frame anyway */
	port->mtu = config->mtu;
	if (port->mtu == 0 && rte_eth_dev_get_mtu(id, &port->mtu) != 0)
		port->mtu = RTE_ETHER_MTU;
	for (uint16_t q = 0; q < port->queues; q++)
		port->queue[q] = (struct port_queue){.ethdev = id, .queue = q};
	log_info("port %s: %s, %u queue%s, MTU %u, %s chained buffers", port->name,
		 info.driver_name, port->queues, port->queues == 1 ? "" : "s", port->mtu,
		 port->chains ? "sends" : "sends no");
	return 0;
}

int port_open_dpdk(struct port *port, const struct port_config *config, struct rte_mempool *pool,
		   struct host *host, struct fault *fault)
{
	struct rte_ether_addr mac = {0};
	uint16_t id;
	int err = probe(config, &id, fault);

	if (err != 0)
		return err;
	err = start(port, id, config, pool, fault);
	if (err == 0) {
		rte_eth_macaddr_get(id, &mac);
		memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
		if (config->mirror && host != NULL)
			err = host_tap_add(host, port->name, port->mac, port->mtu, port->index,
					   &port->device, &port->ifindex, fault);
	}
	if (err != 0)
		port_remove(id);
	return err;
}

void port_close_dpdk(struct port *port, struct host *host)
{
	if (port->device != HOST_NONE)
		host_device_remove(host, port->device);
	port_remove(port->queue[0].ethdev);
}
