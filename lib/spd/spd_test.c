/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_eal.h>

#include "packet/checksum.h"
#include "rcu/rcu.h"
#include "spd/spd.h"
#include "spd/view.h"

/* 10.0.0.1 to 10.0.0.2, UDP, with an mbuf that only describes where it lies. */
static uint8_t bytes[28] = {0x45, [3] = 28, [9] = 17, [12] = 10, [15] = 1, [16] = 10, [19] = 2};
static struct rte_mbuf mbuf = {.buf_addr = bytes, .data_len = sizeof(bytes), .nb_segs = 1};
static struct packet packet = {.m = &mbuf, .ip = bytes};

static struct policy named(const char *name, const char *local, const char *remote)
{
	struct policy p = {.action = POLICY_BYPASS};
	uint8_t family = strchr(local, ':') != NULL ? 6 : 4;

	snprintf(p.name, sizeof(p.name), "%s", name);
	p.selector = selector_any(family);
	ip_range_parse(local, family, &p.selector.local_first, &p.selector.local_last);
	ip_range_parse(remote, family, &p.selector.remote_first, &p.selector.remote_last);
	return p;
}

static bool collect(void *arg, const struct policy *p)
{
	strcat(strcat(arg, p->name), " ");
	return strcmp(p->name, "last") != 0;
}

static void order_is_priority_then_age(void **state)
{
	static const struct {
		const char *name;
		uint32_t priority;
	} add[] = {{"c", 10}, {"a", 5}, {"d", 10}, {"last", 20}, {"b", 5}, {"never", 21}};
	struct fault fault;
	struct spd *s = spd_create(&fault);
	char names[128] = "";

	(void)state;
	for (size_t i = 0; i < RTE_DIM(add); i++) {
		struct policy p = named(add[i].name, "10.0.0.0/8", "any");
		p.priority = add[i].priority;
		assert_int_equal(policy_add(s, &p, &fault), 0);
	}
	policy_each(s, collect, names);
	assert_string_equal(names, "a b c d last ");
	assert_non_null(policy_find(s, "d"));
	assert_null(policy_find(s, "e"));
	spd_destroy(s);
}

static void faults_name_what_is_wrong(void **state)
{
	struct fault fault;
	struct spd *s = spd_create(&fault);
	struct policy p = named("one", "10.0.0.0/8", "any"), bad;

	(void)state;
	assert_int_equal(policy_add(s, &p, &fault), 0);
	assert_int_equal(policy_add(s, &p, &fault), -EEXIST);
	assert_string_equal(fault.where, "name");
	assert_int_equal(policy_remove(s, p.id), 0);
	assert_int_equal(policy_remove(s, p.id), -ENOENT);
	uint32_t first = p.id;
	assert_int_equal(policy_add(s, &p, &fault), 0);
	assert_int_not_equal(p.id, first);

	bad = named("", "10.0.0.0/8", "any");
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	bad = named("two", "10.0.0.0/8", "2001:db8::/32");
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	assert_string_equal(fault.where, "remote");
	bad = named("two", "10.0.0.0/8", "any");
	bad.selector.local_last = bad.selector.local_first;
	bad.selector.local_first.bytes[3] = 1;
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	assert_string_equal(fault.where, "local");
	bad = named("two", "10.0.0.0/8", "any");
	bad.selector.remote_port_first = 10;
	bad.selector.remote_port_last = 9;
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	assert_string_equal(fault.where, "remote_port");
	bad = named("two", "10.0.0.0/8", "any");
	bad.action = 0;
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	bad.action = POLICY_PROTECT;
	bad.tunnel = TUNNEL_NONE;
	assert_int_equal(policy_add(s, &bad, &fault), -EINVAL);
	bad = named("two", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		    "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	assert_int_equal(policy_add(s, &bad, &fault), -ENOSPC);
	assert_int_equal(policy_count(s), 1);

	assert_null(spd_cache_create(s, 0, 100, &fault));
	assert_string_equal(fault.where, "flows");
	spd_destroy(s);
}

/* Keys hold the low bits of the commit's number; at their end nothing old may match. */
static void generations_may_wrap(void **state)
{
	struct fault fault;
	struct spd *s = spd_create(&fault);
	struct spd_cache *c = spd_cache_create(s, 0, 64, &fault);
	struct policy p = named("one", "0.0.0.0/0", "0.0.0.0/0");
	struct vector v = {.n = 1, .p = {&packet}};
	struct verdict out;

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		/* Commits 1 and 2 of this round of numbers, then the same ones of the next. */
		if (i == 2 || i == 4)
			s->commits = ((s->commits >> FLOW_GENERATION_BITS) + 1)
				     << FLOW_GENERATION_BITS;
		s->changed = true;
		if (i % 2 == 0) {
			p.action = i == 2 ? POLICY_DISCARD : POLICY_BYPASS;
			assert_int_equal(policy_add(s, &p, &fault), 0);
		} else {
			assert_int_equal(policy_remove(s, p.id), 0);
		}
		assert_int_equal(spd_commit(s, &fault), 0);
		for (unsigned int n = 0; n < 2; n++) {
			spd_lookup(c, &v, true, &out);
			assert_int_equal(out.action, i % 2 == 0 ? p.action : 0);
		}
	}
	spd_cache_destroy(c);
	spd_destroy(s);
}

/* A worker looks up while policies flip between two states: it sees one or the other. */
static struct spd *flipping;
static atomic_bool stop;
static atomic_uint wrong;

static void *worker(void *arg)
{
	struct fault fault;
	struct spd_cache *c = spd_cache_create(flipping, 0, 64, &fault);
	struct vector v = {.n = 2, .p = {&packet, &packet}};
	struct verdict out[2];

	rcu_worker_start(0);
	while (!atomic_load(&stop)) {
		spd_lookup(c, &v, true, out);
		if (out[0].action != out[1].action || out[0].tunnel != out[1].tunnel ||
		    (out[0].action != 0 && out[0].action != POLICY_DISCARD))
			atomic_fetch_add(&wrong, 1);
		rcu_quiescent(rcu_domain(), 0);
	}
	rcu_worker_stop(0);
	spd_cache_destroy(c);
	return arg;
}

static void commits_under_a_running_worker(void **state)
{
	struct fault fault;
	struct policy p = named("one", "0.0.0.0/0", "0.0.0.0/0");
	pthread_t thread;

	(void)state;
	p.action = POLICY_DISCARD;
	flipping = spd_create(&fault);
	pthread_create(&thread, NULL, worker, NULL);
	for (unsigned int i = 0; i < 400; i++) {
		if (i % 2 == 0)
			assert_int_equal(policy_add(flipping, &p, &fault), 0);
		else
			assert_int_equal(policy_remove(flipping, p.id), 0);
		assert_int_equal(spd_commit(flipping, &fault), 0);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	spd_destroy(flipping);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(order_is_priority_then_age),
	    cmocka_unit_test(faults_name_what_is_wrong),
	    cmocka_unit_test(generations_may_wrap),
	    cmocka_unit_test(commits_under_a_running_worker),
	};
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "--file-prefix=spd-test-%d", (int)getpid());
	char *eal[] = {"t",           "--no-huge",      "--no-pci", "-m", "256",
		       "--no-shconf", "--no-telemetry", "-l",       "0",  "--log-level=error",
		       prefix};
	if (rte_eal_init(RTE_DIM(eal), eal) < 0 || rcu_init(4) < 0)
		return 1;
	checksum_ipv4_write(bytes, 20);
	if (packet_parse_ip(&packet, sizeof(bytes), sizeof(bytes)) != 0)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_fini();
	rte_eal_cleanup();
	return failed;
}
