/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/fail.h"
#include "client/state.h"

/* So soon after an error without an id the gateway closes, if it means to. */
#define LAST_WORDS_MS 200

struct line *line_create(void)
{
	return calloc(1, sizeof(struct line));
}

void line_free(struct line *l)
{
	if (l == NULL)
		return;
	wiped_free(&l->text);
	free(l);
}

static void finish(struct waiter *w)
{
	w->done = true;
	pthread_cond_signal(&w->wake);
}

/* The connection has ended: so have all who wait for it. Leader. */
static void end_link(struct espalier *e, int code, const char *why)
{
	struct waiter *w;
	struct line *l;

	TAILQ_FOREACH (w, &e->waiters, next) {
		if (w->done)
			continue;
		w->unsent = w->line != NULL && w->line->sent == 0 && !e->said;
		if (w->line != NULL) {
			TAILQ_REMOVE(&e->out, w->line, next);
			if (!w->unsent) {
				line_free(w->line);
				w->line = NULL;
			}
		}
		if (e->said)
			w->code = fail(w->error, ESPALIER_CUT_OFF, "%s", e->last_words.message);
		else
			w->code = fail(w->error, code, "%s", why);
		finish(w);
	}
	while ((l = TAILQ_FIRST(&e->out)) != NULL) {
		TAILQ_REMOVE(&e->out, l, next);
		line_free(l);
	}
	link_close(&e->link);
	e->broken = 0;
	e->said = false;
	e->settled = e->forsaken = 0;
}

static void send_out(struct espalier *e)
{
	struct line *l;

	while (e->broken == 0 && (l = TAILQ_FIRST(&e->out)) != NULL) {
		ssize_t n = link_send(&e->link, l->text.at + l->sent, l->text.len - l->sent);
		if (n < 0)
			e->broken = (int)-n;
		if (n <= 0)
			return;
		l->sent += (size_t)n;
		if (l->sent < l->text.len)
			continue;
		TAILQ_REMOVE(&e->out, l, next);
		if (l->owner != NULL)
			l->owner->line = NULL;
		line_free(l);
	}
}

/* A gateway answers a connection's requests in order. */
static void settle(struct espalier *e, uint64_t id)
{
	if (id > e->settled && id < atomic_load(&e->next_id))
		e->settled = id;
	if (e->forsaken <= e->settled)
		e->forsaken = 0;
}

static void forsake(struct espalier *e, const struct waiter *w)
{
	if (w->first > e->settled && (e->forsaken == 0 || w->first < e->forsaken))
		e->forsaken = w->first;
}

static uint64_t oldest_sent(const struct espalier *e)
{
	const struct waiter *w;

	TAILQ_FOREACH (w, &e->waiters, next) {
		if (!w->done && w->line == NULL)
			return e->forsaken != 0 && e->forsaken < w->first ? 0 : w->first;
	}
	return 0;
}

/* An answer, a notification (nobody's here), or an error about the connection. */
static void deliver_one(struct espalier *e, json_t *answer)
{
	const json_t *id = json_object_get(answer, "id"), *error = json_object_get(answer, "error");
	struct waiter *w;

	if (!json_is_integer(id)) {
		if (!json_is_object(error) || (id != NULL && !json_is_null(id)))
			return;
		e->said = true;
		e->said_to = oldest_sent(e);
		e->said_until = now_ms() + LAST_WORDS_MS;
		fail_as(&e->last_words, error);
		return;
	}
	uint64_t number = (uint64_t)json_integer_value(id);
	settle(e, number);
	TAILQ_FOREACH (w, &e->waiters, next) {
		if (number - w->first >= w->count)
			continue;
		/* Answered twice, or while it is not even sent: not to be taken for the answer. */
		if (w->done || w->line != NULL || w->answer[number - w->first] != NULL)
			return;
		w->answer[number - w->first] = json_incref(answer);
		if (++w->answered == w->count)
			finish(w);
		return;
	}
	/* Its caller gave up. */
}

/* False: the line is no JSON-RPC. */
static bool deliver(struct espalier *e, json_t *line)
{
	size_t i;
	json_t *one;

	if (json_is_object(line)) {
		deliver_one(e, line);
		return true;
	}
	if (!json_is_array(line))
		return false;
	json_array_foreach (line, i, one)
		deliver_one(e, one);
	return true;
}

/* The gateway goes on after an error without an id: it meant a line, and answers in order. */
static void blame(struct espalier *e)
{
	struct waiter *w;

	TAILQ_FOREACH (w, &e->waiters, next) {
		if (w->done || w->first != e->said_to)
			continue;
		*w->error = e->last_words;
		w->code = e->last_words.code;
		finish(w);
		break;
	}
	e->said = false;
}

static const char *end_reason(const struct espalier *e, int err)
{
	if (err == -EMSGSIZE)
		return "the gateway's answer is longer than 16 MiB";
	if (err == -ENOMEM)
		return "no memory for the gateway's answer";
	if (err == -EPIPE && link_rest(&e->link) > 0)
		return "the gateway closed the connection in the middle of an answer";
	if (err == -EPIPE)
		return "the gateway closed the connection";
	return strerrordesc_np(-err);
}

static int end_code(int err)
{
	if (err == -EMSGSIZE)
		return ESPALIER_PROTOCOL;
	return err == -ENOMEM ? ESPALIER_NO_MEMORY : ESPALIER_UNREACHABLE;
}

/* Wait, send, read once, and hand out what came. Leader. */
static void lead_once(struct espalier *e, int64_t deadline)
{
	const char *text;
	size_t len;
	int got = 0;

	send_out(e);
	bool out = e->broken == 0 && !TAILQ_EMPTY(&e->out);
	if (e->broken != 0)
		deadline = now_ms();
	else if (e->said && e->said_until < deadline)
		deadline = e->said_until;
	e->out_watched = out;
	pthread_mutex_unlock(&e->lock);
	if (link_wait(&e->link, out, deadline, &e->waker))
		got = link_fill(&e->link);
	pthread_mutex_lock(&e->lock);
	e->out_watched = false;
	while (got >= 0 && link_line(&e->link, &text, &len)) {
		/* Others may queue and time out while a long answer is parsed. */
		pthread_mutex_unlock(&e->lock);
		json_t *line = json_loadb(text, len, 0, NULL);
		pthread_mutex_lock(&e->lock);
		bool proper = deliver(e, line);
		json_decref(line);
		if (!proper) {
			end_link(e, ESPALIER_PROTOCOL, "what answers there is no espalier gateway");
			return;
		}
	}
	if (got < 0)
		end_link(e, end_code(got), end_reason(e, got));
	else if (e->broken != 0 && got == 0)
		end_link(e, ESPALIER_UNREACHABLE, strerrordesc_np(e->broken));
	else if (e->said && now_ms() >= e->said_until)
		blame(e);
}

static void end_lead(struct espalier *e)
{
	struct waiter *w;

	e->led = false;
	TAILQ_FOREACH (w, &e->waiters, next) {
		if (!w->done) {
			pthread_cond_signal(&w->wake);
			return;
		}
	}
}

static void wait_for(struct espalier *e, struct waiter *w, int64_t deadline)
{
	while (!w->done && !atomic_load(&e->waker.closing) && now_ms() < deadline) {
		if (e->led) {
			clock_cond_wait(&w->wake, &e->lock, deadline);
			continue;
		}
		e->led = true;
		do
			lead_once(e, deadline);
		while (!w->done && !atomic_load(&e->waker.closing) && now_ms() < deadline);
		end_lead(e);
	}
}

/* Not done in time. What is not sent yet never will be; what is half sent must be. */
static void give_up(struct espalier *e, struct waiter *w)
{
	if (w->line != NULL && w->line->sent > 0) {
		w->line->owner = NULL;
		w->line = NULL;
	} else if (w->line != NULL) {
		TAILQ_REMOVE(&e->out, w->line, next);
		line_free(w->line);
		w->line = NULL;
		fail(w->error, ESPALIER_TIMEOUT,
		     "the gateway takes no requests in time; this one was not sent");
		w->code = ESPALIER_TIMEOUT;
		return;
	}
	forsake(e, w);
	w->code = fail(w->error, ESPALIER_TIMEOUT,
		       "no answer in time; the request may have been carried out nevertheless");
}

int share_exchange(struct espalier *e, struct waiter *w, int64_t deadline)
{
	clock_cond_init(&w->wake);
	w->done = w->unsent = false;
	w->code = 0;
	w->line->owner = w;
	TAILQ_INSERT_TAIL(&e->waiters, w, next);
	TAILQ_INSERT_TAIL(&e->out, w->line, next);
	send_out(e);
	if (e->led && !e->out_watched && !TAILQ_EMPTY(&e->out))
		wake_up(&e->waker);
	wait_for(e, w, deadline);
	TAILQ_REMOVE(&e->waiters, w, next);
	if (!w->done)
		give_up(e, w);
	if (w->code == ESPALIER_TIMEOUT && atomic_load(&e->waker.closing))
		w->code = fail(w->error, ESPALIER_CLOSED, "closed");
	pthread_cond_destroy(&w->wake);
	return w->code;
}

int share_call(struct espalier *e, struct waiter *w, int64_t deadline)
{
	int rc = 0;

	pthread_mutex_lock(&e->lock);
	e->callers++;
	/* A connection that broke before it took a byte of the request costs one more try. */
	for (int try = 0; try < 2; try++) {
		rc = share_connect(e, deadline, w->error);
		if (rc == 0)
			rc = share_exchange(e, w, deadline);
		if (rc == 0 || !w->unsent)
			break;
	}
	line_free(w->line);
	w->line = NULL;
	if (--e->callers == 0 && atomic_load(&e->waker.closing))
		pthread_cond_signal(&e->idle);
	pthread_mutex_unlock(&e->lock);
	return rc;
}

/* session.open; a gateway that has no sessions is fine. */
static int introduce(struct espalier *e, int64_t deadline, struct espalier_error *error)
{
	json_t *answer = NULL;
	struct waiter w = {.count = 1, .answer = &answer, .line = line_create(), .error = error};
	json_t *params = e->session == NULL ? NULL
					    : json_pack("{s:s, s:I}", "name", e->session, "grace",
							(json_int_t)e->grace);

	if (w.line == NULL || params == NULL) {
		line_free(w.line);
		json_decref(params);
		return fail(error, ESPALIER_NO_MEMORY,
			    "no memory, or the session's name is no UTF-8");
	}
	w.first = atomic_fetch_add(&e->next_id, 1);
	request_print(&w.line->text, w.first, "session.open", params, NULL);
	wiped_add(&w.line->text, "\n", 1);
	json_decref(params);
	int rc = w.line->text.failed ? fail_memory(error) : share_exchange(e, &w, deadline);
	line_free(w.line);
	if (rc == 0 && json_object_get(answer, "result") == NULL)
		rc = fail_as(error, json_object_get(answer, "error"));
	json_decref(answer);
	return rc == GATEWAY_NO_METHOD ? 0 : rc;
}

static int open_link(struct espalier *e, int64_t deadline, struct espalier_error *error)
{
	struct link link;

	e->opening = true;
	pthread_mutex_unlock(&e->lock);
	int rc = link_open(&link, e->path, deadline, &e->waker, error);
	pthread_mutex_lock(&e->lock);
	if (rc == 0) {
		e->link = link;
		if (e->introduces)
			rc = introduce(e, deadline, error);
		if (rc == 0 && e->link.fd < 0)
			rc = fail(error, ESPALIER_UNREACHABLE, "the gateway closed the connection");
		if (rc != 0 && e->link.fd >= 0)
			end_link(e, ESPALIER_UNREACHABLE, "not introduced");
		if (rc == 0)
			atomic_fetch_add(&e->connections, 1);
	}
	e->opening = false;
	pthread_cond_broadcast(&e->opened);
	return rc;
}

int share_connect(struct espalier *e, int64_t deadline, struct espalier_error *error)
{
	for (bool waited = false;; waited = true) {
		if (atomic_load(&e->waker.closing))
			return fail(error, ESPALIER_CLOSED, "closed");
		if (e->opening && waited && now_ms() >= deadline)
			return fail(error, ESPALIER_TIMEOUT, "no connection in time");
		if (e->opening) {
			clock_cond_wait(&e->opened, &e->lock, deadline);
			continue;
		}
		/* Nobody reads an idle connection: has it ended meanwhile? */
		if (e->link.fd >= 0 && !e->led) {
			e->led = true;
			lead_once(e, now_ms());
			end_lead(e);
		}
		if (e->link.fd >= 0)
			return 0;
		if (!e->opening)
			return open_link(e, deadline, error);
	}
}
