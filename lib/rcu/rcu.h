/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_RCU_RCU_H
#define ESPALIER_RCU_RCU_H

#include <rte_rcu_qsbr.h>

/*
 * One quiescent-state domain for the whole gateway (rte_rcu_qsbr). The control
 * thread is the only writer: it unpublishes an object (a plain atomic store),
 * then defers its release until every worker has been quiescent once. Workers
 * report at the end of each round and hold no pointer across it.
 *
 * Lists shared with workers are never modified in place unless a reader that
 * sees the old and the new state half-half is harmless.
 */

/* Control thread, once, after rte_eal_init(). Returns 0 or -errno. */
int rcu_init(unsigned int max_workers);
void rcu_fini(void);

/* The domain, for libraries that take one themselves (rte_lpm_rcu_qsbr_add). */
struct rte_rcu_qsbr *rcu_domain(void);

/* Worker thread `id` (0 … max_workers-1) begins and ends reading. */
void rcu_worker_start(unsigned int id);
void rcu_worker_stop(unsigned int id);

/* Worker thread: nothing read before this call is used after it. */
static inline void rcu_quiescent(struct rte_rcu_qsbr *domain, unsigned int id)
{
	rte_rcu_qsbr_quiescent(domain, id);
}

/*
 * Control thread: call fn(p) once no worker can hold p any more. Runs it at once
 * where no worker reads, or before rcu_init(). The queue grows; only if there is
 * no memory for that does this wait for a grace period. Releases run in the order
 * in which they were deferred, and may defer in turn.
 */
void rcu_defer(void (*fn)(void *p), void *p);

/* Control thread: run what has become due. Called from the event loop's timer. */
void rcu_poll(void);

/* Control thread: wait for a grace period and run everything deferred. */
void rcu_barrier(void);

#endif
