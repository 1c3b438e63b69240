/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "rcu/rcu.h"
#include "worker/state.h"

/* Idle rounds before a worker that may sleep does, and how long at first and at most. */
#define IDLE_ROUNDS 200
#define SLEEP_MIN_NS 20000
#define SLEEP_MAX_NS 200000

struct worker *worker_create(struct gateway *g, const struct worker_config *config,
			     struct fault *fault)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
	char name[RTE_RING_NAMESIZE];

	if (w == NULL) {
		fault_set(fault, ENOMEM, "workers", "no memory for worker %u", config->index);
		return NULL;
	}
	w->g = g;
	w->sad = sadb_hot(g->sadb);
	w->index = config->index;
	w->sleep = config->sleep;
	w->hz = rte_get_tsc_hz();
	w->reply_tokens = 1;
	w->aead = aead_create();
	snprintf(name, sizeof(name), "inbox_%p", (void *)w); /* two gateways may share a process */
	w->inbox = rte_ring_create(name, config->inbox_size, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (w->aead == NULL || w->inbox == NULL) {
		fault_set(fault, ENOMEM, "workers", "no memory for worker %u", config->index);
		worker_destroy(w);
		return NULL;
	}
	w->policies = spd_cache_create(g->spd, config->index, config->flows, fault);
	if (w->policies == NULL) {
		worker_destroy(w);
		return NULL;
	}
	return w;
}

void worker_destroy(struct worker *w)
{
	struct rte_mbuf *m;

	if (w == NULL)
		return;
	while (w->inbox != NULL && rte_ring_sc_dequeue(w->inbox, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	hold_drop_all(w);
	acquire_drop_all(w);
	drops_flush(&w->drops);
	rte_ring_free(w->inbox);
	aead_destroy(w->aead);
	if (w->policies != NULL)
		spd_cache_destroy(w->policies);
	rte_free(w);
}

static void find_queues(struct worker *w)
{
	w->queues = 0;
	for (uint16_t p = 0; p < w->g->ports; p++) {
		for (uint16_t q = 0; q < w->g->port[p].queues; q++) {
			if ((p + q) % w->g->workers != w->index)
				continue;
			w->queue[w->queues++] =
			    (struct receive_queue){.port = p,
						   .ethdev = w->g->port[p].queue[q].ethdev,
						   .queue = w->g->port[p].queue[q].queue};
		}
	}
}

static bool poll_queue(struct worker *w, const struct receive_queue *q)
{
	struct rte_mbuf *m[VECTOR_MAX];
	struct lanes lanes;
	uint16_t n = rte_eth_rx_burst(q->ethdev, q->queue, m, VECTOR_MAX);

	if (n == 0)
		return false;
	w->now = rte_rdtsc();
	w->count.rx += n;
	w->count.vectors++;
	w->port_rx[q->port] += n;
	lanes.esp.n = lanes.plain.n = lanes.clear.n = 0;
	receive_frames(w, q->port, m, n, w->store, &lanes);
	pipeline_run(w, &lanes);
	return true;
}

static bool poll_inbox(struct worker *w)
{
	struct rte_mbuf *m[VECTOR_MAX];
	unsigned int n = rte_ring_sc_dequeue_burst(w->inbox, (void **)m, VECTOR_MAX, NULL);

	if (n == 0)
		return false;
	w->now = rte_rdtsc();
	pipeline_inbox(w, m, (uint16_t)n);
	return true;
}

/* One round; true if there was anything to do. */
static bool work(struct worker *w)
{
	bool busy = false;

	pipeline_waiting(w);
	for (uint16_t i = 0; i < w->queues; i++)
		busy |= poll_queue(w, &w->queue[i]);
	busy |= poll_inbox(w);
	hold_retry(w);
	transmit_flush(w);
	drops_flush(&w->drops);
	return busy;
}

static void idle(struct worker *w, uint32_t rounds)
{
	if (!w->sleep) {
		rte_pause();
		return;
	}
	if (rounds < IDLE_ROUNDS)
		return;
	long ns = (long)SLEEP_MIN_NS * (rounds - IDLE_ROUNDS + 1);
	struct timespec t = {.tv_nsec = RTE_MIN(ns, (long)SLEEP_MAX_NS)};
	nanosleep(&t, NULL);
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	struct rte_rcu_qsbr *domain = rcu_domain();
	uint32_t idle_rounds = 0;
	uint64_t start = rte_rdtsc();

	find_queues(w);
	rcu_worker_start(w->index);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		w->count.rounds++;
		if (work(w)) {
			idle_rounds = 0;
			uint64_t end = rte_rdtsc();
			w->count.busy_cycles += end - start;
			start = end;
		} else {
			w->count.idle_rounds++;
			rcu_quiescent(domain, w->index);
			idle(w, idle_rounds++);
			start = rte_rdtsc();
		}
		rcu_quiescent(domain, w->index);
	}
	transmit_flush(w);
	drops_flush(&w->drops);
	rcu_worker_stop(w->index);
	return 0;
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
}

bool worker_deliver(struct worker *w, struct rte_mbuf *m)
{
	return rte_ring_mp_enqueue(w->inbox, m) == 0;
}

bool worker_next_notice(struct worker *w, struct notice *out)
{
	return notice_next(&w->notices, out);
}

void worker_counters(const struct worker *w, struct worker_counters *out)
{
	*out = w->count;
	out->held = w->hold.n + w->acquire.n;
	out->notices_lost = w->notices.lost;
	for (unsigned int i = 0; i < DROP_REASONS; i++)
		out->drops[i] = w->drops.count[i];
}

void worker_port_counters(const struct worker *w, uint16_t port, uint64_t *rx, uint64_t *tx)
{
	*rx = w->port_rx[port];
	*tx = w->port_tx[port];
}
