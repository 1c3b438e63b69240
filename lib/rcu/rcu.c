/* SPDX-License-Identifier: BSD-3-Clause */
#include "rcu/rcu.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <rte_common.h>

struct deferred {
	uint64_t token;
	void (*fn)(void *p);
	void *p;
};

static struct rte_rcu_qsbr *domain;

/* A ring of what waits, oldest first: tokens only grow. */
static struct {
	struct deferred *ring;
	size_t size; /* a power of two */
	size_t head, tail;
	bool running;
} queue;

int rcu_init(unsigned int max_workers)
{
	size_t size = rte_rcu_qsbr_get_memsize(max_workers);

	if (size == 1) /* the library's word for "wrong" */
		return -EINVAL;
	domain = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (domain == NULL)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(domain, max_workers) != 0) {
		free(domain);
		domain = NULL;
		return -EINVAL;
	}
	return 0;
}

void rcu_fini(void)
{
	rcu_barrier();
	free(queue.ring);
	queue.ring = NULL;
	queue.size = queue.head = queue.tail = 0;
	free(domain);
	domain = NULL;
}

struct rte_rcu_qsbr *rcu_domain(void)
{
	return domain;
}

void rcu_worker_start(unsigned int id)
{
	rte_rcu_qsbr_thread_register(domain, id);
	rte_rcu_qsbr_thread_online(domain, id);
}

void rcu_worker_stop(unsigned int id)
{
	rte_rcu_qsbr_thread_offline(domain, id);
	rte_rcu_qsbr_thread_unregister(domain, id);
}

static bool grow(void)
{
	size_t size = queue.size > 0 ? queue.size * 2 : 256;
	struct deferred *ring = malloc(size * sizeof(*ring));

	if (ring == NULL)
		return false;
	for (size_t i = queue.head; i != queue.tail; i++)
		ring[i & (size - 1)] = queue.ring[i & (queue.size - 1)];
	free(queue.ring);
	queue.ring = ring;
	queue.size = size;
	return true;
}

/* What a release function defers in turn is queued behind and run by the same loop. */
static void run(bool wait)
{
	if (queue.running)
		return;
	queue.running = true;
	while (queue.head != queue.tail) {
		struct deferred d = queue.ring[queue.head & (queue.size - 1)];

		if (domain != NULL && rte_rcu_qsbr_check(domain, d.token, wait) == 0)
			break;
		queue.head++;
		d.fn(d.p);
	}
	queue.running = false;
}

void rcu_defer(void (*fn)(void *p), void *p)
{
	uint64_t token = domain != NULL ? rte_rcu_qsbr_start(domain) : 0;

	if (queue.tail - queue.head == queue.size && !grow()) {
		if (domain != NULL)
			rte_rcu_qsbr_check(domain, token, true);
		fn(p);
		return;
	}
	queue.ring[queue.tail++ & (queue.size - 1)] = (struct deferred){token, fn, p};
	run(false);
}

void rcu_poll(void)
{
	run(false);
}

void rcu_barrier(void)
{
	run(true);
	if (domain != NULL)
		rte_rcu_qsbr_synchronize(domain, RTE_QSBR_THRID_INVALID);
}
