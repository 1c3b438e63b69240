/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/fib.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rcu/rcu.h"
#include "route/eal_test.h"

/*
 * A worker that holds what it found to the end of its round, and keeps it for
 * later rounds beside the generation, as SAs do. A hop that changes under it, or
 * that another prefix has taken over, no longer says what it said.
 */
struct reader {
	struct fib *fib;
	atomic_bool run;
	atomic_ulong rounds, wrong;
};

#define READ_PREFIXES 8

static struct ip_prefix read_prefix(uint32_t i, uint8_t family)
{
	if (i == 0)
		return (struct ip_prefix){{.family = family}, 0};
	if (family == 4)
		return (struct ip_prefix){{4, {10, 0, 0, (uint8_t)i}}, 32};
	return (struct ip_prefix){{6, {0x20, 1, (uint8_t)i}}, 64};
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	const struct nexthop *kept[2][READ_PREFIXES] = {{NULL}};
	uint64_t generation = 0;

	rcu_worker_start(0);
	while (r->run) {
		const struct nexthop *hop[2][READ_PREFIXES];
		uint64_t now = atomic_load_explicit(&r->fib->generation, memory_order_acquire);

		for (unsigned int v6 = 0; v6 < 2; v6++) {
			for (uint32_t i = 0; i < READ_PREFIXES; i++) {
				struct ip_prefix p = read_prefix(i, v6 ? 6 : 4);

				if (now != generation || kept[v6][i] == NULL)
					kept[v6][i] =
					    fib_lookup(r->fib, p.addr.family, p.addr.bytes);
				hop[v6][i] = kept[v6][i];
			}
		}
		generation = now;
		for (unsigned int v6 = 0; v6 < 2; v6++)
			for (uint32_t i = 0; i < READ_PREFIXES; i++)
				r->wrong += hop[v6][i]->port != i || hop[v6][i]->mtu != 100 + v6;
		r->rounds++;
		rcu_quiescent(rcu_domain(), 0);
	}
	rcu_worker_stop(0);
	return NULL;
}

static void readers_never_see_a_hop_change(void **state)
{
	const struct fib_limits limits = {16, 16};
	struct reader r = {.fib = fib_create(&limits, NULL), .run = true};
	pthread_t thread;

	(void)state;
	/* On a busy machine the reader may get its turn late. */
	for (uint32_t n = 0; n < 10000 || r.rounds <= 100; n++) {
		uint32_t i = n / 2 % READ_PREFIXES, v6 = n % 2;
		struct ip_prefix p = read_prefix(i, v6 ? 6 : 4);
		const struct nexthop hop = {.type = NEXTHOP_TUNNEL,
					    .tunnel = n,
					    .port = (uint16_t)i,
					    .mtu = (uint16_t)(100 + v6)};

		assert_int_equal(fib_set(r.fib, &p, &hop), 0);
		if (n == 2 * READ_PREFIXES)
			assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	}
	r.run = false;
	pthread_join(thread, NULL);
	assert_true(r.rounds > 100);
	assert_int_equal(r.wrong, 0);
	fib_destroy(r.fib);
}

static int setup(void **state)
{
	(void)state;
	return eal_test_init() < 0 ? -1 : rcu_init(2);
}

static int teardown(void **state)
{
	(void)state;
	rcu_fini();
	return rte_eal_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(readers_never_see_a_hop_change),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
