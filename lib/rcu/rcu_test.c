/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rcu/rcu.h"

static unsigned int released[4096];
static unsigned int releases;

static void release(void *p)
{
	released[releases++] = (unsigned int)(uintptr_t)p;
}

static void release_and_defer(void *p)
{
	release(p);
	rcu_defer(release, (void *)((uintptr_t)p + 1));
}

static int init(void **state)
{
	(void)state;
	releases = 0;
	return rcu_init(4);
}

static int fini(void **state)
{
	(void)state;
	rcu_fini();
	return 0;
}

static void releases_at_once_without_readers(void **state)
{
	(void)state;
	rcu_defer(release, (void *)7);
	assert_int_equal(releases, 1);
	assert_int_equal(released[0], 7);
}

static void releases_at_once_before_init(void **state)
{
	(void)state;
	releases = 0;
	rcu_defer(release, (void *)8);
	assert_int_equal(releases, 1);
}

static void waits_for_every_reader(void **state)
{
	(void)state;
	rcu_worker_start(0);
	rcu_worker_start(3);
	rcu_defer(release, (void *)1);
	rcu_poll();
	assert_int_equal(releases, 0);
	rcu_quiescent(rcu_domain(), 0);
	rcu_poll();
	assert_int_equal(releases, 0);
	rcu_quiescent(rcu_domain(), 3);
	rcu_poll();
	assert_int_equal(releases, 1);

	/* A reader that has stopped is not waited for. */
	rcu_defer(release, (void *)2);
	rcu_quiescent(rcu_domain(), 0);
	rcu_worker_stop(3);
	rcu_poll();
	assert_int_equal(releases, 2);
	rcu_worker_stop(0);
}

static void many_keep_their_order(void **state)
{
	(void)state;
	rcu_worker_start(1);
	for (uintptr_t i = 0; i < 3000; i++)
		rcu_defer(release, (void *)i);
	assert_int_equal(releases, 0);
	rcu_quiescent(rcu_domain(), 1);
	for (uintptr_t i = 3000; i < 4000; i++)
		rcu_defer(release, (void *)i);
	rcu_poll();
	assert_int_equal(releases, 3000);
	rcu_worker_stop(1);
	rcu_barrier();
	assert_int_equal(releases, 4000);
	for (unsigned int i = 0; i < 4000; i++)
		assert_int_equal(released[i], i);
}

static void a_release_may_defer(void **state)
{
	(void)state;
	rcu_worker_start(0);
	rcu_defer(release_and_defer, (void *)10);
	rcu_quiescent(rcu_domain(), 0);
	rcu_poll();
	assert_int_equal(releases, 1);
	rcu_quiescent(rcu_domain(), 0);
	rcu_poll();
	assert_int_equal(releases, 2);
	assert_int_equal(released[1], 11);
	rcu_worker_stop(0);
}

/* Readers check that what they hold is not released under them. */
struct object {
	_Atomic bool alive;
};

static struct object *_Atomic current;
static atomic_bool stop;
static atomic_uint dead_seen;

static void bury(void *p)
{
	atomic_store(&((struct object *)p)->alive, false);
}

static void *reader(void *arg)
{
	unsigned int id = (unsigned int)(uintptr_t)arg;

	rcu_worker_start(id);
	while (!atomic_load(&stop)) {
		struct object *o = atomic_load(&current);
		for (int i = 0; i < 50; i++) {
			if (!atomic_load(&o->alive))
				atomic_fetch_add(&dead_seen, 1);
		}
		rcu_quiescent(rcu_domain(), id);
	}
	rcu_worker_stop(id);
	return NULL;
}

static void nothing_is_released_under_a_reader(void **state)
{
	enum { OBJECTS = 20000 };
	struct object *objects = calloc(OBJECTS, sizeof(*objects));
	pthread_t thread[2];

	(void)state;
	for (int i = 0; i < OBJECTS; i++)
		atomic_store(&objects[i].alive, true);
	atomic_store(&current, &objects[0]);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, reader, (void *)i);
	for (int i = 1; i < OBJECTS; i++) {
		struct object *old = atomic_exchange(&current, &objects[i]);
		rcu_defer(bury, old);
	}
	rcu_barrier();
	for (int i = 0; i < OBJECTS - 1; i++)
		assert_false(atomic_load(&objects[i].alive));
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&dead_seen), 0);
	free(objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(releases_at_once_before_init),
	    cmocka_unit_test_setup_teardown(releases_at_once_without_readers, init, fini),
	    cmocka_unit_test_setup_teardown(waits_for_every_reader, init, fini),
	    cmocka_unit_test_setup_teardown(many_keep_their_order, init, fini),
	    cmocka_unit_test_setup_teardown(a_release_may_defer, init, fini),
	    cmocka_unit_test_setup_teardown(nothing_is_released_under_a_reader, init, fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
