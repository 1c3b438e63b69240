/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_PORT_STATE_H
#define ESPALIER_PORT_PORT_STATE_H

#include <rte_ethdev.h>

#include "port/port.h"

/* Inside of port.h, for port*.c alone. */

int port_open_af_xdp(struct port *port, const struct port_config *config, struct rte_mempool *pool,
		     struct steer *steer, struct fault *fault);
void port_close_af_xdp(struct port *port, struct steer *steer);

int port_open_dpdk(struct port *port, const struct port_config *config, struct rte_mempool *pool,
		   struct host *host, struct fault *fault);
void port_close_dpdk(struct port *port, struct host *host);

/* Probe `name` on `bus`; the first ethdev that it has goes to *ethdev. 0 or -errno. */
int port_probe(const char *bus, const char *name, const char *args, uint16_t *ethdev);
/* Stop the ethdev and remove its device. */
void port_remove(uint16_t ethdev);

/* The kernel's view of a netdev. 0 or -errno. */
struct netdev_channels {
	uint32_t rx, tx, rx_max;
	bool combined;
};
int netdev_channels(const char *name, struct netdev_channels *out);
int netdev_mtu(const char *name, uint16_t *mtu);
int netdev_set_mtu(const char *name, uint16_t mtu);
int netdev_set_up(const char *name);
/* Up, and with a carrier. */
bool netdev_link(const char *name);

#endif
