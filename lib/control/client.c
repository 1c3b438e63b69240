/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_cycles.h>

#include "control/client.h"
#include "control/server.h"
#include "control/state.h"
#include "report/log.h"

/* Seconds to read why the connection ends. */
#define LAST_WORDS 5

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

struct client *client_open(struct server *server, int fd, unsigned int rights,
			   const struct peer *peer)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->server = server;
	c->fd = fd;
	caller_init(&c->caller, rights, peer);
	c->caller.client = c;
	outbox_init(&c->out, &server->events);
	c->readable = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(server->base, fd, EV_WRITE, on_writable, c);
	if (c->readable == NULL || c->writable == NULL || event_add(c->readable, NULL) != 0) {
		client_free(c);
		return NULL;
	}
	return c;
}

void client_free(struct client *c)
{
	size_t len;

	if (c->line != NULL)
		free(rpc_finish(c->line, &len));
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->subscription.active)
		client_unsubscribe(c);
	server_farewell(c->server, &c->caller);
	outbox_free(&c->out);
	intake_free(&c->in, &c->server->intake_budget);
	close(c->fd);
	free(c);
}

/* How long a client may take none of its bytes: the time runs anew with every byte. */
static struct timeval patience(const struct client *c)
{
	if (!c->cut_off)
		return (struct timeval){.tv_sec = c->server->control->config.stall_seconds};
	uint64_t now = rte_rdtsc();
	uint64_t left = c->last_words > now ? c->last_words - now : 0;
	return (struct timeval){.tv_sec = (time_t)(left / rte_get_tsc_hz()), .tv_usec = 1000};
}

static void wait_writable(struct client *c)
{
	const struct timeval limit = patience(c);

	if (event_add(c->writable, &limit) != 0)
		c->dead = true;
}

static void send_some(struct client *c)
{
	switch (outbox_send(&c->out, c->fd)) {
	case OUTBOX_SENT:
		c->dead = c->dead || c->closing;
		break;
	case OUTBOX_FULL:
		wait_writable(c);
		break;
	case OUTBOX_ERROR:
		c->dead = true;
		break;
	}
}

static void answer(struct client *c, char *text, size_t len)
{
	if (text == NULL)
		return;
	if (!outbox_add(&c->out, text, len))
		c->dead = true;
	if (!c->dead && !event_pending(c->writable, EV_WRITE, NULL))
		send_some(c);
}

void client_subscribe(struct client *c)
{
	if (!c->subscription.active)
		TAILQ_INSERT_TAIL(&c->server->subscribers, c, subscription.link);
	c->subscription.active = true;
}

void client_unsubscribe(struct client *c)
{
	TAILQ_REMOVE(&c->server->subscribers, c, subscription.link);
	c->subscription = (struct subscription){0};
}

void client_cut_off(struct client *c, const char *what, const char *limit)
{
	size_t len;

	if (c->closing || c->dead)
		return;
	uint32_t dropped = outbox_drop(&c->out);
	log_notice("control: %s is cut off: %s; %u lines to it are dropped",
		   caller_actor(&c->caller), what, dropped);
	c->closing = c->cut_off = true;
	c->last_words = rte_rdtsc() + LAST_WORDS * rte_get_tsc_hz();
	event_del(c->readable);
	if (c->subscription.active)
		client_unsubscribe(c);
	char *text = rpc_error_line(RPC_TOO_SLOW, what, limit, &len);
	if (text == NULL || !outbox_add(&c->out, text, len))
		c->dead = true;
	else
		wait_writable(c);
	server_ready(c);
}

static bool has_more_than(const struct client *c, uint32_t times)
{
	return c->out.events >= (uint64_t)times * c->server->control->config.events_max ||
	       c->out.event_bytes >= (size_t)times * CONTROL_EVENT_BYTES_MAX;
}

/* It has had time to read, or far too much waits for it or for all. */
static bool is_too_slow(const struct client *c)
{
	return has_more_than(c, 1) && (rte_rdtsc() - c->out.taken > rte_get_tsc_hz() ||
				       has_more_than(c, CONTROL_EVENT_BURST) ||
				       c->server->events >= CONTROL_EVENTS_ALL_MAX);
}

void client_notify(struct client *c, struct event_text *text)
{
	const struct control_config *config = &c->server->control->config;
	char what[96], limit[48];

	if (c->closing || c->dead)
		return;
	if (is_too_slow(c)) {
		snprintf(what, sizeof(what), "%u events wait to be read, and another came",
			 c->out.events);
		snprintf(limit, sizeof(limit), "%u events, %u bytes", config->events_max,
			 CONTROL_EVENT_BYTES_MAX);
		client_cut_off(c, what, limit);
		return;
	}
	if (!outbox_add_event(&c->out, text, ++c->subscription.seq))
		client_cut_off(c, "an event was lost without memory", "");
	else if (!event_pending(c->writable, EV_WRITE, NULL))
		wait_writable(c);
}

static void refuse(struct client *c, const char *what, const char *limit)
{
	size_t len;
	char *text = rpc_error_line(RPC_TOO_LARGE, what, limit, &len);

	log_info("control: pid %d (uid %u): %s", (int)c->caller.peer.pid, c->caller.peer.uid, what);
	c->closing = true;
	event_del(c->readable);
	answer(c, text, text != NULL ? len : 0);
	if (text == NULL)
		c->dead = true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)what;
	switch (intake_read(&c->in, fd, &c->server->intake_budget)) {
	case INTAKE_MORE:
		/* Enough to be served first. */
		if (intake_size(&c->in) > CONTROL_LINE_MAX)
			event_del(c->readable);
		if (intake_overlong(&c->in, CONTROL_LINE_MAX))
			refuse(c, "the line is too long", "1048576 bytes");
		break;
	case INTAKE_EMPTY:
		return;
	case INTAKE_END:
		c->end = true;
		event_del(c->readable);
		break;
	case INTAKE_NO_ROOM:
		refuse(c, "too many bytes of unfinished requests", "64 MiB of all clients");
		break;
	case INTAKE_ERROR:
		c->dead = true;
		break;
	}
	server_ready(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	char why[96], limit[32];

	(void)fd;
	if ((what & EV_TIMEOUT) == 0) {
		send_some(c);
	} else if (c->closing) {
		c->dead = true;
	} else {
		uint32_t seconds = c->server->control->config.stall_seconds;
		snprintf(why, sizeof(why), "%zu bytes were left unread for %u seconds",
			 c->out.bytes, seconds);
		snprintf(limit, sizeof(limit), "%u seconds", seconds);
		client_cut_off(c, why, limit);
	}
	server_ready(c);
}

static bool is_blank(const char *text, size_t len)
{
	while (len > 0 && (*text == ' ' || *text == '\t' || *text == '\r')) {
		text++;
		len--;
	}
	return len == 0;
}

/* Begin with the next line. False where there is none. */
static bool begin_line(struct client *c)
{
	const char *text;
	size_t len;

	while (c->line == NULL) {
		if (!intake_line(&c->in, c->end, &text, &len))
			return false;
		if (len > CONTROL_LINE_MAX) {
			refuse(c, "the line is too long", "1048576 bytes");
			return false;
		}
		bool blank = is_blank(text, len);
		if (!blank)
			c->line = rpc_begin(c->server->control, &c->caller, text, len);
		intake_done(&c->in);
		if (!blank && c->line == NULL) {
			c->dead = true;
			return false;
		}
		if (!c->end && intake_size(&c->in) <= CONTROL_LINE_MAX)
			event_add(c->readable, NULL);
	}
	return true;
}

bool client_serve(struct client *c, uint64_t until)
{
	size_t len;

	if (c->dead || c->closing || c->out.bytes >= CONTROL_UNREAD_MAX)
		return false;
	if (!begin_line(c)) {
		if (c->end && !c->dead && c->out.bytes == 0)
			c->dead = true;
		return false;
	}
	if (rpc_step(c->line, until)) {
		char *text = rpc_finish(c->line, &len);
		c->line = NULL;
		/* One of its own requests may have been the event too many. */
		if (c->closing)
			free(text);
		else
			answer(c, text, len);
	}
	return !c->dead && !c->closing;
}
