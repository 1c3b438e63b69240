/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_FIB_H
#define ESPALIER_ROUTE_FIB_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#include "packet/address.h"
#include "packet/bytes.h"
#include "report/fault.h"

/*
 * The forwarding table that workers read: destination prefix to next hop, by
 * longest match, IPv4 and IPv6. A next hop is an immutable object; a change
 * publishes a new one under RCU. Neighbours are host routes to an ETHER hop.
 * The control thread writes, workers look up.
 */
enum nexthop_type {
	NEXTHOP_NONE,       /* no route */
	NEXTHOP_BLACKHOLE,  /* blackhole, unreachable, prohibit */
	NEXTHOP_LOCAL,      /* an address of this machine: to the kernel */
	NEXTHOP_TUNNEL,     /* into `tunnel` */
	NEXTHOP_ETHER,      /* out of `port` behind the frame header `eth` */
	NEXTHOP_UNRESOLVED, /* out of `port`, but the kernel does not know the MAC of `gateway` yet
			     */
	NEXTHOP_CONNECTED,  /* on-link on `port`; the destination itself must be resolved */
	NEXTHOP_KERNEL,     /* leaves through a device that is not ours: hand it to the kernel */
};

struct nexthop {
	uint8_t type;
	uint8_t reserved;
	uint16_t port;   /* ETHER, UNRESOLVED, CONNECTED */
	uint32_t tunnel; /* TUNNEL */
	uint16_t mtu;    /* of the route or the port; 0: no limit known */
	uint8_t eth[14]; /* destination, source, type: ready to be copied before the IP header */
	struct ip_addr gateway;
} __rte_cache_aligned;
static_assert(sizeof(struct nexthop) == RTE_CACHE_LINE_SIZE, "one cache line a next hop");

struct fib_writer;

/*
 * An id names a slot of hops[], which is not reused before every worker that may
 * know the id has been quiescent: what a lookup returns may be read until then.
 * It may be kept for longer beside the generation read before the lookup, and is
 * good in each later round in which the generation is read and is still the same:
 * the generation grows before what a change took out of use begins to wait.
 */
struct fib {
	const struct nexthop *hops; /* [id]; id 0 is NEXTHOP_NONE */
	struct rte_lpm *v4;
	struct rte_lpm6 *_Atomic v6;   /* two tables; the standby is updated, then they swap */
	_Atomic uint32_t miss4, miss6; /* id of the default route (::/0, 0.0.0.0/0), else 0 */
	_Atomic uint64_t generation;   /* grows with every visible change */
	struct fib_writer *writer;     /* the control thread's books */
};

/* Worker. Never NULL; NEXTHOP_NONE where nothing matches. `dst` in network order. */
static inline const struct nexthop *fib_lookup4(const struct fib *f, const void *dst)
{
	uint32_t id;

	if (unlikely(rte_lpm_lookup(f->v4, load_be32(dst), &id) != 0))
		id = atomic_load_explicit(&f->miss4, memory_order_acquire);
	return &f->hops[id];
}

static inline const struct nexthop *fib_lookup6(const struct fib *f, const uint8_t *dst)
{
	uint32_t id;
	struct rte_lpm6 *v6 = atomic_load_explicit(&f->v6, memory_order_acquire);

	if (unlikely(rte_lpm6_lookup(v6, dst, &id) != 0))
		id = atomic_load_explicit(&f->miss6, memory_order_acquire);
	return &f->hops[id];
}

static inline const struct nexthop *fib_lookup(const struct fib *f, uint8_t family, const void *dst)
{
	return family == 4 ? fib_lookup4(f, dst) : fib_lookup6(f, dst);
}

struct fib_limits {
	uint32_t routes4, routes6; /* prefixes of each family, host routes to neighbours included */
};

/* Control thread, after rcu_init(). NULL and *fault on failure. */
struct fib *fib_create(const struct fib_limits *limits, struct fault *fault);
/* No worker may be reading. */
void fib_destroy(struct fib *f);

/*
 * Insert or replace. The hop is copied. 0, or -errno with nothing changed:
 * -ENOSPC beyond the limits, -EINVAL for a prefix with host bits. Control thread,
 * which must not itself be an online reader: an IPv6 change waits for the grace
 * period of the one before it. Ten thousand of them belong into a batch.
 */
int fib_set(struct fib *f, const struct ip_prefix *prefix, const struct nexthop *hop);
/* 0 or -ENOENT. Control thread. */
int fib_remove(struct fib *f, const struct ip_prefix *prefix);
/* Exact match; false where there is none. Control thread. */
bool fib_get(const struct fib *f, const struct ip_prefix *prefix, struct nexthop *out);

/*
 * Between the two, IPv6 changes are collected and become visible together, with
 * one swap and at most one grace period. IPv4 changes and default routes are
 * visible at once. Does not nest. Control thread.
 */
void fib_batch_begin(struct fib *f);
void fib_batch_commit(struct fib *f);

#endif
