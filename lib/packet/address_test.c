/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "packet/address.h"

static void prefixes_with_bad_text_are_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "/",
	    "/24",
	    "10.0.0.0/",
	    "10.0.0.0/33",
	    "10.0.0.0/-1",
	    "10.0.0.0/ 8",
	    "10.0.0.0/08",
	    "10.0.0.0/8x",
	    "10.0.0.1/24",
	    "10.0.0",
	    "10.0.0.256",
	    "10.0.0.0.0",
	    "2001:db8::/129",
	    "2001:db8::1/64",
	    "2001:db8:::",
	    "::1%lo",
	    "10.0.0.0/8/8",
	    "10.0.0.0/0000008",
	    "any",
	    " 10.0.0.1",
	    "10.0.0.1 ",
	    "::ffff:1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18",
	};
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ip_prefix_parse(bad[i], &p) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void prefixes_survive_text(void **state)
{
	static const char *const good[] = {
	    "0.0.0.0/0", "10.0.0.0/8",    "192.0.2.129/32",  "192.0.2.128/25",
	    "::/0",      "2001:db8::/33", "2001:db8::1/128", "fe80::/10",
	};
	char buf[IP_TEXT_MAX];
	struct ip_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ip_prefix_parse(good[i], &p), 0);
		assert_string_equal(ip_prefix_text(&p, buf), good[i]);
	}
	assert_int_equal(ip_prefix_parse("192.0.2.1", &p), 0);
	assert_int_equal(p.len, 32);
	assert_int_equal(ip_addr_v4(&p.addr), 0xc0000201);
}

static void ranges_survive_text(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
	    {"10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"},
	    {"10.0.0.0-10.0.0.255", "10.0.0.0/24"},
	    {"10.0.0.7-10.0.0.7", "10.0.0.7"},
	    {"any", "0.0.0.0/0"},
	    {"2001:db8::-2001:db8::ffff", "2001:db8::/112"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd",
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd"},
	};
	static const char *const bad[] = {"10.0.0.9-10.0.0.1", "10.0.0.1-", "-10.0.0.1",
					  "10.0.0.1-::1",      "-",         "10.0.0.0/8-10.1.0.0"};
	struct ip_addr first, last;
	char buf[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ip_range_parse(good[i].in, 4, &first, &last), 0);
		assert_string_equal(ip_range_text(&first, &last, buf), good[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ip_range_parse(bad[i], 4, &first, &last), -EINVAL);
	assert_int_equal(ip_range_parse("any", 0, &first, &last), -EINVAL);
	assert_int_equal(ip_range_parse("any", 6, &first, &last), 0);
	assert_string_equal(ip_range_text(&first, &last, buf), "::/0");
}

static void unicast_excludes_what_no_tunnel_ends_at(void **state)
{
	static const struct {
		const char *text;
		bool unicast;
	} facts[] = {
	    {"0.0.0.0", false},         {"127.0.0.1", false},  {"224.0.0.1", false},
	    {"255.255.255.255", false}, {"::", false},         {"::1", false},
	    {"ff02::1", false},         {"10.0.0.1", true},    {"1.2.3.4", true},
	    {"fe80::1", true},          {"2001:db8::1", true}, {"::2", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		struct ip_addr a;
		assert_int_equal(ip_addr_parse(facts[i].text, &a), 0);
		assert_int_equal(ip_addr_is_unicast(&a), facts[i].unicast);
	}
}

/* An address whose last byte (and, for IPv6, the one before the last 8) varies. */
static struct ip_addr small(uint8_t family, unsigned int n)
{
	struct ip_addr a = {.family = family};

	a.bytes[ip_size(family) - 1] = (uint8_t)n;
	return a;
}

/*
 * All ranges within 64 addresses: each is covered exactly, without overlap, and
 * by no more prefixes than a search over all aligned blocks needs.
 */
static void split_is_exact_and_shortest(void **state)
{
	const uint8_t family = *(const uint8_t *)*state;
	struct ip_prefix p[256];

	for (unsigned int a = 0; a < 64; a++) {
		for (unsigned int b = a; b < 64; b++) {
			struct ip_addr first = small(family, a), last = small(family, b);
			int n = ip_range_prefixes(&first, &last, p, 256);
			unsigned int covered[64] = {0}, shortest[65];

			assert_true(n > 0);
			for (unsigned int x = 0; x < 64; x++) {
				struct ip_addr addr = small(family, x);
				for (int i = 0; i < n; i++)
					covered[x] += ip_prefix_contains(&p[i], &addr);
				assert_int_equal(covered[x], x >= a && x <= b);
			}
			/* shortest[x]: blocks needed for x … b */
			shortest[b + 1] = 0;
			for (unsigned int x = b + 1; x-- > a;) {
				shortest[x] = 1 + shortest[x + 1];
				for (unsigned int s = 2; x % s == 0 && x + s - 1 <= b; s *= 2) {
					if (1 + shortest[x + s] < shortest[x])
						shortest[x] = 1 + shortest[x + s];
				}
			}
			assert_int_equal(n, shortest[a]);
		}
	}
}

static void split_reaches_the_ends_of_the_space(void **state)
{
	static const struct {
		const char *first, *last;
		int n;
	} facts[] = {
	    {"0.0.0.0", "255.255.255.255", 1},
	    {"0.0.0.1", "255.255.255.254", 62},
	    {"255.255.255.255", "255.255.255.255", 1},
	    {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1},
	    {"::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 254},
	};
	struct ip_prefix p[254];

	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		struct ip_addr first, last;
		ip_addr_parse(facts[i].first, &first);
		ip_addr_parse(facts[i].last, &last);
		assert_int_equal(ip_range_prefixes(&first, &last, p, 254), facts[i].n);
		assert_int_equal(ip_range_prefixes(&first, &last, p, facts[i].n - 1), -ENOSPC);
	}
}

static void contains_compares_only_the_prefix(void **state)
{
	struct ip_prefix p;
	struct ip_addr in, out, other;

	(void)state;
	ip_prefix_parse("10.128.0.0/9", &p);
	ip_addr_parse("10.255.1.2", &in);
	ip_addr_parse("10.127.255.255", &out);
	ip_addr_parse("::1", &other);
	assert_true(ip_prefix_contains(&p, &in));
	assert_false(ip_prefix_contains(&p, &out));
	assert_false(ip_prefix_contains(&p, &other));
}

int main(void)
{
	static uint8_t four = 4, six = 6;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prefixes_with_bad_text_are_refused),
	    cmocka_unit_test(prefixes_survive_text),
	    cmocka_unit_test(ranges_survive_text),
	    cmocka_unit_test(unicast_excludes_what_no_tunnel_ends_at),
	    cmocka_unit_test_prestate(split_is_exact_and_shortest, &four),
	    cmocka_unit_test_prestate(split_is_exact_and_shortest, &six),
	    cmocka_unit_test(split_reaches_the_ends_of_the_space),
	    cmocka_unit_test(contains_compares_only_the_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
