/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testsocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/error_table.h"
#include "control/expect_result.h"
#include "gateway/life_log.h"
#include "report/log.h"
#include "worker/worker.h"

/*
 * Every method of the table, those of other parts included: its example works, over a
 * real connection, and answers what is documented; a second time it says so; and
 * whoever lacks the right is refused. Wrong parameters: params_test.c.
 */
static int connection = -1;
static struct life_log *life_log;
static char log_path[64];

static int start(void **state)
{
	(void)state;
	struct fault fault = {0};

	snprintf(log_path, sizeof(log_path), "%s/tunnels.log", socket_directory);
	const struct life_log_config config = {.path = log_path, .size = 1 << 20, .keep = 1};
	life_log = life_log_open(&config, &fault);
	if (life_log == NULL || socket_start(&(struct control_config){
				    .sas_max = 5000, .tunnels_max = 64, .life_log = life_log}) != 0)
		return -1;
	const struct worker_config worker = {.flows = 64, .inbox_size = 64};
	testbed.g.worker[0] = worker_create(&testbed.g, &worker, &fault);
	testbed.g.workers = 1;
	connection = connected();
	return testbed.g.worker[0] != NULL ? 0 : -1;
}

static int stop(void **state)
{
	close(connection);
	int rc = socket_stop(state);
	worker_destroy(testbed.g.worker[0]);
	life_log_close(life_log);
	unlink(log_path);
	log_set_level(LOG_INFO);
	return rc;
}

/* The answer to one request; events between are passed over. */
static json_t *call(const char *method, const json_t *params)
{
	char *given = json_dumps(params, JSON_COMPACT), *line;

	assert_true(asprintf(&line,
			     "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}\n",
			     method, given) > 0);
	say_text(connection, line);
	for (;;) {
		const char *text = hear(connection);
		json_t *answer = text != NULL ? json_loads(text, 0, NULL) : NULL;
		if (answer == NULL)
			fail_msg("%s ends the connection", line);
		if (json_object_get(answer, "id") != NULL) {
			free(line);
			free(given);
			return answer;
		}
		assert_string_equal(text_at(answer, "method"), "event");
		json_decref(answer);
	}
}

static void prepare(const char *method, const char *params)
{
	json_t *given = json_loads(params, 0, NULL), *answer = call(method, given);

	if (at(answer, "result") == NULL)
		fail_msg("%s %s: %s", method, params, json_dumps(answer, 0));
	json_decref(answer);
	json_decref(given);
}

#define SECOND_SA "{\"direction\":\"out\",\"spi\":4097,\"tunnel\":\"paris\",\"key\":\"" KEY_B "\"}"

/* What is there before an example; besides the tunnels "paris" and "rome". */
enum world {
	WITH_SAS = 1,     /* the one of sa.add's example and an outbound one */
	WITH_POLICY = 2,  /* the one of policy.add's example */
	WITH_SESSION = 4, /* this connection's */
	WITHOUT_PARIS = 8,
	WITH_ALL = WITH_SAS | WITH_POLICY,
};

static enum world world_of(enum method_id id)
{
	switch (id) {
	case METHOD_sa_add:
	case METHOD_policy_add:
		return 0;
	case METHOD_tunnel_add:
		return WITHOUT_PARIS;
	case METHOD_tunnel_delete:
		return WITH_SAS;
	case METHOD_session_get:
	case METHOD_session_sweep:
	case METHOD_session_close:
		return WITH_ALL | WITH_SESSION;
	default:
		return WITH_ALL;
	}
}

/* The parameters of the example; where they name an SPI that must be reserved, one that is. */
static json_t *make_world(enum method_id id)
{
	enum world world = world_of(id);
	json_t *params = json_loads(method_table[id].example, 0, NULL);

	assert_non_null(params);
	if ((world & WITH_SESSION) != 0)
		prepare("session.open", method_table[METHOD_session_open].example);
	if ((world & WITH_SAS) != 0) {
		prepare("sa.add", method_table[METHOD_sa_add].example);
		prepare("sa.add", SECOND_SA);
	}
	if ((world & WITH_POLICY) != 0)
		prepare("policy.add", method_table[METHOD_policy_add].example);
	if ((world & WITHOUT_PARIS) != 0)
		prepare("tunnel.delete", "{\"name\":\"paris\"}");
	if (id == METHOD_spi_release) {
		json_t *none = json_object(), *answer = call("spi.alloc", none);
		json_object_set(params, "spi", at(answer, "result.spi"));
		json_decref(answer);
		json_decref(none);
	}
	return params;
}

/* What the gateway holds, without what grows by itself. */
static char *state_of_gateway(void)
{
	static const char *const lists[] = {"tunnel.list", "sa.list", "policy.list",
					    "session.list"};
	json_t *all = json_array(), *none = json_object(), *item;
	size_t n;

	for (size_t i = 0; i < 4; i++) {
		json_t *answer = call(lists[i], none);
		json_array_foreach (at(answer, "result.items"), n, item) {
			json_object_del(item, "since");
			json_object_del(item, "age");
		}
		json_array_append_new(all, answer);
	}
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	json_decref(none);
	return text;
}

static void expect_same_state(const struct method *m, char *before, const char *when)
{
	char *after = state_of_gateway();

	if (strcmp(before, after) != 0)
		fail_msg("%s %s has changed\n%s\nto\n%s", m->name, when, before, after);
	free(before);
	free(after);
}

static void expect_success(const struct method *m, const json_t *params, const char *when)
{
	json_t *answer = call(m->name, params);
	const json_t *result = at(answer, "result");

	if (result == NULL)
		fail_msg("%s, %s: %s", m->name, when, json_dumps(answer, 0));
	if (m != &method_table[METHOD_rpc_discover])
		expect_result(m->name, m->result, "", result);
	json_decref(answer);
}

static bool is_documented(int code)
{
	switch (code) {
#define X(id, code, meaning) case code:
		ERRORS(X)
#undef X
		return true;
	default:
		return false;
	}
}

static void expect_error(const struct method *m, const json_t *params, int code, const char *when)
{
	json_t *answer = call(m->name, params);

	if (number_at(answer, "error.code") != code)
		fail_msg("%s, %s: not %d but %s", m->name, when, code, json_dumps(answer, 0));
	assert_true(is_documented(code));
	assert_true(strlen(text_at(answer, "error.message")) > 10);
	assert_non_null(text_at(answer, "error.data.reason"));
	json_decref(answer);
}

/* EEXIST, ENOENT or success: what the parameters of a method say about a second time. */
static void second_time(const struct method *m, json_t *params)
{
	bool exist = member_find(m->params, "exist_ok") != NULL;
	bool missing = member_find(m->params, "missing_ok") != NULL;
	char *before = state_of_gateway();

	if (exist || missing) {
		expect_error(m, params, exist ? RPC_EXISTS : RPC_NOT_FOUND, "a second time");
		expect_same_state(m, before, "that was refused");
		before = state_of_gateway();
		json_object_set_new(params, exist ? "exist_ok" : "missing_ok", json_true());
		expect_success(m, params, "a second time, allowed to be");
		expect_same_state(m, before, "that had nothing to do");
		return;
	}
	if (m == &method_table[METHOD_session_close])
		expect_error(m, params, RPC_NOT_FOUND, "a second time");
	else
		expect_success(m, params, "a second time");
	/* What an SPI reserves is not in the lists; all else is as the first time left it. */
	expect_same_state(m, before, "a second time");
}

static void every_example_works_once_and_twice(void **state)
{
	for (enum method_id id = 0; id < METHOD_COUNT; id++) {
		const struct method *m = &method_table[id];
		if (id > 0)
			assert_int_equal(start(state), 0);
		json_t *params = make_world(id);
		char *before = state_of_gateway();
		expect_success(m, params, "its example");
		if (m->class == CONTROL_READ)
			expect_same_state(m, before, "that only reads");
		else
			free(before);
		second_time(m, params);
		json_decref(params);
		if (id + 1 < METHOD_COUNT)
			assert_int_equal(stop(state), 0);
	}
}

/* In the process, where a caller's rights can be chosen. */
static void every_class_needs_its_right(void **state)
{
	(void)state;
	for (enum method_id id = 0; id < METHOD_COUNT; id++) {
		const struct method *m = &method_table[id];
		for (unsigned int rights = 0; rights <= CONTROL_ALL; rights++) {
			bool allowed = (rights & m->class) != 0;
			/* What is allowed to be called is stopped by its parameters. */
			char *line;
			int n = asprintf(
			    &line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
			    m->name, allowed ? "{\"colour\":1}" : m->example);
			char *text = ask_text(rights, line, (size_t)n);
			json_t *answer = json_loads(text, 0, NULL);
			assert_int_equal(number_at(answer, "error.code"),
					 allowed ? RPC_INVALID_PARAMS : RPC_DENIED);
			assert_string_equal(text_at(answer, "error.data.reason"),
					    allowed ? "EINVAL" : "EPERM");
			json_decref(answer);
			free(text);
			free(line);
		}
	}
	assert_int_equal(sa_count(testbed.g.sadb, SA_INBOUND), 0);
	assert_int_equal(policy_count(testbed.g.spd), 0);
	assert_int_equal(tunnel_count(testbed.g.sadb), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_example_works_once_and_twice, start, stop),
	    with_gateway(every_class_needs_its_right),
	};

	return socket_main(tests, sizeof(tests) / sizeof(tests[0]));
}
