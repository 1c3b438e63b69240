/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What JSON-RPC 2.0 demands, and what a line may do at worst. */

static void expect_error(const char *line, int code)
{
	json_t *answer = ask(line);

	if (answer == NULL)
		fail_msg("no answer to %s", line);
	if (number_at(answer, "error.code") != code)
		fail_msg("%s: code %d, not %d", line, (int)number_at(answer, "error.code"), code);
	assert_true(json_is_null(at(answer, "id")));
	assert_null(at(answer, "result"));
	json_decref(answer);
}

static void what_is_no_request_gets_its_code(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int code;
	} cases[] = {
	    /* Of the specification, section 7. */
	    {"{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]", -32700},
	    {"{\"jsonrpc\": \"2.0\", \"method\": 1, \"params\": \"bar\"}", -32600},
	    {"[]", -32600},
	    /* Ours. */
	    {"", -32700},
	    {"x", -32700},
	    {"1", -32600},
	    {"null", -32600},
	    {"\"text\"", -32600},
	    {"{}", -32600},
	    {"{} {}", -32700},
	    {"{\"jsonrpc\":\"1.0\",\"method\":\"gateway.info\"}", -32600},
	    {"{\"method\":\"gateway.info\"}", -32600},
	    {"{\"jsonrpc\":2.0,\"method\":\"gateway.info\"}", -32600},
	    {"{\"jsonrpc\":\"2.0\"}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"id\":{}}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"id\":[1]}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"id\":true}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"params\":1}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"params\":null}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"parms\":{}}", -32600},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"method\":\"x\"}", -32700},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"a\\u0000b\"}", -32700},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"\\ud800\"}", -32700},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\"}", -32700},
	    {"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\",\"id\":99999999999999999999}",
	     -32700},
	    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", -32000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(cases[i].line, cases[i].code);
}

static void brackets_in_strings_are_no_nesting(void **state)
{
	(void)state;
	json_t *answer = ask("{\"jsonrpc\":\"2.0\",\"id\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\","
			     "\"method\":\"gateway.info\"}");

	assert_string_equal(text_at(answer, "id"), "[[[[[[[[[[[[[[[[[[[[[[\"[[[[[[[[");
	assert_non_null(at(answer, "result.version"));
	json_decref(answer);
}

/* A request with an id of `len` bytes. */
static void with_long_id(char *out, int len)
{
	sprintf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"spi.alloc\",\"id\":\"%0*d\"}", len, 0);
}

/* Lines that would keep the parser busy for long are refused before it sees them. */
static void costly_lines_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *begin, *repeat, *end;
		int code;
	} cases[] = {
	    {"", "x", "", -32700},         {"", "1", "", -32700},
	    {"[", "[],", "1]", -32000},    {"[", "1,", "1]", -32000},
	    {"[", "{},", "1]", -32000},    {"{\"a\":[", "1,", "1]}", -32000},
	    {"\"", "a", "\"", -32000},     {"\"", "\\u0041", "\"", -32000},
	    {"[", "\"a\",", "1]", -32000}, {"", "[", "", -32000},
	    {"\"", "\\\"", "", -32000},
	};
	char *line = malloc(CONTROL_LINE_MAX + 1);

	assert_non_null(line);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *p = stpcpy(line, cases[i].begin);
		size_t n = strlen(cases[i].repeat);
		while (p + n + 8 < line + CONTROL_LINE_MAX)
			p = stpcpy(p, cases[i].repeat);
		strcpy(p, cases[i].end);
		clock_t before = clock();
		expect_error(line, cases[i].code);
		long ms = (long)((clock() - before) * 1000 / CLOCKS_PER_SEC);
		if (ms > 100)
			fail_msg("%s%s…: %ld ms", cases[i].begin, cases[i].repeat, ms);
	}
	free(line);
	/* At the limits there is an answer. */
	char *id = calloc(1, CONTROL_STRING_MAX + 128);
	assert_non_null(id);
	with_long_id(id, CONTROL_STRING_MAX);
	json_t *answer = ask(id);
	assert_non_null(at(answer, "result.spi"));
	json_decref(answer);
	with_long_id(id, CONTROL_STRING_MAX + 1);
	expect_error(id, -32000);
	free(id);
}

static void an_unknown_method_is_answered_to_its_id(void **state)
{
	(void)state;
	json_t *answer = ask("{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"sa.explode\"}");

	assert_int_equal(number_at(answer, "error.code"), -32601);
	assert_string_equal(text_at(answer, "id"), "1");
	json_decref(answer);
}

static void ids_come_back_as_they_were(void **state)
{
	(void)state;
	static const char *const ids[] = {"0",    "-1", "9007199254740993", "\"\"", "\"ü\"",
					  "null", "1.5"};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char line[128], wanted[64];
		snprintf(line, sizeof(line),
			 "{\"jsonrpc\":\"2.0\",\"method\":\"spi.alloc\",\"id\":%s}", ids[i]);
		snprintf(wanted, sizeof(wanted), "\"id\":%s}", ids[i]);
		char *text = ask_text(CONTROL_ALL, line, strlen(line));
		assert_string_equal(text + strlen(text) - strlen(wanted), wanted);
		free(text);
	}
}

static void notifications_act_without_answer(void **state)
{
	(void)state;
	assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"tunnel.add\",\"params\":"
			"{\"name\":\"silent\"}}"));
	json_decref(result_of("tunnel.get", "{\"name\":\"silent\"}"));
	/* Also where they fail. */
	assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"tunnel.add\",\"params\":"
			"{\"name\":\"silent\"}}"));
	assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"}"));
	assert_null(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"no.such\"},"
			"{\"jsonrpc\":\"2.0\",\"method\":\"gateway.info\"}]"));
}

static void a_batch_is_answered_in_order(void **state)
{
	(void)state;
	json_t *answer =
	    ask("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tunnel.get\",\"params\":[\"b1\"]},"
		"{\"jsonrpc\":\"2.0\",\"method\":\"tunnel.add\",\"params\":{\"name\":\"b1\"}},"
		"1,"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tunnel.get\",\"params\":[\"b1\"]},"
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tunnel.delete\",\"params\":[\"b1\"]},"
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tunnel.get\",\"params\":[\"b1\"]}]");

	assert_int_equal(json_array_size(answer), 5);
	assert_int_equal(number_at(answer, "0.error.code"), 2);
	assert_int_equal(number_at(answer, "1.error.code"), -32600);
	assert_string_equal(text_at(answer, "2.result.name"), "b1");
	assert_true(json_is_true(at(answer, "3.result.deleted")));
	assert_int_equal(number_at(answer, "4.error.code"), 2);
	json_decref(answer);
}

static void a_batch_has_a_limit(void **state)
{
	(void)state;
	json_t *batch = json_array();

	for (int i = 0; i < CONTROL_BATCH_MAX; i++)
		json_array_append_new(batch, json_pack("{s:s, s:i, s:s}", "jsonrpc", "2.0", "id", i,
						       "method", "counters.get"));
	char *text = json_dumps(batch, 0);
	json_t *answer = ask(text);
	assert_int_equal(json_array_size(answer), CONTROL_BATCH_MAX);
	assert_int_equal(number_at(answer, "1023.id"), 1023);
	assert_non_null(at(answer, "1023.result"));
	json_decref(answer);
	free(text);
	json_array_append_new(batch, json_integer(1));
	text = json_dumps(batch, 0);
	expect_error(text, -32000);
	free(text);
	json_decref(batch);
}

/* rpc.discover is some 40 kB: 1,024 of them would be far more than the limit of 8 MiB. */
static void the_answers_to_a_batch_have_a_limit(void **state)
{
	(void)state;
	json_t *batch = json_array();
	size_t done = 0, refused = 0;

	for (int i = 0; i < CONTROL_BATCH_MAX; i++)
		json_array_append_new(batch, json_pack("{s:s, s:i, s:s}", "jsonrpc", "2.0", "id", i,
						       "method", "rpc.discover"));
	char *text = json_dumps(batch, 0);
	json_t *answer = ask(text);
	free(text);
	assert_int_equal(json_array_size(answer), CONTROL_BATCH_MAX);
	for (size_t i = 0; i < CONTROL_BATCH_MAX; i++) {
		const json_t *one = json_array_get(answer, i);
		done += at(one, "result") != NULL;
		refused += number_at(one, "error.code") == -32000;
	}
	assert_int_equal(done + refused, CONTROL_BATCH_MAX);
	assert_in_range(done, 50, 500);
	json_decref(answer);
	json_decref(batch);
}

static void rights_are_by_class(void **state)
{
	(void)state;
	static const struct {
		const char *method;
		unsigned int class;
	} cases[] = {{"gateway.info", CONTROL_READ},
		     {"sa.list", CONTROL_READ},
		     {"spi.alloc", CONTROL_CHANGE},
		     {"sa.flush", CONTROL_CHANGE},
		     {"sa.add", CONTROL_KEYS}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int rights = 0; rights <= CONTROL_ALL; rights++) {
			char line[128];
			int n = snprintf(line, sizeof(line),
					 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
					 cases[i].method);
			char *text = ask_text(rights, line, (size_t)n);
			json_t *answer = json_loads(text, 0, NULL);
			bool denied = number_at(answer, "error.code") == 6;
			assert_int_equal(denied, (rights & cases[i].class) == 0);
			if (denied)
				assert_string_equal(text_at(answer, "error.data.reason"), "EPERM");
			json_decref(answer);
			free(text);
		}
	}
}

static void parameters_by_position(void **state)
{
	(void)state;
	json_t *got = result_of("tunnel.get", "[\"paris\"]");

	assert_string_equal(text_at(got, "name"), "paris");
	json_decref(got);
	assert_int_equal(code_of("tunnel.get", "[\"paris\", 1]", "params"), -32602);
	assert_int_equal(code_of("tunnel.get", "[]", "name"), -32602);
	assert_int_equal(code_of("tunnel.get", "[1]", "name"), -32602);
}

/* Every byte cut off, and every byte replaced: an answer, never a crash or a change. */
static void damaged_lines_do_no_harm(void **state)
{
	(void)state;
	static const char line[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add\",\"params\":{\"direction\":\"in\","
	    "\"spi\":5000,\"tunnel\":\"paris\",\"key\":\"" KEY_A "\",\"selectors\":[{\"local\":"
	    "\"10.0.0.0/8\",\"remote\":\"10.1.0.0-10.1.0.9\",\"protocol\":\"tcp\","
	    "\"local_ports\":\"1-2\"}]}}";
	char copy[sizeof(line)];

	for (size_t len = 0; len < sizeof(line) - 1; len++)
		free(ask_text(CONTROL_ALL, line, len));
	assert_int_equal(sa_count(testbed.g.sadb, SA_INBOUND), 0);
	static const char bytes[] = {'\0', '"', '{', ']', '0', '\\', '\xff', '\x01'};
	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		for (size_t b = 0; b < sizeof(bytes); b++) {
			memcpy(copy, line, sizeof(line));
			copy[i] = bytes[b];
			char *text = ask_text(CONTROL_ALL, copy, sizeof(copy) - 1);
			assert_null(text != NULL ? strstr(text, "a1b2c3d4e5f60718") : NULL);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(what_is_no_request_gets_its_code),
	    with_gateway(brackets_in_strings_are_no_nesting),
	    with_gateway(costly_lines_are_refused),
	    with_gateway(an_unknown_method_is_answered_to_its_id),
	    with_gateway(ids_come_back_as_they_were),
	    with_gateway(notifications_act_without_answer),
	    with_gateway(a_batch_is_answered_in_order),
	    with_gateway(a_batch_has_a_limit),
	    with_gateway(the_answers_to_a_batch_have_a_limit),
	    with_gateway(rights_are_by_class),
	    with_gateway(parameters_by_position),
	    with_gateway(damaged_lines_do_no_harm),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
