/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/fib.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rcu/rcu.h"
#include "route/eal_test.h"

/*
 * The reference: a list of prefixes, searched from end to end for the longest
 * that contains an address. The fib must agree after every change.
 */
#define MODEL_MAX 256

struct model {
	struct ip_prefix prefix[MODEL_MAX];
	struct nexthop hop[MODEL_MAX];
	unsigned int n;
};

static uint64_t random_state = 88172645463325252ull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 11) % below;
}

static int model_find(const struct model *m, const struct ip_prefix *p)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (ip_prefix_equal(&m->prefix[i], p))
			return (int)i;
	return -1;
}

static const struct nexthop *model_lookup(const struct model *m, const struct ip_addr *a)
{
	static const struct nexthop none = {.type = NEXTHOP_NONE};
	const struct nexthop *best = &none;
	int len = -1;

	for (unsigned int i = 0; i < m->n; i++) {
		if (m->prefix[i].len > len && ip_prefix_contains(&m->prefix[i], a)) {
			len = m->prefix[i].len;
			best = &m->hop[i];
		}
	}
	return best;
}

/* Addresses from a small space, so that prefixes nest and collide. */
static struct ip_addr random_addr(uint8_t family)
{
	static const uint8_t few[] = {0, 1, 2, 127, 128, 255};
	struct ip_addr a = {.family = family};

	for (size_t i = 0; i < ip_size(family); i++)
		a.bytes[i] = few[rnd(i < 3 ? 2 : sizeof(few))];
	if (rnd(4) == 0)
		a.bytes[0] = 0x80;
	return a;
}

static struct ip_prefix random_prefix(uint8_t family)
{
	struct ip_prefix p = {random_addr(family), (uint8_t)(8 + rnd(ip_bits(family) - 7u))};

	/* Short ones seldom: each writes millions of table entries. */
	if (rnd(16) == 0)
		p.len = rnd(3) ? 0 : (uint8_t)rnd(8);
	for (unsigned int bit = p.len; bit < ip_bits(family); bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

static struct nexthop random_hop(void)
{
	return (struct nexthop){
	    .type = (uint8_t)(1 + rnd(7)), .port = (uint16_t)rnd(4), .tunnel = rnd(16)};
}

static bool same(const struct nexthop *a, const struct nexthop *b)
{
	return a->type == b->type && a->port == b->port && a->tunnel == b->tunnel;
}

static void check_lookups(const struct fib *f, const struct model *m, uint8_t family,
			  unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct ip_addr a = random_addr(family);

		assert_true(same(fib_lookup(f, family, a.bytes), model_lookup(m, &a)));
	}
}

static void follows_a_linear_longest_match(void **state)
{
	const struct fib_limits limits = {256, 256};
	struct fib *f = fib_create(&limits, NULL);
	struct model m = {.n = 0};

	(void)state;
	assert_non_null(f);
	for (unsigned int step = 0; step < 6000; step++) {
		uint8_t family = rnd(2) ? 4 : 6;
		struct ip_prefix p = random_prefix(family);
		int at = model_find(&m, &p);
		struct nexthop got;

		assert_int_equal(fib_get(f, &p, &got), at >= 0);
		if (at >= 0)
			assert_true(same(&got, &m.hop[at]));
		uint64_t generation = f->generation;

		if (rnd(5) < 3 && m.n < 200) {
			struct nexthop hop = random_hop();
			bool news = at < 0 || !same(&m.hop[at], &hop);

			assert_int_equal(fib_set(f, &p, &hop), 0);
			if (at < 0)
				at = (int)m.n++;
			m.prefix[at] = p;
			m.hop[at] = hop;
			assert_int_equal(f->generation > generation, news);
		} else if (at >= 0 || m.n == 0 || rnd(4) == 0) {
			assert_int_equal(fib_remove(f, &p), at >= 0 ? 0 : -ENOENT);
			assert_int_equal(f->generation > generation, at >= 0);
			if (at >= 0) {
				m.n--;
				m.prefix[at] = m.prefix[m.n];
				m.hop[at] = m.hop[m.n];
			}
		} else {
			unsigned int victim = rnd(m.n);

			assert_int_equal(fib_remove(f, &m.prefix[victim]), 0);
			m.n--;
			m.prefix[victim] = m.prefix[m.n];
			m.hop[victim] = m.hop[m.n];
		}
		check_lookups(f, &m, 4, 20);
		check_lookups(f, &m, 6, 20);
	}
	while (m.n-- > 0)
		assert_int_equal(fib_remove(f, &m.prefix[m.n]), 0);
	m.n = 0;
	check_lookups(f, &m, 4, 100);
	check_lookups(f, &m, 6, 100);
	fib_destroy(f);
}

static struct ip_prefix parse(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static const struct nexthop *look(const struct fib *f, const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(text, &a), 0);
	return fib_lookup(f, a.family, a.bytes);
}

/* A default route next to real /1 routes, in both families. */
static void default_routes_do_not_collide_with_halves(void **state)
{
	const struct fib_limits limits = {8, 8};
	struct fib *f = fib_create(&limits, NULL);
	const struct nexthop a = {.type = NEXTHOP_TUNNEL, .tunnel = 1};
	const struct nexthop b = {.type = NEXTHOP_TUNNEL, .tunnel = 2};
	struct ip_prefix all4 = parse("0.0.0.0/0"), low4 = parse("0.0.0.0/1");
	struct ip_prefix all6 = parse("::/0"), high6 = parse("8000::/1");

	(void)state;
	assert_int_equal(look(f, "9.9.9.9")->type, NEXTHOP_NONE);
	assert_int_equal(fib_set(f, &all4, &a), 0);
	assert_int_equal(fib_set(f, &all6, &b), 0);
	assert_int_equal(look(f, "9.9.9.9")->tunnel, 1);
	assert_int_equal(look(f, "2001:db8::1")->tunnel, 2);
	assert_int_equal(fib_set(f, &low4, &b), 0);
	assert_int_equal(fib_set(f, &high6, &a), 0);
	assert_int_equal(look(f, "9.9.9.9")->tunnel, 2);
	assert_int_equal(look(f, "200.9.9.9")->tunnel, 1);
	assert_int_equal(look(f, "9001:db8::1")->tunnel, 1);
	assert_int_equal(fib_remove(f, &all4), 0);
	assert_int_equal(fib_remove(f, &all4), -ENOENT);
	assert_int_equal(look(f, "200.9.9.9")->type, NEXTHOP_NONE);
	assert_int_equal(look(f, "9.9.9.9")->tunnel, 2);
	fib_destroy(f);
}

static void refuses_what_does_not_fit_and_changes_nothing(void **state)
{
	const struct fib_limits limits = {2, 2};
	struct fib *f = fib_create(&limits, NULL);
	const struct nexthop a = {.type = NEXTHOP_TUNNEL, .tunnel = 1};
	const struct nexthop b = {.type = NEXTHOP_TUNNEL, .tunnel = 2};
	const char *fit[] = {"10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "2001:db8::5/128"};
	const char * not [] = {"10.1.0.0/16", "10.0.0.1/32", "::/0", "2001:db8::6/128"};
	struct nexthop got;
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(fit); i++) {
		p = parse(fit[i]);
		assert_int_equal(fib_set(f, &p, &a), 0);
	}
	uint64_t generation = f->generation;

	for (size_t i = 0; i < RTE_DIM(not ); i++) {
		p = parse(not [i]);
		assert_int_equal(fib_set(f, &p, &b), -ENOSPC);
		assert_false(fib_get(f, &p, &got));
	}
	assert_int_equal(f->generation, generation);
	assert_int_equal(look(f, "10.1.0.1")->tunnel, 1);
	assert_int_equal(look(f, "2001:db8::6")->tunnel, 1);
	assert_int_equal(look(f, "3001:db8::6")->type, NEXTHOP_NONE);

	/* A replacement needs no room. */
	p = parse("10.0.0.0/8");
	assert_int_equal(fib_set(f, &p, &b), 0);
	assert_int_equal(look(f, "10.1.0.1")->tunnel, 2);
	p.addr.bytes[3] = 1;
	assert_int_equal(fib_set(f, &p, &b), -EINVAL);
	fib_destroy(f);
}

/* Every route its own hop, replaced again and again: ids and tbl8 groups come back. */
static void ids_are_recycled(void **state)
{
	const struct fib_limits limits = {64, 64};
	struct fib *f = fib_create(&limits, NULL);

	(void)state;
	for (uint32_t round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 64; i++) {
			struct ip_prefix p = {{4, {10, (uint8_t)round, (uint8_t)i, 1}}, 32};
			struct ip_prefix p6 = {{6, {0x20, 1, (uint8_t)round, (uint8_t)i}}, 128};
			const struct nexthop hop = {.type = NEXTHOP_TUNNEL,
						    .tunnel = round * 64 + i};

			assert_int_equal(fib_set(f, &p, &hop), 0);
			assert_int_equal(fib_set(f, &p6, &hop), 0);
			assert_int_equal(fib_lookup(f, 4, p.addr.bytes)->tunnel, hop.tunnel);
			assert_int_equal(fib_lookup(f, 6, p6.addr.bytes)->tunnel, hop.tunnel);
		}
		for (uint32_t i = 0; i < 64; i++) {
			struct ip_prefix p = {{4, {10, (uint8_t)round, (uint8_t)i, 1}}, 32};
			struct ip_prefix p6 = {{6, {0x20, 1, (uint8_t)round, (uint8_t)i}}, 128};

			assert_int_equal(fib_remove(f, &p), 0);
			assert_int_equal(fib_remove(f, &p6), 0);
		}
	}
	fib_destroy(f);
}

/* A batch larger than the spare next hops, every route replaced in it. */
static void a_batch_appears_at_its_commit(void **state)
{
	enum { N = 3000 };
	const struct fib_limits limits = {16, N};
	struct fib *f = fib_create(&limits, NULL);

	(void)state;
	assert_non_null(f);
	for (uint32_t round = 0; round < 3; round++) {
		uint64_t generation = f->generation;

		fib_batch_begin(f);
		for (uint32_t i = 0; i < N; i++) {
			struct ip_prefix p = {
			    {6, {0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i}}, 48};
			const struct nexthop hop = {.type = NEXTHOP_TUNNEL,
						    .tunnel = round * N + i};

			assert_int_equal(fib_set(f, &p, &hop), 0);
			if (round == 0)
				assert_int_equal(fib_lookup6(f, p.addr.bytes)->type, NEXTHOP_NONE);
		}
		if (round == 0)
			assert_int_equal(f->generation, generation);
		fib_batch_commit(f);
		assert_true(f->generation > generation);
		for (uint32_t i = 0; i < N; i++) {
			const uint8_t a[16] = {0x20,       1, 0xd, 0xb8, (uint8_t)(i >> 8),
					       (uint8_t)i, 7};

			assert_int_equal(fib_lookup6(f, a)->tunnel, round * N + i);
		}
	}
	fib_destroy(f);
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
	    cmocka_unit_test(follows_a_linear_longest_match),
	    cmocka_unit_test(default_routes_do_not_collide_with_halves),
	    cmocka_unit_test(refuses_what_does_not_fit_and_changes_nothing),
	    cmocka_unit_test(ids_are_recycled),
	    cmocka_unit_test(a_batch_appears_at_its_commit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
