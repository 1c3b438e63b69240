/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/fail.h"
#include "client/state.h"

#define RETRY_FIRST_MS 50
#define RETRY_LAST_MS 1000

/* Only the thread in espalier_events_next() touches it, but for `waker`, `lock` and `inside`. */
struct espalier_events {
	char *path;
	json_t *params;
	struct waker waker;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool inside; /* a thread is in espalier_events_next() */

	struct link link;
	uint64_t id;     /* of events.subscribe on this connection */
	bool subscribed; /* and answered */
	bool before;     /* some connection was: the next one resumes */
	int retry_ms;    /* pause before the next try */
	int64_t retry_at;
};

struct espalier_events *espalier_events_open(const char *socket, const json_t *params)
{
	struct espalier_events *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->path = link_path(socket);
	/* A copy: the caller may change its own. */
	s->params = params != NULL ? json_deep_copy(params) : json_object();
	if (s->path == NULL || s->params == NULL || waker_init(&s->waker) != 0) {
		json_decref(s->params);
		free(s->path);
		free(s);
		return NULL;
	}
	s->link = LINK_NONE;
	pthread_mutex_init(&s->lock, NULL);
	clock_cond_init(&s->idle);
	return s;
}

void espalier_events_close(struct espalier_events *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->waker.closing, true);
	wake_up(&s->waker);
	while (s->inside)
		clock_cond_wait(&s->idle, &s->lock, DEADLINE_NEVER);
	pthread_mutex_unlock(&s->lock);
	link_close(&s->link);
	waker_fini(&s->waker);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	json_decref(s->params);
	free(s->path);
	free(s);
}

/* The connection is lost; try again, the later the more often it failed. */
static int lost(struct espalier_events *s, int code)
{
	link_close(&s->link);
	s->subscribed = false;
	s->retry_ms = s->retry_ms == 0 ? RETRY_FIRST_MS : 2 * s->retry_ms;
	if (s->retry_ms > RETRY_LAST_MS)
		s->retry_ms = RETRY_LAST_MS;
	s->retry_at = now_ms() + s->retry_ms;
	return code;
}

/* False: closed. A fresh socket buffer takes the one line, or the gateway is stuck. */
static int send_subscription(struct espalier_events *s, int64_t deadline,
			     struct espalier_error *error)
{
	struct wiped text = {0};
	size_t sent = 0;
	int rc = 0;

	request_print(&text, ++s->id, "events.subscribe", s->params, NULL);
	wiped_add(&text, "\n", 1);
	if (text.failed)
		rc = fail(error, ESPALIER_NO_MEMORY, "no memory for the request");
	while (rc == 0 && sent < text.len) {
		ssize_t n = link_send(&s->link, text.at + sent, text.len - sent);
		if (n < 0)
			break; /* what the gateway may have said before comes first */
		sent += (size_t)n;
		if (n > 0)
			continue;
		if (atomic_load(&s->waker.closing))
			rc = fail(error, ESPALIER_CLOSED, "closed");
		else if (now_ms() >= deadline)
			rc = fail(error, ESPALIER_TIMEOUT, "the gateway takes no requests in time");
		else
			link_wait(&s->link, true, deadline, &s->waker);
	}
	wiped_free(&text);
	return rc;
}

static int subscribe(struct espalier_events *s, int64_t deadline, struct espalier_error *error)
{
	int64_t until = s->retry_at < deadline ? s->retry_at : deadline;

	while (s->before && now_ms() < until && !atomic_load(&s->waker.closing))
		link_wait(&LINK_NONE, false, until, &s->waker);
	if (s->before && now_ms() < s->retry_at)
		return fail(error, ESPALIER_UNREACHABLE, "the gateway at %s is gone", s->path);
	int rc = link_open(&s->link, s->path, deadline, &s->waker, error);
	if (rc == 0)
		rc = send_subscription(s, deadline, error);
	return rc != 0 ? lost(s, rc) : 0;
}

static json_t *resumed(struct espalier_events *s)
{
	bool before = s->before;

	s->subscribed = true;
	s->before = true;
	s->retry_ms = 0;
	return before ? json_pack("{s:s}", "event", "client.resumed") : NULL;
}

/* One line. *event is set where it holds one for the caller. */
static int take_line(struct espalier_events *s, const json_t *line, json_t **event,
		     struct espalier_error *error)
{
	json_t *id = json_object_get(line, "id"), *wrong = json_object_get(line, "error");
	json_t *params = json_object_get(line, "params");
	const char *method = json_string_value(json_object_get(line, "method"));

	if (!json_is_object(line))
		return lost(
		    s, fail(error, ESPALIER_PROTOCOL, "what answers there is no espalier gateway"));
	if (method != NULL && id == NULL && strcmp(method, "event") == 0 &&
	    json_is_object(params)) {
		*event = json_incref(params);
		return 0;
	}
	if (json_is_integer(id) && (uint64_t)json_integer_value(id) == s->id && wrong != NULL) {
		int code = fail_as(error, wrong);
		return lost(s, code);
	}
	if (json_is_integer(id) && (uint64_t)json_integer_value(id) == s->id && !s->subscribed) {
		*event = resumed(s);
		return 0;
	}
	if ((id == NULL || json_is_null(id)) && json_is_object(wrong)) {
		fail_as(error, wrong);
		if (error != NULL)
			error->code = ESPALIER_CUT_OFF;
		return lost(s, ESPALIER_CUT_OFF);
	}
	return 0;
}

static int take_lines(struct espalier_events *s, json_t **event, struct espalier_error *error)
{
	const char *text;
	size_t len;
	int rc = 0;

	while (rc == 0 && *event == NULL && link_line(&s->link, &text, &len)) {
		json_t *line = json_loadb(text, len, 0, NULL);
		rc = take_line(s, line, event, error);
		json_decref(line);
	}
	return rc;
}

static int next(struct espalier_events *s, int64_t deadline, json_t **event,
		struct espalier_error *error)
{
	for (bool tried = false;; tried = true) {
		if (atomic_load(&s->waker.closing))
			return fail(error, ESPALIER_CLOSED, "closed");
		int rc = s->link.fd < 0 ? subscribe(s, deadline, error) : 0;
		if (rc == 0)
			rc = take_lines(s, event, error);
		if (rc == ESPALIER_UNREACHABLE && s->before && now_ms() < deadline)
			continue;
		if (rc != 0 || *event != NULL)
			return rc;
		if (tried && now_ms() >= deadline)
			return s->subscribed
				   ? fail(error, ESPALIER_TIMEOUT, "no event in time")
				   : fail(error, ESPALIER_TIMEOUT, "no answer to the subscription");
		if (!link_wait(&s->link, false, deadline, &s->waker))
			continue;
		int got = link_fill(&s->link);
		if (got == -EMSGSIZE || got == -ENOMEM)
			return lost(s, fail(error, ESPALIER_PROTOCOL,
					    "the gateway sent a line that is too long to be kept"));
		if (got < 0) {
			rc = lost(s, fail(error, ESPALIER_UNREACHABLE,
					  "the gateway closed the connection"));
			if (!s->before)
				return rc;
		}
	}
}

int espalier_events_next(struct espalier_events *s, int timeout_ms, json_t **event,
			 struct espalier_error *error)
{
	int64_t deadline = deadline_in(timeout_ms);

	*event = NULL;
	if (error != NULL)
		*error = (struct espalier_error){0};
	pthread_mutex_lock(&s->lock);
	s->inside = true;
	pthread_mutex_unlock(&s->lock);
	int rc = next(s, deadline, event, error);
	pthread_mutex_lock(&s->lock);
	s->inside = false;
	pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
	return rc;
}
