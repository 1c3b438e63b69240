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
	uint16_t mtu; /* largest IP packet */
	uint16_t
	    device;  /* host device (mirror tap) for frames to the kernel; HOST_NONE on AF_XDP */
	int ifindex; /* kernel netdev: its own on AF_XDP, the mirror tap elsewhere; 0: none */
	_Atomic bool up; /* link; see port_link_update() */
	char name[PORT_NAME_MAX];
	char devargs[256]; /* what the configuration says */
};

struct port_config {
	const char *name;
	const char *device; /* netdev name, PCI address or vdev string */
	enum port_role role;
	uint16_t queues;
	uint16_t mtu;         /* 0: the device's own */
	const char *xdp_mode; /* "auto", "native", "generic" */
	bool mirror;          /* DPDK devices: make a mirror tap named after the port */
	bool sleep; /* workers sleep when idle: no busy polling inside the driver either */
};

struct host;
struct steer;

/*
 * Open and start the device with `pool` behind every receive queue. On AF_XDP
 * the steering program is attached first and takes over a stale one of ours.
 * 0 or -errno with *fault. Control thread.
 *
 * The pool: private size of struct packet_carry. For AF_XDP it lies in one piece,
 * an object with its headers fits a memory page, and each queue keeps up to
 * PORT_XDP_BUFFERS of it; a frame may have the pool's data room less
 * PORT_XDP_HEADROOM. All AF_XDP ports must share one pool (mbufs of another are
 * copied by the driver), and what is sent there must be direct and not chained.
 *
 * XDP does not see a VLAN tag that the card (rxvlan) or a veth peer (txvlan) keeps
 * beside the frame: where tagged frames may arrive, turn that off with ethtool -K.
 *
 * A port that took over a stale program and then fails to open stays closed: the
 * program remains and drops. The process should then end without port_close() or
 * rte_eal_cleanup(), which would detach it and let traffic through in the clear.
 */
#define PORT_XDP_BUFFERS 6144 /* fill, receive and transmit ring of 2,048 each */
#define PORT_XDP_HEADROOM 384 /* RTE_PKTMBUF_HEADROOM and the kernel's 256 */
int port_open(struct port *port, const struct port_config *config, struct rte_mempool *pool,
	      struct steer *steer, struct host *host, struct fault *fault);
/*
 * Stop, detach the XDP program, remove the tap. No worker may use the port any
 * more. From here on the kernel sees all traffic of a netdev. DPDK 22.11 keeps the
 * AF_XDP sockets until the process ends: the same netdev cannot be opened again.
 */
void port_close(struct port *port, struct steer *steer, struct host *host);

/* True where `device` names a kernel netdev rather than a DPDK device. */
bool port_is_netdev(const char *device);

/*
 * Ask the device for its link state and set port->up. Control thread, about once
 * a second; for a netdev the route mirror may set port->up sooner.
 */
void port_link_update(struct port *port);

/* Totals of all queues. Control thread. */
struct port_counters {
	uint64_t rx_packets, rx_bytes, rx_missed, rx_errors;
	uint64_t tx_packets, tx_bytes, tx_errors;
};
void port_counters(const struct port *port, struct port_counters *out);

#endif
