/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <rte_cycles.h>

#include "sa/sa_hot.h"

/* What the methods of SAs do, once, twice, and where they must refuse. */

static void an_inbound_sa_is_shown_as_it_was_added(void **state)
{
	(void)state;
	done("sa.add",
	     SA("in", 4096, KEY_A,
		",\"esn\":false,\"replay_window\":64,\"udp\":true,\"local_port\":4501,"
		"\"remote_port\":61234,\"remote\":\"203.0.113.5\",\"selectors\":["
		"{\"local\":\"10.0.0.0/8\",\"remote\":\"10.1.2.3-10.1.2.9\",\"protocol\":\"udp\","
		"\"local_ports\":53,\"remote_ports\":\"1024-65535\"},"
		"{\"family\":\"ipv6\",\"protocol\":99}]"));
	json_t *sa = result_of("sa.get", "{\"direction\":\"in\",\"spi\":4096}");
	char *text = json_dumps(at(sa, "selectors"), JSON_COMPACT);

	assert_string_equal(
	    text, "[{\"local\":\"10.0.0.0/8\",\"remote\":\"10.1.2.3-10.1.2.9\",\"family\":\"ipv4\","
		  "\"protocol\":\"udp\",\"local_ports\":53,\"remote_ports\":\"1024-65535\"},"
		  "{\"local\":\"any\",\"remote\":\"any\",\"family\":\"ipv6\",\"protocol\":99,"
		  "\"local_ports\":\"any\",\"remote_ports\":\"any\"}]");
	assert_true(json_is_false(at(sa, "esn")));
	assert_true(json_is_true(at(sa, "udp")));
	assert_int_equal(number_at(sa, "replay_window"), 64);
	assert_int_equal(number_at(sa, "local_port"), 4501);
	assert_int_equal(number_at(sa, "remote_port"), 61234);
	assert_string_equal(text_at(sa, "local"), "198.51.100.1");
	assert_string_equal(text_at(sa, "remote"), "203.0.113.5");
	assert_string_equal(text_at(sa, "algorithm"), "aes256gcm16");
	assert_int_equal(number_at(sa, "counters.packets"), 0);
	assert_null(at(sa, "counters.last_used"));
	assert_null(at(sa, "key"));
	/* What it shows can be given back. */
	done("policy.flush", "{}");
	free(text);
	json_decref(sa);
}

static void an_outbound_sa_is_named_with_its_peer(void **state)
{
	(void)state;
	done("sa.add", SA("out", 4096, KEY_A,
			  ",\"seq_first\":1000,\"seq_limit\":5000,\"dscp\":46,"
			  "\"df\":\"set\",\"ttl\":9"));
	/* The same SPI at another peer. */
	done("sa.add", SA("out", 4096, KEY_B, ",\"remote\":\"192.0.2.77\""));
	assert_int_equal(code_of("sa.get", "{\"direction\":\"out\",\"spi\":4096}", "remote"), 1);
	json_t *sa =
	    result_of("sa.get", "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.1\"}");
	assert_int_equal(number_at(sa, "seq_first"), 1000);
	assert_int_equal(number_at(sa, "seq_limit"), 5000);
	assert_int_equal(number_at(sa, "counters.seq"), 999);
	assert_int_equal(number_at(sa, "counters.packets"), 0);
	assert_int_equal(number_at(sa, "dscp"), 46);
	assert_string_equal(text_at(sa, "df"), "set");
	assert_int_equal(number_at(sa, "ttl"), 9);
	json_decref(sa);
	assert_int_equal(
	    code_of("sa.get", "{\"direction\":\"out\",\"spi\":4096,\"tunnel\":\"rome\"}", "spi"),
	    2);
	assert_int_equal(code_of("sa.get",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.8\"}",
				 "spi"),
			 2);
	done("sa.delete", "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.77\"}");
	assert_int_equal(count_of("gateway.info", "{}", "sas_out"), 1);
}

static void an_sa_cannot_be_added_twice_by_mistake(void **state)
{
	(void)state;
	assert_true(flag_of("sa.add", SA("in", 4096, KEY_A, ""), "created"));
	assert_int_equal(code_of("sa.add", SA("in", 4096, KEY_A, ""), NULL), 3);
	assert_false(flag_of("sa.add", SA("in", 4096, KEY_A, ",\"exist_ok\":true"), "created"));
	/* exist_ok is for the same SA: not another key, cipher or tunnel. */
	assert_int_equal(code_of("sa.add", SA("in", 4096, KEY_B, ",\"exist_ok\":true"), NULL), 3);
	assert_int_equal(code_of("sa.add",
				 "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"rome\",\"key\":"
				 "\"" KEY_A "\",\"exist_ok\":true}",
				 NULL),
			 3);
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 1);
}

static void a_key_is_for_one_sa(void **state)
{
	(void)state;
	done("sa.add", SA("out", 4096, KEY_A, ""));
	assert_int_equal(code_of("sa.add", SA("out", 4097, KEY_A, ""), "key"), 3);
	assert_int_equal(code_of("sa.add", SA("in", 4097, KEY_A, ""), "key"), 3);
}

static void what_an_sa_may_be(void **state)
{
	(void)state;
	static const struct {
		const char *params, *field;
		int code;
	} cases[] = {
	    {SA("in", 4096, KEY_A, ",\"algorithm\":\"aes128gcm16\""), "key", 1},
	    {SA("in", 4096, "000102030405060708090a0b0c0d0e0f10111213", ""), "key", 1},
	    {SA("in", 4096, KEY_A, ",\"replay_window\":31"), "replay_window", 1},
	    {SA("in", 4096, KEY_A, ",\"remote\":\"2001:db8::1\""), "remote", 1},
	    {SA("in", 4096, KEY_A, ",\"remote\":\"224.0.0.1\""), "remote", 1},
	    {SA("in", 4096, KEY_A, ",\"seq_first\":7"), "seq_first", 1},
	    {SA("in", 4096, KEY_A, ",\"seq_limit\":7"), "seq_limit", 1},
	    {SA("in", 4096, KEY_A, ",\"df\":\"set\""), "df", 1},
	    {SA("in", 4096, KEY_A, ",\"dscp\":1"), "dscp", 1},
	    {SA("in", 4096, KEY_A, ",\"ttl\":1"), "ttl", 1},
	    {SA("out", 4096, KEY_A, ",\"replay_window\":64"), "replay_window", 1},
	    {SA("out", 4096, KEY_A, ",\"selectors\":[]"), "selectors", 1},
	    {SA("out", 4096, KEY_A, ",\"seq_first\":9,\"seq_limit\":8"), "seq_limit", 1},
	    {SA("out", 4096, KEY_A, ",\"esn\":false,\"seq_limit\":4294967296"), "seq_limit", 1},
	    {SA("in", 4096, KEY_A, ",\"selectors\":[{}]"), "selectors[0].family", 1},
	    {SA("in", 4096, KEY_A,
		",\"selectors\":[{\"local\":\"10.0.0.0/8\"},{\"local\":\"10.0.0.0/8\",\"remote\":"
		"\"fd00::/8\"}]"),
	     "selectors[1].remote", 1},
	    {SA("in", 4096, KEY_A,
		",\"selectors\":[{\"local\":\"10.0.0.0/8\",\"family\":\"ipv6\"}]"),
	     "selectors[0].local", 1},
	    {"{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"oslo\",\"key\":\"" KEY_A "\"}",
	     "tunnel", 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(code_of("sa.add", cases[i].params, cases[i].field), cases[i].code);
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 0);
	assert_int_equal(count_of("gateway.info", "{}", "sas_out"), 0);
}

static void an_sa_follows_its_peer(void **state)
{
	(void)state;
	done("sa.add", SA("out", 4096, KEY_A, ""));
	done("sa.add", SA("out", 4096, KEY_B, ",\"remote\":\"192.0.2.77\""));
	json_t *sa =
	    result_of("sa.update", "{\"direction\":\"out\",\"spi\":4096,\"remote\":"
				   "\"192.0.2.1\",\"new_remote\":\"192.0.2.9\",\"udp\":true}");

	assert_string_equal(text_at(sa, "remote"), "192.0.2.9");
	assert_true(json_is_true(at(sa, "udp")));
	assert_int_equal(number_at(sa, "local_port"), 4500);
	assert_int_equal(number_at(sa, "remote_port"), 4500);
	json_decref(sa);
	sa = result_of("sa.update", "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.9\","
				    "\"remote_port\":61234}");
	assert_int_equal(number_at(sa, "local_port"), 4500);
	assert_int_equal(number_at(sa, "remote_port"), 61234);
	json_decref(sa);
	assert_int_equal(code_of("sa.update",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":"
				 "\"192.0.2.9\",\"new_remote\":\"192.0.2.77\"}",
				 "new_remote"),
			 3);
	assert_int_equal(code_of("sa.update",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":"
				 "\"192.0.2.9\",\"new_local\":\"fd00::1\"}",
				 NULL),
			 1);
	assert_int_equal(code_of("sa.update",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.9\"}",
				 NULL),
			 1);
	/* A port is of use with UDP only. */
	assert_int_equal(code_of("sa.update",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.9\","
				 "\"udp\":false,\"local_port\":4500}",
				 "local_port"),
			 1);
	done("sa.update", "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.9\","
			  "\"udp\":false}");
	assert_int_equal(code_of("sa.update",
				 "{\"direction\":\"out\",\"spi\":4096,\"remote\":\"192.0.2.9\","
				 "\"remote_port\":61234}",
				 "remote_port"),
			 1);
}

static void sas_are_deleted_once(void **state)
{
	(void)state;
	done("sa.add", SA("in", 4096, KEY_A, ""));
	assert_true(flag_of("sa.delete", "{\"direction\":\"in\",\"spi\":4096}", "deleted"));
	assert_int_equal(code_of("sa.delete", "{\"direction\":\"in\",\"spi\":4096}", "spi"), 2);
	assert_false(flag_of("sa.delete", "{\"direction\":\"in\",\"spi\":4096,\"missing_ok\":true}",
			     "deleted"));
	/* missing_ok is not for a question that cannot be answered. */
	assert_int_equal(
	    code_of("sa.delete", "{\"direction\":\"out\",\"spi\":4096,\"missing_ok\":true}", NULL),
	    1);
}

static void add_sas(const char *tunnel, const char *direction, int first, int n)
{
	char params[256];

	for (int i = first; i < first + n; i++) {
		snprintf(params, sizeof(params),
			 "{\"direction\":\"%s\",\"spi\":%d,\"tunnel\":\"%s\",\"key\":\"%072d\"}",
			 direction, i, tunnel, i);
		done("sa.add", params);
	}
}

/* Every SA once, however the pages are cut, for all and for one tunnel. */
static void pages_hold_every_sa_once(void **state)
{
	(void)state;
	static const char *const filters[] = {"", "\"tunnel\":\"paris\",", "\"tunnel\":\"rome\",",
					      "\"direction\":\"out\","};
	static const size_t wanted[] = {150 + 150 + 20 + 5, 150 + 150, 20 + 5, 150 + 5};
	static const int limits[] = {1, 7, 100, 325, 1000};

	add_sas("paris", "in", 1000, 100);
	add_sas("rome", "in", 5000, 20);
	add_sas("paris", "in", 1100, 50);
	add_sas("paris", "out", 2000, 150);
	add_sas("rome", "out", 6000, 5);
	for (size_t f = 0; f < 4; f++) {
		for (size_t l = 0; l < 5; l++) {
			char params[256], after[96] = "";
			bool seen[8192] = {false};
			size_t got = 0, i;
			json_t *page = NULL, *item;
			do {
				json_decref(page);
				snprintf(params, sizeof(params), "{%s%s\"limit\":%d}", filters[f],
					 after, limits[l]);
				page = result_of("sa.list", params);
				assert_true(json_array_size(at(page, "items")) <=
					    (size_t)limits[l]);
				json_array_foreach (at(page, "items"), i, item) {
					json_int_t spi = number_at(item, "spi");
					assert_false(seen[spi]);
					seen[spi] = true;
					got++;
				}
				if (text_at(page, "next") != NULL)
					snprintf(after, sizeof(after), "\"after\":\"%s\",",
						 text_at(page, "next"));
			} while (text_at(page, "next") != NULL);
			json_decref(page);
			assert_int_equal(got, wanted[f]);
		}
	}
	static const char *const wrong[] = {"", "in", "in:", "x:1", "in:1 ", "in:-1", "1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char params[64];
		snprintf(params, sizeof(params), "{\"after\":\"%s\"}", wrong[i]);
		assert_int_equal(code_of("sa.list", params, "after"), 1);
	}
	assert_int_equal(
	    count_of("sa.flush", "{\"tunnel\":\"rome\",\"direction\":\"in\"}", "deleted"), 20);
	assert_int_equal(count_of("sa.flush", "{\"tunnel\":\"rome\"}", "deleted"), 5);
	assert_int_equal(count_of("sa.flush", "{}", "deleted"), 300);
	assert_int_equal(count_of("sa.flush", "{}", "deleted"), 0);
}

static void spis_are_reserved_and_released(void **state)
{
	(void)state;
	json_int_t spi = count_of("spi.alloc", "{}", "spi");
	char params[256];

	assert_true(spi >= 256 && spi <= UINT32_MAX);
	snprintf(params, sizeof(params), "{\"spi\":%lld}", (long long)spi);
	assert_true(flag_of("spi.release", params, "released"));
	assert_int_equal(code_of("spi.release", params, "spi"), 2);
	snprintf(params, sizeof(params), "{\"spi\":%lld,\"missing_ok\":true}", (long long)spi);
	assert_false(flag_of("spi.release", params, "released"));
	/* An SPI that sa.add has used is no longer reserved. */
	spi = count_of("spi.alloc", "{}", "spi");
	snprintf(params, sizeof(params),
		 "{\"direction\":\"in\",\"spi\":%lld,\"tunnel\":\"paris\",\"key\":\"" KEY_A "\"}",
		 (long long)spi);
	done("sa.add", params);
	snprintf(params, sizeof(params), "{\"spi\":%lld}", (long long)spi);
	assert_int_equal(code_of("spi.release", params, "spi"), 2);
}

static const char *state_of(const char *params, char *buf, size_t size)
{
	json_t *sa = result_of("sa.get", params);

	snprintf(buf, size, "%s", text_at(sa, "state"));
	json_decref(sa);
	return buf;
}

static void an_sa_shows_its_lifetime(void **state)
{
	(void)state;
	static const char which[] = "{\"direction\":\"out\",\"spi\":4096,\"tunnel\":\"paris\"}";
	struct ip_addr peer;
	char text[16];

	done("sa.add", SA("out", 4096, KEY_A,
			  ",\"soft_bytes\":1000,\"hard_add_time\":3600,\"seq_first\":5,"
			  "\"soft_seq\":6"));
	json_t *sa = result_of("sa.get", which);
	char *lifetime = json_dumps(at(sa, "lifetime"), JSON_COMPACT);
	assert_string_equal(lifetime,
			    "{\"soft_bytes\":1000,\"hard_add_time\":3600,\"soft_seq\":6}");
	free(lifetime);
	json_decref(sa);
	assert_string_equal(state_of(which, text, sizeof(text)), "live");
	ip_addr_parse("192.0.2.1", &peer);
	struct sa *one = sa_find_out(testbed.g.sadb, 4096, &peer);
	one->out->seq = 6;
	assert_string_equal(state_of(which, text, sizeof(text)), "soft");
	sa_expire(testbed.g.sadb, one);
	assert_string_equal(state_of(which, text, sizeof(text)), "expired");
	assert_int_equal(count_of("sa.get", which, "counters.expired"), 0);
}

static void when_an_sa_was_last_used(void **state)
{
	(void)state;
	static const char which[] = "{\"direction\":\"in\",\"spi\":4096}";
	struct timespec now;

	done("sa.add", SA("in", 4096, KEY_A, ""));
	json_t *use = result_of("sa.query", which);
	assert_int_equal(number_at(use, "packets"), 0);
	assert_int_equal(number_at(use, "bytes"), 0);
	assert_null(at(use, "last_used_ms"));
	json_decref(use);
	struct sa_in *in = sa_find_in(testbed.g.sadb, 4096)->in;
	in->packets = 3;
	in->bytes = 300;
	in->last_used = rte_rdtsc() - 2 * rte_get_tsc_hz();
	use = result_of("sa.query", which);
	clock_gettime(CLOCK_MONOTONIC, &now);
	json_int_t ago =
	    (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - number_at(use, "last_used_ms");
	assert_int_equal(number_at(use, "packets"), 3);
	assert_int_equal(number_at(use, "bytes"), 300);
	assert_true(ago >= 1999 && ago < 5000);
	json_decref(use);
	assert_int_equal(code_of("sa.query", "{\"direction\":\"in\",\"spi\":4097}", "spi"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(an_inbound_sa_is_shown_as_it_was_added),
	    with_gateway(an_outbound_sa_is_named_with_its_peer),
	    with_gateway(an_sa_cannot_be_added_twice_by_mistake),
	    with_gateway(a_key_is_for_one_sa),
	    with_gateway(what_an_sa_may_be),
	    with_gateway(an_sa_follows_its_peer),
	    with_gateway(sas_are_deleted_once),
	    with_gateway(an_sa_shows_its_lifetime),
	    with_gateway(when_an_sa_was_last_used),
	    with_gateway(pages_hold_every_sa_once),
	    with_gateway(spis_are_reserved_and_released),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
