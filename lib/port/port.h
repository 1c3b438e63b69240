/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_PORT_H
#define ESPALIER_PORT_PORT_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>
#include <rte_mempool.h>

#include "report/fault.h"

/*
 * A port is where frames come from and go to: a kernel netdev through AF_XDP,
 * or any DPDK device (PCI address or vdev string). It hides that DPDK's AF_XDP
 * driver wants one ethdev per queue.
 */
#define PORT_MAX 32
#define PORT_QUEUES_MAX 16
#define PORT_NAME_MAX 16 /* as IFNAMSIZ, NUL included */

enum port_role {
	PORT_PROTECTED = 1,   /* plaintext side */
	PORT_UNPROTECTED = 2, /* ESP side */
	PORT_BOTH = 3,
};

struct port_queue {
	uint16_t ethdev;
	uint16_t queue;
};

struct port {
	uint16_t index;
	uint16_t queues; /* receive queues; as many to transmit on */
	struct port_queue queue[PORT_QUEUES_MAX];
	uint8_t role; /* enum port_role */
	bool chains;  /* transmits chained mbufs (AF_XDP does not) */
	bool af_xdp;
	bool native; /* XDP in the driver; else generic */
	uint8_t mac[6];
	uint16_t mtu;	 /* largest IP packet */
	uint16_t device; /* host device (mirror tap) for frames to the kernel; HOST_NONE on AF_XDP */
	int ifindex;	 /* kernel netdev: its own on AF_XDP, the mirror tap elsewhere; 0: none */
	_Atomic bool up; /* link, from netlink on AF_XDP */
	char name[PORT_NAME_MAX];
	char devargs[256]; /* what the configuration says */
	struct port_xdp *xdp; /* AF_XDP only */
};

struct port_config {
	const char *name;
	const char *device; /* netdev name, PCI address or vdev string */
	enum port_role role;
	uint16_t queues;
	uint16_t mtu;	 /* 0: the device's own */
	const char *xdp_mode; /* "auto", "native", "generic" */
	bool mirror;	 /* DPDK devices: make a mirror tap named after the port */
	bool sleep;	 /* workers sleep when idle: no busy polling inside the driver either */
};

struct host;
struct steer;

/*
 * Open and start the device with `pool` behind every receive queue. On AF_XDP
 * the steering program is attached first and takes over a stale one of ours.
 * 0 or -errno with *fault. Control thread.
 */
int port_open(struct port *port, const struct port_config *config, struct rte_mempool *pool,
	      struct steer *steer, struct host *host, struct fault *fault);
/* Stop, detach the XDP program, remove the tap. No worker may use the port any more. */
void port_close(struct port *port, struct steer *steer, struct host *host);

/* True where `device` names a kernel netdev rather than a DPDK device. */
bool port_is_netdev(const char *device);

/* Totals of all queues. */
struct port_counters {
	uint64_t rx_packets, rx_bytes, rx_missed, rx_errors;
	uint64_t tx_packets, tx_bytes, tx_errors;
};
void port_counters(const struct port *port, struct port_counters *out);

#endif
