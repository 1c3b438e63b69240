/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_INPROCESS_H
#define ESPALIER_WORKER_INPROCESS_H

#include "worker/gateway.h"
#include "worker/state.h"

/*
 * A gateway in memory for tests, fuzzing and benches: real SAD, SPD, fib and
 * worker steps, but no ports, no kernel and no threads. Frames go in by call and
 * are taken out of the transmit buffers. Port 0 is the protected side, port 1
 * the unprotected one. Two of them with opposite `side` are each other's peers.
 */
enum { INPROCESS_LAN = 0, INPROCESS_WAN = 1 };

struct inprocess_config {
	unsigned int side; /* 0 or 1: outer addresses 192.0.2.1 and .2, 2001:db8::1 and ::2 */
	uint16_t workers;
	uint32_t sas, tunnels, routes, flows;
	struct rte_mempool *pool;
};

struct inprocess {
	struct gateway g;
	unsigned int side;
};

/* Once in a process: EAL without ports, on huge pages if there are any, and RCU. 0 or -1. */
int inprocess_eal(unsigned int memory_mb);

/* A pool as espalierd makes it. */
struct rte_mempool *inprocess_pool(unsigned int buffers, uint16_t data_room);

/* NULL, with the reason on standard error. */
struct inprocess *inprocess_create(const struct inprocess_config *config);
void inprocess_destroy(struct inprocess *ip);

struct ip_addr inprocess_outer(unsigned int side, uint8_t family);
/* The MAC of a port of this side; its peers are resolved already. */
const uint8_t *inprocess_mac(unsigned int port);

/* Run one vector of frames from `port` through worker `w`. */
void inprocess_run(struct inprocess *ip, uint16_t w, uint16_t port, struct rte_mbuf **m,
		   uint16_t n);
/* Run what other workers put into its inbox. Returns how many. */
uint16_t inprocess_run_inbox(struct inprocess *ip, uint16_t w);
/* Take what it wants to transmit on `port`, at most 2 * VECTOR_MAX. */
uint16_t inprocess_take(struct inprocess *ip, uint16_t w, uint16_t port, struct rte_mbuf **m);

/* A tunnel without SAs; a route. Both abort on failure. */
struct tunnel *inprocess_tunnel(struct inprocess *ip, const char *name);
void inprocess_route(struct inprocess *ip, const char *prefix, const struct nexthop *hop);

#endif
