/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway_in_memory.h"

#include <string.h>
#include <sanitizer/asan_interface.h>

#include "packet/address.h"

#define BUFFERS 511
#define ROOM (RTE_PKTMBUF_HEADROOM + 2176)
#define SEGMENTS_MAX 16 /* of a packet */
#define POISONED_MAX (8 * SEGMENTS_MAX)

static struct rte_mempool *pool;
static struct rte_mbuf *poisoned[POISONED_MAX];
static unsigned int poisoned_count;

struct rte_mempool *fuzz_pool(void)
{
	return pool;
}

struct inprocess *fuzz_gateway(void)
{
	static const struct ip_addr source[2] = {
	    {4, {192, 0, 2, 1}},
	    {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
	};

	must(inprocess_eal(256) == 0);
	pool = inprocess_pool(BUFFERS, ROOM);
	must(pool != NULL);
	const struct inprocess_config config = {
	    .workers = 1, .sas = 16, .tunnels = 4, .routes = 16, .flows = 64, .pool = pool};
	struct inprocess *g = inprocess_create(&config);
	must(g != NULL);
	for (int i = 0; i < 2; i++)
		atomic_store(&g->g.icmp_source[i], &source[i]);
	return g;
}

struct rte_mbuf *fuzz_mbuf(const uint8_t *bytes, size_t len, size_t part)
{
	struct rte_mbuf *head = NULL;

	if (part == 0)
		part = 2048;
	if (part < len / SEGMENTS_MAX + 1)
		part = len / SEGMENTS_MAX + 1;
	do {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		size_t n = len < part ? len : part;

		must(m != NULL);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes, n);
		bytes += n;
		len -= n;
		if (head == NULL)
			head = m;
		else
			must(rte_pktmbuf_chain(head, m) == 0);
	} while (len > 0);
	return head;
}

void fuzz_poison(struct rte_mbuf *m)
{
	for (const struct rte_mbuf *head = m; m != NULL; m = m->next) {
		uint8_t *end = rte_pktmbuf_mtod(m, uint8_t *) + m->data_len;

		must(poisoned_count < POISONED_MAX);
		poisoned[poisoned_count++] = m;
		/* Not to be handed out again, as a reply say, while it is poisoned. */
		rte_mbuf_refcnt_update(m, 1);
		ASAN_POISON_MEMORY_REGION(end, rte_pktmbuf_tailroom(m));
		if (m != head)
			ASAN_POISON_MEMORY_REGION(m->buf_addr, m->data_off);
	}
}

const uint8_t *fuzz_take(const uint8_t *data, size_t size, size_t *at, size_t *want)
{
	const uint8_t *taken = data + *at;

	if (*want > size - *at)
		*want = size - *at;
	*at += *want;
	return taken;
}

static uint64_t in_minus_out(const struct inprocess *g)
{
	struct worker_counters c;

	worker_counters(g->g.worker[0], &c);
	uint64_t out = c.tx + c.to_kernel + c.to_workers + c.held;
	for (unsigned int i = 0; i < DROP_REASONS; i++)
		out += c.drops[i];
	return c.rx + c.from_kernel + c.from_workers + c.made - out;
}

void fuzz_settle(struct inprocess *g, void (*visit)(uint16_t port, const struct rte_mbuf *m))
{
	struct rte_mbuf *m[2 * VECTOR_MAX];

	for (uint16_t port = 0; port < 2; port++) {
		uint16_t n = inprocess_take(g, 0, port, m);
		for (uint16_t i = 0; i < n && visit != NULL; i++)
			visit(port, m[i]);
		rte_pktmbuf_free_bulk(m, n);
	}
	while (poisoned_count > 0) {
		struct rte_mbuf *was = poisoned[--poisoned_count];
		ASAN_UNPOISON_MEMORY_REGION(was->buf_addr, was->buf_len);
		rte_pktmbuf_free_seg(was);
	}
	must(in_minus_out(g) == 0);
	must(rte_mempool_in_use_count(pool) == 0);
}
