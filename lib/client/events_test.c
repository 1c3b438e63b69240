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

#include "client/clock.h"
#include "client/fake.h"

#define SOON 5000

static bool say_event(struct fake_connection *c, const char *name, unsigned int seq)
{
	return fake_line(c, json_pack("{s:s, s:s, s:{s:s, s:i}}", "jsonrpc", "2.0", "method",
				      "event", "params", "event", name, "seq", (int)seq));
}

/* The subscription, with its answer between two events; then three events; then the end. */
static void serve_three(struct fake_connection *c)
{
	json_t *request = fake_request(c);
	const char *method = json_string_value(json_object_get(request, "method"));
	const json_t *params = json_object_get(request, "params");

	if (method != NULL && strcmp(method, "events.subscribe") == 0 &&
	    strcmp(json_string_value(json_object_get(params, "tunnel")), "hq") == 0) {
		fake_answer(c, request, json_pack("{s:[]}", "events"));
		for (unsigned int i = 1; i <= 3; i++)
			say_event(c, c->number == 1 ? "first" : "second", i);
	}
	json_decref(request);
}

static void expect_event(struct espalier_events *s, const char *name, int seq)
{
	struct espalier_error error;
	json_t *event;

	int rc = espalier_events_next(s, SOON, &event, &error);
	if (rc != 0)
		fail_msg("waiting for %s: %d, %s", name, rc, error.message);
	assert_string_equal(json_string_value(json_object_get(event, "event")), name);
	assert_int_equal(json_integer_value(json_object_get(event, "seq")), seq);
	json_decref(event);
}

static void a_lost_stream_is_resumed(void **state)
{
	struct fake *f = fake_start(serve_three, NULL);
	json_t *params = json_pack("{s:s}", "tunnel", "hq");
	struct espalier_events *s = espalier_events_open(fake_path(f), params);
	char path[64];

	(void)state;
	json_object_clear(params); /* the stream has its own */
	json_decref(params);
	snprintf(path, sizeof(path), "%s", fake_path(f));
	for (int i = 1; i <= 3; i++)
		expect_event(s, "first", i);
	expect_event(s, "client.resumed", 0);
	for (int i = 1; i <= 3; i++)
		expect_event(s, "second", i);

	/* Nobody there: as long as the caller waits, and no longer. */
	fake_stop(f);
	struct espalier_error error;
	json_t *event;
	int64_t before = now_ms();
	assert_int_equal(espalier_events_next(s, 300, &event, &error), ESPALIER_UNREACHABLE);
	assert_null(event);
	assert_in_range(now_ms() - before, 300, 1500);
	f = fake_start_at(path, serve_three, NULL);
	expect_event(s, "client.resumed", 0);
	expect_event(s, "first", 1);
	espalier_events_close(s);
	fake_stop(f);
}

static void serve_quiet(struct fake_connection *c)
{
	json_t *request = fake_request(c);

	fake_answer(c, request, json_pack("{s:[]}", "events"));
	json_decref(request);
	while ((request = fake_request(c)) != NULL)
		json_decref(request);
}

static void no_event_is_a_timeout(void **state)
{
	struct fake *f = fake_start(serve_quiet, NULL);
	struct espalier_events *s = espalier_events_open(fake_path(f), NULL);
	struct espalier_error error;
	json_t *event;

	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t before = now_ms();
		assert_int_equal(espalier_events_next(s, 50 * i, &event, &error), ESPALIER_TIMEOUT);
		assert_in_range(now_ms() - before, 50 * i, 50 * i + 1000);
	}
	espalier_events_close(s);
	fake_stop(f);

	/* Never connected: said at once. */
	s = espalier_events_open("/tmp/espalier-client-test.none", NULL);
	int64_t before = now_ms();
	assert_int_equal(espalier_events_next(s, SOON, &event, &error), ESPALIER_UNREACHABLE);
	assert_in_range(now_ms() - before, 0, 1000);
	espalier_events_close(s);
}

/* What a connection says instead of events. */
static void serve_last_words(struct fake_connection *c)
{
	json_t *request = fake_request(c);

	if (c->number == 1) {
		fake_answer(c, request, json_pack("{s:[]}", "events"));
		say_event(c, "first", 1);
		fake_say(c, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
			    "\"message\":\"cut off: 1000 events were left unread\"}}\n");
	} else if (c->number == 2) {
		fake_line(c, json_pack("{s:{s:i, s:s, s:{s:s}}, s:O}", "error", "code", -32602,
				       "message", "there is no event x", "data", "field",
				       "events[0]", "id", json_object_get(request, "id")));
	} else if (c->number == 3) {
		fake_say(c, "SSH-2.0-OpenSSH_9.2\r\n");
	} else {
		fake_answer(c, request, json_pack("{s:[]}", "events"));
		say_event(c, "fourth", 1);
		while (!fake_stopping(c->fake))
			usleep(1000);
	}
	json_decref(request);
}

static void being_cut_off_is_said(void **state)
{
	struct fake *f = fake_start(serve_last_words, NULL);
	struct espalier_events *s = espalier_events_open(fake_path(f), NULL);
	struct espalier_error error;
	json_t *event;

	(void)state;
	expect_event(s, "first", 1);
	assert_int_equal(espalier_events_next(s, SOON, &event, &error), ESPALIER_CUT_OFF);
	assert_int_equal(error.code, ESPALIER_CUT_OFF);
	assert_string_equal(error.message, "cut off: 1000 events were left unread");
	assert_int_equal(espalier_events_next(s, SOON, &event, &error), -32602);
	assert_string_equal(error.field, "events[0]");
	assert_int_equal(espalier_events_next(s, SOON, &event, &error), ESPALIER_PROTOCOL);
	expect_event(s, "client.resumed", 0);
	expect_event(s, "fourth", 1);
	espalier_events_close(s);
	fake_stop(f);
}

struct follower {
	struct espalier_events *s;
	int rc;
};

static void *follow(void *arg)
{
	struct follower *f = arg;
	json_t *event;

	f->rc = espalier_events_next(f->s, -1, &event, NULL);
	return NULL;
}

static void close_ends_the_wait(void **state)
{
	struct fake *f = fake_start(serve_quiet, NULL);
	struct follower one = {espalier_events_open(fake_path(f), NULL), -1};
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, follow, &one);
	usleep(50000);
	espalier_events_close(one.s);
	pthread_join(thread, NULL);
	assert_int_equal(one.rc, ESPALIER_CLOSED);
	fake_stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_lost_stream_is_resumed),
	    cmocka_unit_test(no_event_is_a_timeout),
	    cmocka_unit_test(being_cut_off_is_said),
	    cmocka_unit_test(close_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
