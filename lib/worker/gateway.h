/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_GATEWAY_H
#define ESPALIER_WORKER_GATEWAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

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
struct provision;

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
	/* UDP ports on which ESP arrives, a bit each; workers only read. */
	_Atomic uint64_t encap_port[65536 / 64];
	/* What ICMP errors are sourced from, [0] IPv4, [1] IPv6; NULL: none. Immutable, under RCU.
	 */
	const struct ip_addr *_Atomic icmp_source[2];
	struct provision *provision; /* what lib/gateway remembers; NULL before its first use */
	uint16_t policy_device;      /* host device shared by policy-based tunnels; HOST_NONE */
	int policy_ifindex;
};

/* Control thread. */
static inline void gateway_encap_port_set(struct gateway *g, uint16_t port, bool present)
{
	uint64_t bit = UINT64_C(1) << (port & 63);

	if (present)
		atomic_fetch_or(&g->encap_port[port >> 6], bit);
	else
		atomic_fetch_and(&g->encap_port[port >> 6], ~bit);
}

/* Worker. */
static inline bool gateway_is_encap_port(const struct gateway *g, uint16_t port)
{
	uint64_t word = atomic_load_explicit(&g->encap_port[port >> 6], memory_order_relaxed);

	return (word >> (port & 63) & 1) != 0;
}

#endif
