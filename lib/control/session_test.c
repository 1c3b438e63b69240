/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/state.h"
#include "gateway/provision.h"

/* Who installed what: marks, sweeps, grace periods by a clock of the test's own. */

#define OPEN(name) "{\"name\":\"" name "\"}"
#define POLICY(name, tunnel, net, more)                                                         \
	"{\"name\":\"" name "\",\"action\":\"protect\",\"tunnel\":\"" tunnel "\",\"selector\":" \
	"{\"local\":\"10.1.0.0/16\",\"remote\":\"" net "\"}" more "}"
#define TUNNEL(name, remote, more) \
	"{\"name\":\"" name "\",\"local\":\"198.51.100.1\",\"remote\":\"" remote "\"" more "}"
#define EXIST_OK ",\"exist_ok\":true"

/* The connection of ask() ends, at a time of the test's own. */
static void vanish(uint64_t now)
{
	struct caller *caller = &testbed.control->local;
	struct sessions *s = testbed.control->sessions;

	if (caller->session != NULL)
		session_leave(s, caller->session, now);
	caller->session = NULL;
	spis_abandon(s, &caller->spis);
	while (sessions_clean(s))
		;
}

static void expect_counts(json_t *result, const char *where, int policies, int sas, int tunnels,
			  int spis)
{
	const json_t *n = at(result, where);

	assert_non_null(n);
	assert_int_equal(number_at(n, "policies"), policies);
	assert_int_equal(number_at(n, "sas"), sas);
	assert_int_equal(number_at(n, "tunnels"), tunnels);
	assert_int_equal(number_at(n, "spis"), spis);
	json_decref(result);
}

static bool is_there(const char *method, const char *params)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
	json_t *answer = ask(line);
	bool there = at(answer, "result") != NULL;
	json_decref(answer);
	return there;
}

#define has_tunnel(name) is_there("tunnel.get", "{\"name\":\"" name "\"}")
#define has_policy(name) is_there("policy.get", "{\"name\":\"" name "\"}")
#define has_sa(spi) is_there("sa.get", "{\"direction\":\"in\",\"spi\":" #spi "}")

/* Two tunnels, of "lyon" one and of "nice" the other; an SA each and a policy each. */
static void install(void)
{
	done("tunnel.add", TUNNEL("lyon", "192.0.2.11", ""));
	done("tunnel.add", TUNNEL("nice", "192.0.2.12", ""));
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":4001,\"tunnel\":\"lyon\",\"key\":\"" KEY_A "\"}");
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":4002,\"tunnel\":\"nice\",\"key\":\"" KEY_B "\"}");
	done("policy.add", POLICY("to-lyon", "lyon", "10.11.0.0/16", ""));
	done("policy.add", POLICY("to-nice", "nice", "10.12.0.0/16", ""));
}

static void what_a_client_installs_is_its_own(void **state)
{
	(void)state;
	json_t *opened = result_of("session.open", OPEN("charon"));

	assert_true(json_is_false(at(opened, "resumed")));
	expect_counts(opened, "marked", 0, 0, 0, 0);
	install();
	done("spi.alloc", "{}");
	expect_counts(result_of("session.get", "{}"), "installed", 2, 2, 2, 1);
	/* Those of the testbed's configuration are not. */
	assert_int_equal(count_of("gateway.info", "{}", "tunnels"), 4);
	/* Asked twice, nothing is marked; another name is refused. */
	expect_counts(result_of("session.open", OPEN("charon")), "marked", 0, 0, 0, 0);
	assert_int_equal(code_of("session.open", OPEN("other"), "name"), 5);
	/* While it is here nothing of it is swept. */
	expect_counts(result_of("session.sweep", "{}"), "deleted", 0, 0, 0, 0);
	assert_int_equal(code_of("session.sweep", OPEN("nobody"), "name"), 2);
}

static void a_nameless_client_takes_and_leaves_nothing(void **state)
{
	(void)state;

	install();
	assert_int_equal(code_of("session.get", "{}", "name"), 2);
	assert_int_equal(code_of("session.sweep", "{}", "name"), 2);
	assert_int_equal(code_of("session.close", "{}", NULL), 2);
	/* What was nobody's stays nobody's, however often a session confirms it. */
	done("session.open", OPEN("charon"));
	done("tunnel.add", TUNNEL("lyon", "192.0.2.11", EXIST_OK));
	done("sa.add", "{\"direction\":\"in\",\"spi\":4001,\"tunnel\":\"lyon\",\"key\":\"" KEY_A
		       "\"" EXIST_OK "}");
	done("policy.add", POLICY("to-lyon", "lyon", "10.11.0.0/16", EXIST_OK));
	expect_counts(result_of("session.get", "{}"), "installed", 0, 0, 0, 0);
	/* And a nameless caller does not take what a session has. */
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":4003,\"tunnel\":\"lyon\",\"key\":\"" KEY_C "\"}");
	vanish(1000);
	done("sa.add", "{\"direction\":\"in\",\"spi\":4003,\"tunnel\":\"lyon\",\"key\":\"" KEY_C
		       "\"" EXIST_OK "}");
	expect_counts(result_of("session.get", OPEN("charon")), "installed", 0, 1, 0, 0);
	expect_counts(result_of("session.sweep", OPEN("charon")), "deleted", 0, 1, 0, 0);
	assert_false(has_sa(4003));
	assert_true(has_sa(4001));
}

/* What workers do now with a packet to 10.`net`.0.1. */
static int action_to(uint8_t net)
{
	struct flow f = {
	    .family = 4, .proto = 17, .local = {10, 1, 0, 1}, .remote = {10, net, 0, 1}};
	const struct policy *policy;

	return spd_verdict(testbed.g.spd, &f, &policy).action;
}

static void what_is_not_confirmed_is_swept(void **state)
{
	(void)state;

	done("session.open", OPEN("charon"));
	install();
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":4003,\"tunnel\":\"nice\",\"key\":\"" KEY_C "\"}");
	vanish(1000);
	/* It goes on working without its client. */
	assert_true(has_sa(4001) && has_sa(4002) && has_policy("to-nice"));
	assert_int_equal(action_to(12), POLICY_PROTECT);
	json_t *opened = result_of("session.open", OPEN("charon"));
	assert_true(json_is_true(at(opened, "resumed")));
	expect_counts(opened, "marked", 2, 3, 2, 0);
	done("tunnel.add", TUNNEL("lyon", "192.0.2.11", EXIST_OK));
	done("policy.add", POLICY("to-lyon", "lyon", "10.11.0.0/16", EXIST_OK));
	done("sa.add", "{\"direction\":\"in\",\"spi\":4001,\"tunnel\":\"lyon\",\"key\":\"" KEY_A
		       "\"" EXIST_OK "}");
	/* An update is a confirmation too; its tunnel stays with it though it is marked. */
	done("sa.update", "{\"direction\":\"in\",\"spi\":4002,\"new_remote\":\"192.0.2.99\"}");
	expect_counts(result_of("session.sweep", "{}"), "deleted", 1, 1, 0, 0);
	assert_true(has_sa(4001) && has_sa(4002) && !has_sa(4003));
	assert_true(has_policy("to-lyon") && !has_policy("to-nice"));
	assert_int_equal(action_to(11), POLICY_PROTECT);
	assert_int_equal(action_to(12), 0);
	assert_true(has_tunnel("lyon") && has_tunnel("nice"));
	/* Without the SA nothing holds the tunnel any more. */
	done("sa.delete", "{\"direction\":\"in\",\"spi\":4002}");
	expect_counts(result_of("session.sweep", "{}"), "deleted", 0, 0, 1, 0);
	assert_false(has_tunnel("nice"));
	expect_counts(result_of("session.sweep", "{}"), "deleted", 0, 0, 0, 0);
	assert_true(has_tunnel("paris") && has_tunnel("rome"));
}

static void what_others_need_stays(void **state)
{
	(void)state;

	done("session.open", OPEN("charon"));
	install();
	vanish(1000);
	/* Another session and a nameless client have a share in its tunnels. */
	done("session.open", OPEN("monitor"));
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":5001,\"tunnel\":\"lyon\",\"key\":\"" KEY_C "\"}");
	vanish(1001);
	done("policy.add", POLICY("own", "nice", "10.13.0.0/16", ""));
	expect_counts(result_of("session.sweep", OPEN("charon")), "deleted", 2, 2, 0, 0);
	assert_true(has_sa(5001) && has_policy("own"));
	assert_true(has_tunnel("lyon") && has_tunnel("nice"));
	assert_false(has_sa(4001) || has_policy("to-lyon"));
	/* What is left of a session that is swept away is nobody's: the next may take it. */
	assert_int_equal(code_of("session.get", OPEN("charon"), "name"), 2);
	done("session.open", OPEN("charon"));
	done("tunnel.add", TUNNEL("lyon", "192.0.2.11", EXIST_OK));
	expect_counts(result_of("session.get", "{}"), "installed", 0, 0, 1, 0);
}

static void whoever_confirms_last_owns_it(void **state)
{
	(void)state;

	done("session.open", OPEN("charon"));
	install();
	vanish(1000);
	done("session.open", OPEN("swan"));
	done("sa.add", "{\"direction\":\"in\",\"spi\":4001,\"tunnel\":\"lyon\",\"key\":\"" KEY_A
		       "\"" EXIST_OK "}");
	done("session.sweep", OPEN("charon"));
	assert_true(has_sa(4001) && has_tunnel("lyon") && !has_tunnel("nice"));
	expect_counts(result_of("session.get", "{}"), "installed", 0, 1, 0, 0);
}

static void grace_passes(void **state)
{
	(void)state;
	struct sessions *s = testbed.control->sessions;

	done("session.open", "{\"name\":\"charon\",\"grace\":60}");
	install();
	done("spi.alloc", "{}");
	/* While it is connected no time passes. */
	assert_false(sessions_tick(s, UINT64_MAX / 2));
	vanish(1000);
	assert_false(sessions_tick(s, 1059));
	assert_true(has_tunnel("lyon"));
	/* It is back in time, and gone again: a new period. */
	bool resumed;
	struct session *one = session_join(s, "charon", geteuid(), 60, 1059, &resumed, NULL);
	assert_true(resumed);
	assert_false(sessions_tick(s, 1100));
	session_leave(s, one, 1100);
	assert_false(sessions_tick(s, 1159));
	assert_true(sessions_tick(s, 1160));
	/* Even now, at the last moment. */
	one = session_join(s, "charon", geteuid(), 60, 1160, &resumed, NULL);
	assert_true(resumed);
	assert_false(sessions_clean(s));
	assert_true(has_tunnel("lyon") && has_sa(4001));
	session_leave(s, one, 1200);
	assert_true(sessions_tick(s, 1260));
	while (sessions_clean(s))
		;
	assert_false(has_tunnel("lyon") || has_tunnel("nice") || has_sa(4001) || has_sa(4002));
	assert_false(has_policy("to-lyon") || has_policy("to-nice"));
	assert_int_equal(code_of("session.get", OPEN("charon"), "name"), 2);
	assert_true(has_tunnel("paris"));
	/* Without a grace period it may stay away for ever. */
	done("session.open", OPEN("patient"));
	done("tunnel.add", TUNNEL("bern", "192.0.2.13", ""));
	vanish(2000);
	assert_false(sessions_tick(s, UINT64_MAX / 2));
	assert_true(has_tunnel("bern"));
}

static void only_its_user_or_root_resumes_it(void **state)
{
	(void)state;
	struct sessions *s = testbed.control->sessions;
	struct fault fault = {0};
	bool resumed;
	struct session *one = session_join(s, "charon", 1000, 0, 1, &resumed, &fault);

	assert_non_null(one);
	one->claimed = true;
	session_leave(s, one, 2);
	assert_null(session_join(s, "charon", 1001, 0, 3, &resumed, &fault));
	assert_int_equal(fault.err, EACCES);
	assert_string_equal(fault.where, "name");
	assert_int_equal(one->connections, 0);
	assert_int_equal(one->epoch, 1);
	assert_ptr_equal(session_join(s, "charon", 0, 0, 4, &resumed, &fault), one);
	assert_true(resumed);
	assert_int_equal(one->uid, 1000);
	session_leave(s, one, 5);
	/* The one of before it is as well. */
	assert_ptr_equal(session_join(s, "charon", 1000, 0, 6, &resumed, &fault), one);
	assert_int_equal(one->epoch, 3);
	session_leave(s, one, 7);
	/* Nor may others sweep it. */
	testbed.control->local.peer.uid = 1001;
	assert_int_equal(code_of("session.sweep", OPEN("charon"), "name"), 6);
	assert_int_equal(code_of("session.open", OPEN("charon"), "name"), 6);
	testbed.control->local.peer.uid = geteuid();
}

static void several_connections_are_one_client(void **state)
{
	(void)state;
	struct sessions *s = testbed.control->sessions;
	bool resumed;

	done("session.open", OPEN("charon"));
	done("tunnel.add", TUNNEL("lyon", "192.0.2.11", ""));
	struct session *one = session_join(s, "charon", geteuid(), 0, 1, &resumed, NULL);
	assert_false(resumed);
	assert_int_equal(one->connections, 2);
	assert_int_equal(code_of("session.close", "{}", NULL), 5);
	session_leave(s, one, 2);
	assert_int_equal(one->epoch, 1);
	expect_counts(result_of("session.sweep", "{}"), "deleted", 0, 0, 0, 0);
	expect_counts(result_of("session.close", "{\"delete\":true}"), "deleted", 0, 0, 1, 0);
	assert_false(has_tunnel("lyon"));
}

static void spis_are_given_back(void **state)
{
	(void)state;
	char release[64];

	/* A nameless client's, when it goes. */
	json_int_t spi = count_of("spi.alloc", "{}", "spi");
	snprintf(release, sizeof(release), "{\"spi\":%u}", (unsigned int)spi);
	vanish(1);
	assert_int_equal(code_of("spi.release", release, "spi"), 2);
	/* A session's when it is swept; used ones belong to their SA. */
	spi = count_of("spi.alloc", "{}", "spi");
	done("session.open", OPEN("charon"));
	json_int_t used = count_of("spi.alloc", "{}", "spi");
	char *add;
	assert_true(
	    asprintf(&add, "{\"direction\":\"in\",\"spi\":%u,\"tunnel\":\"paris\",\"key\":\"%s\"}",
		     (unsigned int)used, KEY_A) > 0);
	done("sa.add", add);
	expect_counts(result_of("session.get", "{}"), "installed", 0, 1, 0, 1);
	vanish(2);
	snprintf(release, sizeof(release), "{\"spi\":%u}", (unsigned int)spi);
	done("spi.release", release);
	expect_counts(result_of("session.get", OPEN("charon")), "installed", 0, 1, 0, 0);
	done("session.open", OPEN("charon"));
	done("spi.alloc", "{}");
	vanish(3);
	json_t *opened = result_of("session.open", OPEN("charon"));
	expect_counts(opened, "marked", 0, 1, 0, 1);
	done("spi.alloc", "{}");
	done("sa.add",
	     "{\"direction\":\"in\",\"spi\":4001,\"tunnel\":\"paris\",\"key\":\"" KEY_B "\"}");
	expect_counts(result_of("session.sweep", "{}"), "deleted", 0, 1, 0, 1);
	expect_counts(result_of("session.close", "{\"delete\":true}"), "deleted", 0, 1, 0, 1);
	free(add);
}

static void names_and_places_are_limited(void **state)
{
	(void)state;
	struct sessions *s = testbed.control->sessions;
	struct fault fault = {0};
	char name[32];
	bool resumed;

	/* One that has installed nothing leaves nothing behind, not even its name. */
	done("session.open", OPEN("guest"));
	vanish(1);
	assert_null(session_find(s, "guest"));
	for (int i = 0; i < SESSIONS_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_non_null(session_join(s, name, 0, 0, 1, &resumed, &fault));
	}
	assert_null(session_join(s, "one-too-many", 0, 0, 1, &resumed, &fault));
	assert_int_equal(fault.err, ENOSPC);
	assert_int_equal(code_of("session.open", OPEN("one-too-many"), "name"), 4);
	json_t *list = result_of("session.list", "{}");
	assert_int_equal(json_array_size(at(list, "items")), SESSIONS_MAX);
	json_decref(list);
}

static double thread_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* No slice keeps the control thread for long, however much a session has installed. */
static void a_large_sweep_comes_in_slices(void **state)
{
	(void)state;
	enum { tunnels = 50, sas = 50000 };
	struct gateway *g = &testbed.g;
	struct sessions *s = testbed.control->sessions;
	struct sa_spec spec = {.algorithm = AEAD_AES_256_GCM_16, .esn = true, .seq_first = 1};
	uint32_t index[tunnels];
	struct fault fault = {0};
	bool resumed;

	struct session *one = session_join(s, "charon", 0, 0, 1, &resumed, &fault);
	one->claimed = true;
	ip_addr_parse("198.51.100.1", &spec.local);
	ip_addr_parse("192.0.2.50", &spec.remote);
	for (uint32_t i = 0; i < tunnels; i++) {
		struct tunnel_spec tunnel = {.local = spec.local, .remote = spec.remote};
		struct tunnel *t;
		snprintf(tunnel.name, sizeof(tunnel.name), "t%u", i);
		assert_int_equal(gateway_tunnel_add(g, &tunnel, &t, &fault), 0);
		t->session = one->number;
		t->mark = one->epoch;
		index[i] = t->index;
	}
	for (uint32_t i = 0; i < 2 * sas; i++) {
		struct sa *sa;
		spec.direction = i % 2 == 0 ? SA_INBOUND : SA_OUTBOUND;
		spec.spi = 4096 + i;
		spec.tunnel = index[i % tunnels];
		memcpy(spec.key, &i, sizeof(i));
		if (gateway_sa_add(g, &spec, &sa, &fault) != 0)
			fail_msg("%s: %s", fault.where, fault.what);
		sa->session = one->number;
		sa->mark = one->epoch;
	}
	session_leave(s, one, 2);
	session_join(s, "charon", 0, 0, 3, &resumed, &fault);
	struct session_walk count = {0}, sweep = {0};
	double worst = 0, all = 0;
	unsigned int slices = 0;
	for (bool more = true; more; slices++) {
		double begin = thread_ms();
		more = session_count(s, one, true, &count);
		worst = thread_ms() - begin > worst ? thread_ms() - begin : worst;
	}
	assert_int_equal(count.count.sas, 2 * sas);
	assert_int_equal(count.count.tunnels, tunnels);
	for (bool more = true; more; slices++) {
		double begin = thread_ms();
		more = session_sweep(s, one, true, "test", &sweep);
		double ms = thread_ms() - begin;
		worst = ms > worst ? ms : worst;
		all += ms;
	}
	print_message("%u SAs swept in %.0f ms, %u slices, the longest %.2f ms\n", 2 * sas, all,
		      slices, worst);
	assert_int_equal(sweep.count.sas, 2 * sas);
	assert_int_equal(sweep.count.tunnels, tunnels);
	assert_int_equal(sa_count(g->sadb, SA_INBOUND) + sa_count(g->sadb, SA_OUTBOUND), 0);
	assert_true(worst < 5);
}

static int setup_large(void **state)
{
	return testbed_setup_sized(state, 60000, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(what_a_client_installs_is_its_own),
	    with_gateway(a_nameless_client_takes_and_leaves_nothing),
	    with_gateway(what_is_not_confirmed_is_swept),
	    with_gateway(what_others_need_stays),
	    with_gateway(whoever_confirms_last_owns_it),
	    with_gateway(grace_passes),
	    with_gateway(only_its_user_or_root_resumes_it),
	    with_gateway(several_connections_are_one_client),
	    with_gateway(spis_are_given_back),
	    with_gateway(names_and_places_are_limited),
	    cmocka_unit_test_setup_teardown(a_large_sweep_comes_in_slices, setup_large,
					    testbed_teardown),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
