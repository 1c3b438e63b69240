/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_HOST_H
#define ESPALIER_PORT_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "report/fault.h"

/*
 * The way between the datapath and the local kernel: one thread that owns tun
 * devices (IP packets; one per route-based tunnel and the shared policy device)
 * and tap devices (Ethernet frames; the mirror of a DPDK port). Workers make no
 * system call: they put mbufs on a ring. The thread does all I/O, so a full or
 * stalled kernel queue costs a worker nothing but a counted drop.
 */
#define HOST_DEVICES_MAX 65536
#define HOST_NONE UINT16_MAX

struct host;

struct host_counters {
	uint64_t to_kernel, from_kernel; /* packets */
	uint64_t refused;                /* the kernel did not take it */
	uint64_t no_buffer;              /* read from the kernel but no mbuf was free: dropped */
	uint64_t undelivered;            /* `deliver` did not take it */
};

/*
 * `deliver` hands a packet read from `device` to a worker; packet_carry()'s kind,
 * device, tunnel and port are filled in. It runs in the host thread and returns
 * false when it did not take the mbuf (the host then frees and counts it).
 */
struct host_config {
	struct rte_mempool *pool;
	bool (*deliver)(void *arg, struct rte_mbuf *m);
	void *arg;
	uint32_t ring_size; /* packets waiting for the kernel; a power of two */
};

struct host *host_start(const struct host_config *config, struct fault *fault);
/* Stops the thread, closes every device; packets still queued are freed. */
void host_stop(struct host *h);

/*
 * Make a device, bring it up and return its id in *device, its ifindex in
 * *ifindex. A tun device carries `tunnel` (TUNNEL_NONE: the policy device) in
 * what it delivers, a tap device `port`. Non-persistent: it goes with the process.
 * The mtu is the kernel's view of it. Control thread.
 *
 * A tun device gets no link-local address and sends no router solicitation
 * (they would be encrypted and sent), and rp_filter is off on it: the route back
 * to a peer often leads elsewhere. net.ipv4.conf.all.rp_filter wins where it is
 * greater; that is logged. EEXIST: the name is taken.
 */
int host_tun_add(struct host *h, const char *name, uint16_t mtu, uint32_t tunnel, uint16_t *device,
		 int *ifindex, struct fault *fault);
int host_tap_add(struct host *h, const char *name, const uint8_t mac[6], uint16_t mtu,
		 uint16_t port, uint16_t *device, int *ifindex, struct fault *fault);
/* 0 or -errno. Control thread. */
int host_device_mtu(struct host *h, uint16_t device, uint16_t mtu);
/* Packets still queued for it are counted as refused; its id is not used again soon. */
void host_device_remove(struct host *h, uint16_t device);

/*
 * Worker, or any thread: queue packets for `device` (data starts at the IP header for tun, at
 * the Ethernet header for tap). Returns how many were taken, from the front.
 */
unsigned int host_to_kernel(struct host *h, uint16_t device, struct rte_mbuf **m, unsigned int n);

/* Any thread. */
void host_counters(const struct host *h, struct host_counters *out);

#endif
