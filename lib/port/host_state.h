/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_HOST_STATE_H
#define ESPALIER_PORT_HOST_STATE_H

#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>

#include "port/host.h"

/* Inside of host.h, for host*.c alone. */

struct host_device {
	int fd;
	int ifindex;
	bool tap;
	uint16_t id;
	uint16_t port;   /* PORT_NONE for a tun device */
	uint32_t tunnel; /* TUNNEL_NONE for a tap device */
	char name[IFNAMSIZ];
};

#define HOST_PACKET_MAX 65600 /* longest packet or frame of a tun or tap device */

struct host {
	struct host_config config;
	struct rte_ring *ring;
	int epoll;
	pthread_t thread;
	bool running;
	_Atomic bool stop;

	/*
	 * Held by the thread while it moves packets, by the control thread while it
	 * changes the table. `waiting` makes the thread stand back.
	 */
	pthread_mutex_t lock;
	_Atomic int waiting;
	struct host_device *device[HOST_DEVICES_MAX];
	uint16_t next; /* where the search for a free id starts */

	/* Written by the thread alone. */
	_Atomic uint64_t to_kernel, from_kernel, refused, no_buffer, undelivered;
	struct rte_mbuf *spare;          /* to read the next packet into */
	uint8_t excess[HOST_PACKET_MAX]; /* what does not fit the first buffer */
};

static inline void host_count(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* Read at most `budget` packets of `d` and deliver them. False: the device is gone. */
bool host_read(struct host *h, struct host_device *d, unsigned int budget);
/* Write one packet to its device (NULL: it is gone) and free it. */
void host_write(struct host *h, struct host_device *d, struct rte_mbuf *m);

/* Make the kernel device, set it up and bring it up. Fills fd and ifindex. */
int host_device_make(struct host_device *d, const uint8_t *mac, uint16_t mtu, struct fault *fault);
int host_device_set_mtu(const struct host_device *d, uint16_t mtu);

#endif
