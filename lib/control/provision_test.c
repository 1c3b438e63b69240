/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report/log.h"

/* What the methods of tunnels, policies and the gateway do, once, twice, and refused. */

static void tunnels_come_and_go(void **state)
{
	(void)state;
	json_t *t = result_of("tunnel.add", "{\"name\":\"oslo\",\"remote\":\"2001:db8::1\"}");

	assert_string_equal(text_at(t, "device"), "oslo");
	json_decref(t);
	assert_int_equal(
	    code_of("tunnel.add", "{\"name\":\"oslo\",\"remote\":\"2001:db8::1\"}", "name"), 3);
	assert_false(flag_of("tunnel.add",
			     "{\"name\":\"oslo\",\"remote\":\"2001:db8::1\","
			     "\"exist_ok\":true}",
			     "created"));
	assert_int_equal(code_of("tunnel.add",
				 "{\"name\":\"oslo\",\"remote\":\"2001:db8::2\","
				 "\"exist_ok\":true}",
				 "name"),
			 3);
	t = result_of("tunnel.get", "{\"name\":\"oslo\"}");
	assert_string_equal(text_at(t, "state"), "down");
	assert_string_equal(text_at(t, "remote"), "2001:db8::1");
	assert_null(at(t, "local"));
	assert_null(at(t, "spi_in"));
	json_decref(t);
	assert_true(flag_of("tunnel.delete", "{\"name\":\"oslo\"}", "deleted"));
	assert_int_equal(code_of("tunnel.delete", "{\"name\":\"oslo\"}", "name"), 2);
	assert_false(
	    flag_of("tunnel.delete", "{\"name\":\"oslo\",\"missing_ok\":true}", "deleted"));
}

static void what_a_tunnel_may_be(void **state)
{
	(void)state;
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"a\",\"mtu\":575}", "mtu"), 1);
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"sixteen-bytes-xx\"}", "device"), 1);
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"a\",\"device\":\"a/b\"}", "device"), 1);
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"a\",\"device\":\"..\"}", "device"), 1);
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"a\",\"device\":\"a b\"}", "device"), 1);
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"a\",\"device\":\"a%d\"}", "device"), 1);
	assert_int_equal(code_of("tunnel.add",
				 "{\"name\":\"a\",\"local\":\"10.0.0.1\",\"remote\":\"::1\"}",
				 "remote"),
			 1);
	done("tunnel.add", "{\"name\":\"sixteen-bytes-xx\",\"device\":\"\"}");
	done("tunnel.add", "{\"name\":\"a:b\",\"device\":\"short\"}");
	assert_int_equal(code_of("tunnel.update", "{\"name\":\"paris\"}", NULL), 1);
	assert_int_equal(code_of("tunnel.update", "{\"name\":\"paris\",\"mtu\":100}", "mtu"), 1);
	json_t *t = result_of("tunnel.update", "{\"name\":\"paris\",\"mtu\":1400,\"keepalive\":0}");
	assert_int_equal(number_at(t, "mtu"), 1400);
	assert_int_equal(number_at(t, "keepalive"), 0);
	json_decref(t);
}

static void a_tunnel_shows_its_sas(void **state)
{
	(void)state;
	done("sa.add", SA("in", 4096, KEY_A, ""));
	json_t *t = result_of("tunnel.get", "{\"name\":\"paris\"}");
	assert_string_equal(text_at(t, "state"), "half");
	json_decref(t);
	done("sa.add", SA("out", 4097, KEY_B, ""));
	done("sa.add", SA("in", 4098, KEY_C, ""));
	t = result_of("tunnel.get", "{\"name\":\"paris\"}");
	assert_string_equal(text_at(t, "state"), "up");
	assert_int_equal(number_at(t, "spi_in"), 4098);
	assert_int_equal(number_at(t, "spi_out"), 4097);
	assert_int_equal(number_at(t, "sas_in"), 2);
	assert_int_equal(number_at(t, "sas_out"), 1);
	json_decref(t);
	done("tunnel.delete", "{\"name\":\"paris\"}");
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 0);
}

static void a_dummy_needs_an_sa(void **state)
{
	(void)state;
	assert_int_equal(code_of("tunnel.send_dummy", "{\"name\":\"paris\"}", "name"), 2);
	assert_int_equal(code_of("tunnel.send_dummy", "{\"name\":\"oslo\"}", "name"), 2);
}

#define POLICY(name, more) "{\"name\":\"" name "\"," more "}"
#define TEN "\"selector\":{\"remote\":\"10.0.0.0/8\"}"

static void policies_are_asked_in_order(void **state)
{
	(void)state;
	done("policy.add", POLICY("c", "\"action\":\"discard\",\"priority\":20," TEN));
	done("policy.add", POLICY("b", "\"action\":\"bypass\",\"priority\":10," TEN));
	done("policy.add",
	     POLICY("a", "\"action\":\"protect\",\"tunnel\":\"rome\",\"priority\":10," TEN));
	static const char *const order[] = {"b", "a", "c"};
	json_t *list = result_of("policy.list", "{}");
	for (size_t i = 0; i < 3; i++) {
		char path[32];
		snprintf(path, sizeof(path), "items.%zu.name", i);
		assert_string_equal(text_at(list, path), order[i]);
	}
	assert_string_equal(text_at(list, "items.1.tunnel"), "rome");
	assert_string_equal(text_at(list, "items.1.selector.remote"), "10.0.0.0/8");
	assert_string_equal(text_at(list, "items.1.selector.local"), "any");
	json_decref(list);
	char after[64] = "";
	for (size_t i = 0; i < 3; i++) {
		char params[128];
		snprintf(params, sizeof(params), "{%s\"limit\":1}", after);
		list = result_of("policy.list", params);
		assert_string_equal(text_at(list, "items.0.name"), order[i]);
		if (i < 2)
			snprintf(after, sizeof(after), "\"after\":\"%s\",", text_at(list, "next"));
		else
			assert_null(text_at(list, "next"));
		json_decref(list);
	}
	assert_int_equal(count_of("policy.flush", "{\"tunnel\":\"rome\"}", "deleted"), 1);
	assert_int_equal(count_of("policy.flush", "{}", "deleted"), 2);
}

static void what_a_policy_may_be(void **state)
{
	(void)state;
	assert_int_equal(
	    code_of("policy.add", POLICY("a", "\"action\":\"protect\"," TEN), "tunnel"), 1);
	assert_int_equal(code_of("policy.add",
				 POLICY("a", "\"action\":\"bypass\",\"tunnel\":\"paris\"," TEN),
				 "tunnel"),
			 1);
	assert_int_equal(code_of("policy.add",
				 POLICY("a", "\"action\":\"protect\",\"tunnel\":\"oslo\"," TEN),
				 "tunnel"),
			 2);
	assert_int_equal(code_of("policy.add", POLICY("a", "\"action\":\"bypass\",\"selector\":{}"),
				 "selector.family"),
			 1);
	assert_true(flag_of("policy.add", POLICY("a", "\"action\":\"bypass\"," TEN), "created"));
	assert_int_equal(code_of("policy.add", POLICY("a", "\"action\":\"bypass\"," TEN), NULL), 3);
	assert_false(flag_of(
	    "policy.add", POLICY("a", "\"action\":\"bypass\",\"exist_ok\":true," TEN), "created"));
	assert_int_equal(code_of("policy.add",
				 POLICY("a", "\"action\":\"discard\",\"exist_ok\":true," TEN),
				 NULL),
			 3);
	assert_int_equal(code_of("policy.get", "{}", "name"), 1);
	assert_int_equal(code_of("policy.get", "{\"name\":\"a\",\"id\":1}", "name"), 1);
	assert_int_equal(code_of("policy.get", "{\"id\":4000000000}", "id"), 2);
	json_int_t id = count_of("policy.get", "{\"name\":\"a\"}", "id");
	char params[64];
	snprintf(params, sizeof(params), "{\"id\":%lld}", (long long)id);
	assert_true(flag_of("policy.delete", params, "deleted"));
	assert_int_equal(code_of("policy.delete", params, "id"), 2);
	assert_false(flag_of("policy.delete", "{\"name\":\"a\",\"missing_ok\":true}", "deleted"));
}

/* In effect, as the SPD itself says, and not before the line is done. */
static void a_policy_is_in_effect_when_it_is_answered(void **state)
{
	(void)state;
	struct flow flow = {.family = 4, .proto = 17, .remote = {10, 1, 2, 3}};

	done("policy.add", POLICY("a", "\"action\":\"discard\"," TEN));
	assert_false(spd_empty(testbed.g.spd));
	assert_string_equal(spd_explain(testbed.g.spd, &flow)->name, "a");
	done("policy.delete", "{\"name\":\"a\"}");
	assert_true(spd_empty(testbed.g.spd));
	json_decref(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"policy.add\",\"params\":" POLICY(
	    "a", "\"action\":\"discard\"," TEN) "},"
						"{\"jsonrpc\":\"2.0\",\"method\":\"policy.delete\","
						"\"params\":{\"name\":\"a\"}}]"));
	assert_true(spd_empty(testbed.g.spd));
}

static void a_tunnel_with_a_policy_stays(void **state)
{
	(void)state;
	done("policy.add", POLICY("a", "\"action\":\"protect\",\"tunnel\":\"paris\"," TEN));
	assert_int_equal(code_of("tunnel.delete", "{\"name\":\"paris\"}", "name"), 5);
	json_t *answer =
	    ask("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"policy.delete\",\"params\":"
		"[\"a\"]},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tunnel.delete\","
		"\"params\":[\"paris\"]}]");
	assert_true(json_is_true(at(answer, "0.result.deleted")));
	assert_true(json_is_true(at(answer, "1.result.deleted")));
	json_decref(answer);
}

static void limits_are_told(void **state)
{
	(void)state;
	char params[64];

	for (int i = 2; i < 64; i++) {
		snprintf(params, sizeof(params), "{\"name\":\"t%d\",\"device\":\"\"}", i);
		done("tunnel.add", params);
	}
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"t64\",\"device\":\"\"}", NULL), 4);
	assert_int_equal(count_of("gateway.info", "{}", "limits.tunnels"), 64);
	json_t *list = result_of("tunnel.list", "{\"limit\":40}");
	assert_int_equal(json_array_size(at(list, "items")), 40);
	snprintf(params, sizeof(params), "{\"after\":\"%s\"}", text_at(list, "next"));
	json_decref(list);
	list = result_of("tunnel.list", params);
	assert_int_equal(json_array_size(at(list, "items")), 24);
	assert_null(at(list, "next"));
	json_decref(list);
}

static void the_gateway_tells_about_itself(void **state)
{
	(void)state;
	json_t *info = result_of("gateway.info", "{}");

	assert_string_equal(text_at(info, "version"), ESPALIER_VERSION);
	assert_int_equal(number_at(info, "pid"), getpid());
	assert_string_equal(text_at(info, "config"), "/etc/espalier.yaml");
	assert_int_equal(number_at(info, "tunnels"), 2);
	assert_true(json_is_false(at(info, "hugepages")));
	json_decref(info);
	json_t *drops = result_of("drops.get", "{\"workers\":true}");
	assert_int_equal(json_array_size(at(drops, "items")), DROP_REASONS);
	assert_string_equal(text_at(drops, "items.0.reason"), "bad_frame");
	json_decref(drops);
	drops = result_of("drops.get", "{\"zeros\":false}");
	assert_int_equal(json_array_size(at(drops, "items")), 0);
	json_decref(drops);
	json_t *counters = result_of("counters.get", "{}");
	assert_int_equal(number_at(counters, "total.difference"), 0);
	json_decref(counters);
}

static void expect_reason(const char *state, const char *reason)
{
	json_t *t = result_of("tunnel.get", "{\"name\":\"paris\"}");

	assert_string_equal(text_at(t, "state"), state);
	assert_string_equal(text_at(t, "reason"), reason);
	json_decref(t);
}

static void a_tunnel_tells_why(void **state)
{
	(void)state;
	done("sa.add", SA("in", 4096, KEY_A, ""));
	done("sa.add", SA("out", 4097, KEY_B, ""));
	expect_reason("up", "SA added");
	done("sa.delete", "{\"direction\":\"in\",\"spi\":4096,\"reason\":\"peer says so\"}");
	expect_reason("half", "peer says so");
	done("sa.flush", "{}");
	expect_reason("down", "SAs flushed");
	done("sa.add", SA("in", 4098, KEY_C, ""));
	assert_int_equal(
	    count_of("tunnel.reset", "{\"name\":\"paris\",\"reason\":\"wedged\"}", "deleted"), 1);
	expect_reason("down", "reset: wedged");
	assert_int_equal(count_of("tunnel.reset", "{\"name\":\"paris\"}", "deleted"), 0);
	assert_int_equal(code_of("tunnel.reset", "{\"name\":\"oslo\"}", "name"), 2);
	done("sa.add", SA("in", 4098, KEY_C, ""));
	assert_int_equal(count_of("gateway.reset", "{}", "tunnels"), 2);
	expect_reason("down", "reset");
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 0);
	/* It must fit where it is kept. */
	char params[256];
	snprintf(params, sizeof(params), "{\"name\":\"paris\",\"reason\":\"%0121d\"}", 1);
	assert_int_equal(code_of("tunnel.reset", params, "reason"), -32602);
}

/* A tunnel traps because it is to, or because a policy wants it. */
static void traps_are_of_tunnels_and_policies(void **state)
{
	(void)state;
	const struct tunnel *paris = tunnel_find(testbed.g.sadb, "paris");

	assert_int_equal(
	    code_of("policy.add", POLICY("a", "\"action\":\"discard\",\"trap\":true," TEN), "trap"),
	    1);
	done("policy.add",
	     POLICY("a", "\"action\":\"protect\",\"tunnel\":\"paris\",\"trap\":true," TEN));
	assert_true(flag_of("policy.get", "{\"name\":\"a\"}", "trap"));
	assert_false(flag_of("tunnel.get", "{\"name\":\"paris\"}", "trap"));
	assert_int_equal(paris->traps, 1);
	assert_true(flag_of("tunnel.update", "{\"name\":\"paris\",\"trap\":true}", "trap"));
	assert_int_equal(code_of("policy.add",
				 POLICY("a", "\"action\":\"protect\",\"tunnel\":\"paris\","
					     "\"exist_ok\":true," TEN),
				 NULL),
			 3);
	done("policy.delete", "{\"name\":\"a\"}");
	assert_int_equal(paris->traps, 0);
	assert_true(flag_of("tunnel.get", "{\"name\":\"paris\"}", "trap"));
	done("tunnel.add", "{\"name\":\"bern\",\"trap\":true}");
	assert_true(flag_of("tunnel.get", "{\"name\":\"bern\"}", "trap"));
	assert_int_equal(code_of("tunnel.add", "{\"name\":\"bern\",\"exist_ok\":true}", "name"), 3);
}

static void objects_name_their_session(void **state)
{
	(void)state;
	done("sa.add", SA("in", 4096, KEY_A, ""));
	done("session.open", "{\"name\":\"charon\"}");
	done("sa.add", SA("in", 4097, KEY_B, ""));
	done("tunnel.add", "{\"name\":\"bern\"}");
	done("policy.add", POLICY("a", "\"action\":\"discard\"," TEN));
	static const char *const lists[] = {"sa.list", "tunnel.list", "policy.list"};
	for (size_t i = 0; i < 3; i++) {
		json_t *list = result_of(lists[i], "{}"), *item;
		size_t n, owned = 0;
		json_array_foreach (at(list, "items"), n, item) {
			const char *session = text_at(item, "session");
			owned += session != NULL && strcmp(session, "charon") == 0;
		}
		assert_int_equal(owned, 1);
		json_decref(list);
	}
}

static void what_would_a_packet_meet(void **state)
{
	(void)state;
	json_t *e = result_of("explain", "{\"source\":\"10.9.0.1\",\"destination\":\"10.1.2.3\"}");

	assert_string_equal(text_at(e, "fate"), "drop");
	assert_string_equal(text_at(e, "drop"), "no_route");
	assert_string_equal(text_at(e, "route.state"), "none");
	assert_null(at(e, "policy"));
	json_decref(e);
	done("policy.add", POLICY("a", "\"action\":\"protect\",\"tunnel\":\"paris\"," TEN));
	e = result_of("explain", "{\"source\":\"10.9.0.1\",\"destination\":\"10.1.2.3\"}");
	assert_string_equal(text_at(e, "drop"), "tunnel_no_sa");
	assert_string_equal(text_at(e, "policy"), "a");
	assert_string_equal(text_at(e, "tunnel"), "paris");
	json_decref(e);
	assert_int_equal(
	    code_of("explain", "{\"source\":\"10.9.0.1\",\"destination\":\"::1\"}", "destination"),
	    1);
	assert_int_equal(code_of("explain",
				 "{\"source\":\"10.9.0.1\",\"destination\":\"10.1.2.3\","
				 "\"protocol\":\"icmp\",\"destination_port\":80}",
				 "destination_port"),
			 1);
}

static void the_log_level_is_set_and_told(void **state)
{
	(void)state;
	json_t *level = result_of("log.level", "{}");

	assert_string_equal(text_at(level, "level"), "info");
	json_decref(level);
	level = result_of("log.level", "{\"level\":\"error\"}");
	assert_string_equal(text_at(level, "level"), "error");
	json_decref(level);
	assert_int_equal(log_level(), LOG_ERROR);
	done("log.level", "{\"level\":\"info\"}");
	/* No log of tunnels in this gateway. */
	assert_int_equal(code_of("tunnel.log", "{}", NULL), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(tunnels_come_and_go),
	    with_gateway(what_a_tunnel_may_be),
	    with_gateway(a_tunnel_shows_its_sas),
	    with_gateway(a_dummy_needs_an_sa),
	    with_gateway(policies_are_asked_in_order),
	    with_gateway(what_a_policy_may_be),
	    with_gateway(a_policy_is_in_effect_when_it_is_answered),
	    with_gateway(a_tunnel_with_a_policy_stays),
	    with_gateway(a_tunnel_tells_why),
	    with_gateway(traps_are_of_tunnels_and_policies),
	    with_gateway(objects_name_their_session),
	    with_gateway(what_would_a_packet_meet),
	    with_gateway(the_log_level_is_set_and_told),
	    with_gateway(limits_are_told),
	    with_gateway(the_gateway_tells_about_itself),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
