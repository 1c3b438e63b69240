/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_GATEWAY_H
#define ESPALIER_WORKER_GATEWAY_H

#include "port/host.h"
#include "port/port.h"
#include "port/steer.h"
#include "route/fib.h"
#include "route/mirror.h"
#include "sa/sa.h"
#include "sa/tunnel.h"
#include "spd/spd.h"

#define WORKERS_MAX 64

struct worker;

/*
 * Everything one gateway is made of. The control thread owns it and writes;
 * workers read the parts that their headers allow.
 */
struct gateway {
	struct rte_mempool *pool;
	struct fib *fib;
	struct sadb *sadb;
	struct spd *spd;
	struct mirror *mirror; /* NULL in in-process tests and benches */
	struct host *host;     /* likewise */
	struct steer *steer;   /* NULL without AF_XDP ports */
	struct port port[PORT_MAX];
	uint16_t ports;
	struct worker *worker[WORKERS_MAX];
	uint16_t workers;
	uint16_t policy_device; /* host device shared by policy-based tunnels; HOST_NONE */
	int policy_ifindex;
};

#endif
