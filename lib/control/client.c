/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <rte_common.h>

#include "control/client.h"
#include "control/server.h"
#include "control/state.h"
#include "report/log.h"

/* With so much unread, requests wait: who does not read is not served. */
#define UNREAD_ENOUGH (256 * 1024)

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
	c->rights = rights;
	c->peer = *peer;
	c->out = evbuffer_new();
	c->readable = event_new(server->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(server->base, fd, EV_WRITE, on_writable, c);
	if (c->out == NULL || c->readable == NULL || c->writable == NULL ||
	    event_add(c->readable, NULL) != 0) {
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
	if (c->out != NULL)
		evbuffer_free(c->out);
	intake_free(&c->in, &c->server->intake_budget);
	close(c->fd);
	free(c);
}

static void send_some(struct client *c)
{
	struct evbuffer_iovec vec[16];

	while (evbuffer_get_length(c->out) > 0) {
		int n = evbuffer_peek(c->out, -1, NULL, vec, RTE_DIM(vec));
		struct msghdr msg = {.msg_iov = vec,
				     .msg_iovlen = (size_t)RTE_MIN(n, (int)RTE_DIM(vec))};
		ssize_t sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			evbuffer_drain(c->out, (size_t)sent);
			continue;
		}
		if (errno == EINTR)
			continue;
		/* The timeout runs anew with every byte that the client takes. */
		struct timeval patience = {.tv_sec = c->server->control->config.stall_seconds};
		if (errno != EAGAIN || event_add(c->writable, &patience) != 0)
			c->dead = true;
		return;
	}
	if (c->closing)
		c->dead = true;
}

static void answer(struct client *c, char *text, size_t len)
{
	if (text == NULL)
		return;
	if (evbuffer_add(c->out, text, len) != 0)
		c->dead = true;
	free(text);
	if (!c->dead && !event_pending(c->writable, EV_WRITE, NULL))
		send_some(c);
}

static void refuse(struct client *c, const char *what, const char *limit)
{
	size_t len;
	char *text = rpc_error_line(RPC_TOO_LARGE, what, limit, &len);

	log_info("control: pid %d (uid %u): %s", (int)c->peer.pid, c->peer.uid, what);
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

	(void)fd;
	if ((what & EV_TIMEOUT) != 0) {
		log_info("control: pid %d (uid %u) is cut off: it left %zu bytes of answers unread "
			 "for %u seconds",
			 (int)c->peer.pid, c->peer.uid, evbuffer_get_length(c->out),
			 c->server->control->config.stall_seconds);
		c->dead = true;
	} else {
		send_some(c);
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
			c->line = rpc_begin(c->server->control, c->rights, text, len);
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

	if (c->dead || c->closing || evbuffer_get_length(c->out) >= UNREAD_ENOUGH)
		return false;
	if (!begin_line(c)) {
		if (c->end && !c->dead && evbuffer_get_length(c->out) == 0)
			c->dead = true;
		return false;
	}
	if (rpc_step(c->line, until)) {
		char *text = rpc_finish(c->line, &len);
		c->line = NULL;
		answer(c, text, len);
	}
	return !c->dead;
}
