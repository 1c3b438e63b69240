/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_WORKER_H
#define ESPALIER_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>

#include "packet/drop.h"
#include "report/fault.h"
#include "sa/notice.h"
#include "worker/gateway.h"

/*
 * A worker core: polls its queues, carries each vector to its end, reports a
 * quiescent state. Queue q of port p belongs to worker (p + q) mod workers, for
 * receiving and for transmitting; packets for another worker's queue or SA go
 * through that worker's inbox ring.
 */
struct worker_config {
	uint16_t index;
	bool sleep;          /* sleep when idle instead of spinning */
	uint32_t flows;      /* entries of the flow cache, a power of two */
	uint32_t inbox_size; /* a power of two */
};

struct worker *worker_create(struct gateway *g, const struct worker_config *config,
			     struct fault *fault);
void worker_destroy(struct worker *w);

/* The poll loop, an lcore function: returns 0 after worker_stop(). */
int worker_run(void *worker);
void worker_stop(struct worker *w);

/* Any thread: put an mbuf with a filled-in packet_carry() into the inbox. False: full. */
bool worker_deliver(struct worker *w, struct rte_mbuf *m);

/* The next hops that this worker could not resolve, for mirror_resolve(). Control thread. */
struct worker_unresolved {
	uint16_t port;
	struct ip_addr gateway;
};
bool worker_next_unresolved(struct worker *w, struct worker_unresolved *out);

/* What it has to tell about SAs and tunnels. Control thread. */
bool worker_next_notice(struct worker *w, struct notice *out);

/*
 * in = rx + from_kernel + from_workers + made; out = tx + to_kernel + to_workers
 * + drops + held. Their difference is what is being worked on now: 0 at rest.
 */
struct worker_counters {
	uint64_t rx, from_kernel, from_workers, made;
	uint64_t tx, to_kernel, to_workers, held;
	uint64_t drops[DROP_REASONS];
	uint64_t rounds, idle_rounds; /* of the poll loop */
	uint64_t vectors;             /* non-empty receive bursts */
	uint64_t busy_cycles;         /* TSC cycles in non-idle rounds */
	uint64_t notices_lost;        /* attempts that found the ring full; most are repeated */
};
void worker_counters(const struct worker *w, struct worker_counters *out);

/* Per port, by this worker: frames received from it and handed to it. */
void worker_port_counters(const struct worker *w, uint16_t port, uint64_t *rx, uint64_t *tx);

#endif
