/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/espalier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/echo.h"

/* What each connection but the second is answered with; then it ends. */
struct reply {
	const char *text;
	size_t repeat;
};

static void serve_reply(struct fake_connection *c)
{
	const struct reply *r = c->arg;
	json_t *request;

	if (c->number == 2) {
		serve_echo(c);
		return;
	}
	request = fake_request(c);
	for (size_t i = 0; i <= r->repeat; i++)
		if (!fake_say(c, r->text))
			break;
	json_decref(request);
}

static void bad_answers_end_the_connection(void **state)
{
	static const struct {
		struct reply reply;
		int code;
		const char *message;
	} table[] = {
	    {{"", 0}, ESPALIER_UNREACHABLE, "closed the connection"},
	    {{"{\"jsonrpc\":\"2.0\",\"id\":1,", 0}, ESPALIER_UNREACHABLE, "in the middle"},
	    {{"HTTP/1.1 400 Bad Request\r\n\r\n", 0}, ESPALIER_PROTOCOL, "no espalier"},
	    {{"7\n", 0}, ESPALIER_PROTOCOL, "no espalier"},
	    {{"\xff\xfe\n", 0}, ESPALIER_PROTOCOL, "no espalier"},
	    {{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 300000},
	     ESPALIER_PROTOCOL,
	     "longer than"},
	    {{"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":\"too many "
	      "clients\"}}\n",
	      0},
	     ESPALIER_CUT_OFF,
	     "too many clients"},
	    {{"{\"id\":1}\n", 0}, ESPALIER_PROTOCOL, "neither"},
	    {{"{\"id\":1,\"error\":{\"code\":0}}\n", 0}, ESPALIER_PROTOCOL, "neither"},
	    {{"{\"id\":1,\"error\":{\"code\":1001}}\n", 0}, ESPALIER_PROTOCOL, "neither"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct reply r = table[i].reply;
		struct fake *f = fake_start(serve_reply, &r);
		struct espalier *e = espalier_open(fake_path(f));
		struct espalier_error error;

		int rc = echo(e, 1, SOON, &error);
		if (rc != table[i].code || strstr(error.message, table[i].message) == NULL)
			fail_msg("%zu: %d, %s", i, rc, error.message);
		assert_int_equal(error.code, rc);
		/* The next call finds the gateway well again, once the old connection's end is
		 * there.
		 */
		usleep(20000);
		assert_int_equal(echo(e, 2, SOON, &error), 0);
		assert_int_equal(espalier_connections(e), 2);
		espalier_close(e);
		fake_stop(f);
	}
}

/* Pieces of answers, cut and joined at random. */
static void serve_noise(struct fake_connection *c)
{
	static const char *const piece[] = {
	    "{\"jsonrpc\":\"2.0\",",   "\"id\":",  "1",  "2",  "null", "-1", "1e99", "\"result\":",
	    "\"error\":{\"code\":",    "}",        "]",  "[",  "\n",   "\n", ",",    "{",
	    "\"message\":\"\\ud800\"", "\xc0\x80", "[]", "{}", "\0",   " ",  "\"",   "true"};
	unsigned int *seed = c->arg;
	json_t *request = fake_request(c);

	for (unsigned int n = rand_r(seed) % 200; n > 0; n--) {
		const char *text = piece[(size_t)rand_r(seed) % (sizeof(piece) / sizeof(*piece))];
		if (!fake_send(c, text, *text == '\0' ? 1 : strlen(text)))
			break;
	}
	json_decref(request);
}

static void noise_ends_in_an_error(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		struct fake *f = fake_start(serve_noise, &seed);
		struct espalier *e = espalier_open(fake_path(f));
		struct espalier_events *s = espalier_events_open(fake_path(f), NULL);
		struct espalier_error error = {0};
		json_t *result;

		int rc = espalier_call(e, "x", NULL, SOON, &result, &error);
		assert_true(rc == 0 || error.code == rc);
		assert_true(rc != ESPALIER_TIMEOUT && (rc == 0) == (result != NULL));
		json_decref(result);
		rc = espalier_events_next(s, 20, &result, &error);
		assert_true((rc == 0) == (result != NULL));
		json_decref(result);
		espalier_close(e);
		espalier_events_close(s);
		fake_stop(f);
	}
}

/* Byte by byte, and with blank lines and other people's notifications between. */
static void serve_slowly(struct fake_connection *c)
{
	json_t *request;

	while ((request = fake_request(c)) != NULL) {
		json_t *answer = fake_answer_to(request, json_integer(fake_number(request, "n")));
		char *text = json_dumps(answer, JSON_INDENT(0));
		fake_say(c, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\n");
		for (const char *at = text; *at != '\0'; at++) {
			fake_send(c, at, 1);
			usleep(200);
		}
		fake_say(c, "\n{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":1}\n");
		free(text);
		json_decref(answer);
		json_decref(request);
	}
}

static void half_lines_are_put_together(void **state)
{
	struct fake *f = fake_start(serve_slowly, NULL);
	struct espalier *e = espalier_open(fake_path(f));

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(echo(e, i, SOON, NULL), 0);
	espalier_close(e);
	fake_stop(f);
}

static void restart_between_calls_is_not_noticed(void **state)
{
	struct fake *f = fake_start(serve_echo, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s", fake_path(f));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(echo(e, i, SOON, NULL), 0);
		assert_int_equal(espalier_connections(e), i + 1);
		fake_stop(f);
		if (i == 1)
			assert_int_equal(echo(e, i, SOON, NULL), ESPALIER_UNREACHABLE);
		f = fake_start_at(path, serve_echo, NULL);
	}
	espalier_close(e);
	fake_stop(f);
}

/* An error without id, and the gateway goes on: it was the oldest request, and no other. */
static void serve_blame(struct fake_connection *c)
{
	json_t *first = fake_request(c), *second = fake_request(c);

	fake_say(c, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":"
		    "\"nested too deep\",\"data\":{\"field\":\"a.b\"}}}\n");
	usleep(300000);
	answer_echo(c, second);
	json_decref(first);
	json_decref(second);
	serve_echo(c);
}

static void errors_without_id_find_their_request(void **state)
{
	struct fake *f = fake_start(serve_blame, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	struct caller other = {e, 2, -1};
	struct espalier_error error;
	pthread_t thread, first;
	struct caller blamed = {e, 1, -1};

	(void)state;
	pthread_create(&first, NULL, call_once, &blamed);
	usleep(50000);
	pthread_create(&thread, NULL, call_once, &other);
	pthread_join(first, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(blamed.wrong, -32000);
	assert_int_equal(other.wrong, 0);
	assert_int_equal(echo(e, 3, SOON, &error), 0);
	assert_int_equal(espalier_connections(e), 1);
	espalier_close(e);
	fake_stop(f);
}

/* The same, but the caller of the request has given up: it is nobody's error. */
static void serve_late_blame(struct fake_connection *c)
{
	json_t *first = fake_request(c), *second = fake_request(c);

	fake_say(c, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":"
		    "\"nested too deep\"}}\n");
	usleep(300000);
	answer_echo(c, second);
	json_decref(first);
	json_decref(second);
	serve_echo(c);
}

static void late_errors_without_id_are_nobodys(void **state)
{
	struct fake *f = fake_start(serve_late_blame, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_error error;

	(void)state;
	assert_int_equal(echo(e, 1, 30, &error), ESPALIER_TIMEOUT);
	assert_int_equal(echo(e, 2, SOON, &error), 0);
	assert_int_equal(echo(e, 3, SOON, &error), 0);
	assert_int_equal(espalier_connections(e), 1);
	espalier_close(e);
	fake_stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_answers_end_the_connection),
	    cmocka_unit_test(noise_ends_in_an_error),
	    cmocka_unit_test(half_lines_are_put_together),
	    cmocka_unit_test(restart_between_calls_is_not_noticed),
	    cmocka_unit_test(errors_without_id_find_their_request),
	    cmocka_unit_test(late_errors_without_id_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
