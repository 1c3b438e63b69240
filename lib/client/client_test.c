/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/espalier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/clock.h"
#include "client/echo.h"

/* ---- Many threads. ---- */

/* Collects what is there and answers it in any order, with events in between. */
static void serve_shuffled(struct fake_connection *c)
{
	json_t *waiting[64];
	size_t n = 0;
	unsigned int seed = 1;

	for (;;) {
		if (n < 64 && fake_pending(c, n > 0 ? 1 : 100)) {
			json_t *request = fake_request(c);
			if (request == NULL)
				break;
			waiting[n++] = request;
			continue;
		}
		if (fake_stopping(c->fake))
			break;
		while (n > 0) {
			size_t i = (size_t)rand_r(&seed) % n;
			if (rand_r(&seed) % 4 == 0)
				fake_say(c, "{\"jsonrpc\":\"2.0\",\"method\":\"event\","
					    "\"params\":{\"event\":\"port.link\",\"seq\":1}}\n");
			answer_echo(c, waiting[i]);
			json_decref(waiting[i]);
			waiting[i] = waiting[--n];
		}
	}
	while (n > 0)
		json_decref(waiting[--n]);
}

static void *call_often(void *arg)
{
	struct caller *c = arg;
	struct espalier_error error;

	for (json_int_t i = 0; i < 200; i++)
		c->wrong += echo(c->e, c->base + i, SOON, &error) != 0;
	return NULL;
}

static void threads_get_their_own_answers(void **state)
{
	struct fake *f = fake_start(serve_shuffled, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	struct caller caller[16];
	pthread_t thread[16];

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		caller[i] = (struct caller){e, i * 1000, 0};
		pthread_create(&thread[i], NULL, call_often, &caller[i]);
	}
	for (unsigned int i = 0; i < 16; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(caller[i].wrong, 0);
	}
	assert_int_equal(espalier_connections(e), 1);
	espalier_close(e);
	fake_stop(f);
}

/* ---- Time. ---- */

/* Answers the first request together with the third. */
static void serve_late(struct fake_connection *c)
{
	json_t *first = fake_request(c), *request;

	for (unsigned int i = 2; (request = fake_request(c)) != NULL; i++) {
		if (i == 3) {
			fake_answer(c, first, json_string("late"));
			answer_echo(c, request);
		}
		json_decref(request);
	}
	json_decref(first);
}

static void late_answers_are_nobodys(void **state)
{
	struct fake *f = fake_start(serve_late, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_error error;

	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t before = now_ms();
		assert_int_equal(echo(e, i, 60, &error), ESPALIER_TIMEOUT);
		assert_int_equal(error.code, ESPALIER_TIMEOUT);
		assert_in_range(now_ms() - before, 60, 1000);
	}
	assert_int_equal(echo(e, 7, SOON, &error), 0);
	assert_int_equal(espalier_connections(e), 1);
	espalier_close(e);
	fake_stop(f);
}

/* Reads nothing for as long as *arg says, then counts the requests. */
struct stalled {
	_Atomic bool read;
	_Atomic unsigned int requests;
};

static void serve_stalled(struct fake_connection *c)
{
	struct stalled *s = c->arg;
	json_t *request;

	while (!s->read && !fake_stopping(c->fake))
		usleep(1000);
	while ((request = fake_request(c)) != NULL) {
		s->requests++;
		answer_echo(c, request);
		json_decref(request);
	}
}

static int call_long(struct espalier *e, int timeout_ms, struct espalier_error *error)
{
	char *text = malloc(900001);

	memset(text, 'x', 900000);
	text[900000] = '\0';
	json_t *params = json_pack("{s:s, s:i}", "text", text, "n", 1);
	int rc = espalier_call(e, "echo", params, timeout_ms, NULL, error);
	json_decref(params);
	free(text);
	return rc;
}

static void stalled_gateway_holds_nobody(void **state)
{
	struct stalled s = {.read = false};
	struct fake *f = fake_start(serve_stalled, &s);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_error error;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		int64_t before = now_ms();
		assert_int_equal(call_long(e, 50, &error), ESPALIER_TIMEOUT);
		assert_in_range(now_ms() - before, 50, 1000);
		/* The first fills the socket; the others were never sent, and it says so. */
		assert_int_equal(strstr(error.message, "not sent") != NULL, i > 0);
	}
	s.read = true;
	assert_int_equal(echo(e, 3, SOON, &error), 0);
	assert_int_equal(s.requests, 2);
	assert_int_equal(espalier_connections(e), 1);
	espalier_close(e);
	fake_stop(f);
}

static void connecting_ends_in_time(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fill[8];
	struct espalier_error error;

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/espalier-client-test.%d.full",
		 (int)getpid());
	unlink(addr.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 0), 0);
	for (unsigned int i = 0; i < 8; i++) {
		fill[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	struct espalier *e = espalier_open(addr.sun_path);
	int64_t before = now_ms();
	assert_int_equal(echo(e, 1, 80, &error), ESPALIER_TIMEOUT);
	assert_in_range(now_ms() - before, 80, 1000);
	struct caller caller[2] = {{e, 1, -1}, {e, 2, -1}};
	pthread_t thread[2];
	for (unsigned int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, call_once, &caller[i]);
	usleep(50000);
	espalier_close(e);
	for (unsigned int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(caller[i].wrong, ESPALIER_CLOSED);
	}
	for (unsigned int i = 0; i < 8; i++)
		close(fill[i]);
	close(listener);
	unlink(addr.sun_path);

	e = espalier_open(addr.sun_path);
	assert_int_equal(echo(e, 1, SOON, &error), ESPALIER_UNREACHABLE);
	assert_non_null(strstr(error.message, addr.sun_path));
	assert_int_equal(espalier_connections(e), 0);
	espalier_close(e);
}

/* ---- Its own resources. ---- */

static void serve_never(struct fake_connection *c)
{
	json_t *request;

	while ((request = fake_request(c)) != NULL)
		json_decref(request);
}

static void close_ends_all_calls(void **state)
{
	struct fake *f = fake_start(serve_never, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	struct caller caller[8];
	pthread_t thread[8];

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		caller[i] = (struct caller){e, i, -1};
		pthread_create(&thread[i], NULL, call_once, &caller[i]);
	}
	usleep(50000);
	int64_t before = now_ms();
	espalier_close(e);
	assert_in_range(now_ms() - before, 0, 1000);
	for (unsigned int i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(caller[i].wrong, ESPALIER_CLOSED);
	}
	fake_stop(f);
}

#define FILES 256

static void open_files(int flags[FILES])
{
	for (int fd = 0; fd < FILES; fd++)
		flags[fd] = fcntl(fd, F_GETFD);
}

static void files_are_closed_and_not_inherited(void **state)
{
	int before[FILES], during[FILES], after[FILES];

	(void)state;
	open_files(before);
	struct fake *f = fake_start(serve_echo, NULL);
	struct espalier *e = espalier_open(fake_path(f));
	assert_int_equal(echo(e, 1, SOON, NULL), 0);
	open_files(during);
	for (int fd = 0; fd < FILES; fd++)
		if (before[fd] < 0 && during[fd] >= 0)
			assert_int_equal(during[fd], FD_CLOEXEC);
	assert_memory_not_equal(before, during, sizeof(before));
	espalier_close(e);
	fake_stop(f);
	open_files(after);
	assert_memory_equal(before, after, sizeof(before));
}

/* ---- Sessions. ---- */

struct sessions {
	const char *answer; /* "result" or the "error" of session.open; NULL: plain success */
	_Atomic unsigned int opened, before;
};

static void serve_sessions(struct fake_connection *c)
{
	struct sessions *s = c->arg;
	json_t *request;

	for (bool first = true; (request = fake_request(c)) != NULL; first = false) {
		const char *method = json_string_value(json_object_get(request, "method"));
		if (strcmp(method, "session.open") != 0) {
			s->before += first;
			answer_echo(c, request);
		} else if (s->answer == NULL) {
			const json_t *params = json_object_get(request, "params");
			s->opened += json_integer_value(json_object_get(params, "grace")) == 60 &&
				     strcmp(json_string_value(json_object_get(params, "name")),
					    "charon") == 0;
			fake_answer(c, request, json_pack("{s:i}", "session", 1));
		} else {
			fake_line(c,
				  json_pack("{s:o, s:O}", "error", json_loads(s->answer, 0, NULL),
					    "id", json_object_get(request, "id")));
		}
		json_decref(request);
	}
}

static void sessions_are_opened_first(void **state)
{
	struct sessions s = {.answer = NULL};
	struct fake *f = fake_start(serve_sessions, &s);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_error error;
	struct caller caller[8];
	pthread_t thread[8];
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s", fake_path(f));
	espalier_session(e, "charon", 60);
	for (unsigned int i = 0; i < 8; i++) {
		caller[i] = (struct caller){e, i, -1};
		pthread_create(&thread[i], NULL, call_once, &caller[i]);
	}
	for (unsigned int i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(caller[i].wrong, 0);
	}
	assert_int_equal(s.opened, 1);
	fake_stop(f);
	f = fake_start_at(path, serve_sessions, &s);
	assert_int_equal(echo(e, 1, SOON, &error), 0);
	assert_int_equal(s.opened, 2);
	fake_stop(f);

	/* A gateway without sessions. */
	s.answer = "{\"code\":-32601,\"message\":\"there is no method session.open\"}";
	f = fake_start_at(path, serve_sessions, &s);
	assert_int_equal(echo(e, 1, SOON, &error), 0);
	fake_stop(f);

	/* Somebody else's name: no call goes out without it. */
	s.answer = "{\"code\":6,\"message\":\"session charon is another user's\","
		   "\"data\":{\"field\":\"name\"}}";
	f = fake_start_at(path, serve_sessions, &s);
	assert_int_equal(echo(e, 1, SOON, &error), 6);
	assert_string_equal(error.field, "name");
	assert_int_equal(echo(e, 1, SOON, &error), 6);
	assert_int_equal(s.before, 0);
	fake_stop(f);
	espalier_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_get_their_own_answers),
	    cmocka_unit_test(late_answers_are_nobodys),
	    cmocka_unit_test(stalled_gateway_holds_nobody),
	    cmocka_unit_test(connecting_ends_in_time),
	    cmocka_unit_test(close_ends_all_calls),
	    cmocka_unit_test(files_are_closed_and_not_inherited),
	    cmocka_unit_test(sessions_are_opened_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
