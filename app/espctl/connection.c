/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "control/wipe.h"

#define ANSWER_MAX (256UL << 20)

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *connect_hint(int err)
{
	switch (err) {
	case ENOENT:
		return " (is espalierd running? --socket names another path)";
	case ECONNREFUSED:
		return " (a gateway that ended without removing it; is espalierd running?)";
	case EACCES:
		return " (be root or in the group of the socket)";
	default:
		return "";
	}
}

int connection_open(struct connection *c, const char *path, int timeout)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = timeout};

	*c = (struct connection){.fd = -1, .timeout = timeout};
	if (strlen(path) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "espctl: %s: longer than the %zu bytes of a Unix socket's path\n",
			path, sizeof(addr.sun_path) - 1);
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* connect() to a full queue waits as long as a send may. */
	if (c->fd < 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int err = errno;
		fprintf(stderr, "espctl: cannot connect to %s: %s%s\n", path,
			err == EAGAIN ? "no answer in time" : strerror(err), connect_hint(err));
		connection_close(c);
		return -1;
	}
	return 0;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	*c = (struct connection){.fd = -1};
}

static int send_all(struct connection *c, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* The gateway may have said why before it closed: read on. */
			if (errno == EPIPE || errno == ECONNRESET)
				return 0;
			fprintf(stderr, "espctl: cannot send: %s\n",
				errno == EAGAIN ? "the gateway does not take the request"
						: strerror(errno));
			return -1;
		}
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_request(struct connection *c, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
				    (json_int_t)++c->id, "method", method, "params", params);
	char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	int rc = -1;

	if (text != NULL) {
		size_t len = strlen(text);
		/* The newline takes the place of the NUL. */
		text[len] = '\n';
		rc = send_all(c, text, len + 1);
		text[len] = '\0';
	} else {
		fprintf(stderr, "espctl: no memory for the request\n");
	}
	wipe_free(text);
	json_decref(request);
	return rc;
}

/* More bytes into buf. 1, 0 at the end, or -1 after saying why. */
static int read_more(struct connection *c, int64_t until)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	if (c->len == c->room) {
		size_t room = c->room == 0 ? 65536 : 2 * c->room;
		char *buf = room <= ANSWER_MAX ? realloc(c->buf, room) : NULL;
		if (buf == NULL) {
			fprintf(stderr, "espctl: the answer is too long\n");
			return -1;
		}
		c->buf = buf;
		c->room = room;
	}
	int64_t left = until - now_ms();
	int rc = left > 0 ? poll(&p, 1, (int)left) : 0;
	if (rc < 0 && errno == EINTR)
		return 1;
	if (rc == 0) {
		fprintf(stderr, "espctl: no complete answer within %d seconds\n", c->timeout);
		return -1;
	}
	ssize_t n = recv(c->fd, c->buf + c->len, c->room - c->len, 0);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return 0;
	c->len += (size_t)n;
	return 1;
}

static json_t *read_line(struct connection *c)
{
	int64_t until = now_ms() + (int64_t)c->timeout * 1000;
	size_t scanned = 0;
	char *newline = NULL;
	json_error_t wrong;

	for (;;) {
		if (c->len > scanned)
			newline = memchr(c->buf + scanned, '\n', c->len - scanned);
		if (newline != NULL)
			break;
		scanned = c->len;
		int rc = read_more(c, until);
		if (rc < 0)
			return NULL;
		if (rc == 0) {
			fprintf(stderr, "espctl: the gateway closed the connection %s\n",
				c->len > 0 ? "in the middle of its answer" : "without an answer");
			return NULL;
		}
	}
	size_t len = (size_t)(newline - c->buf) + 1;
	json_t *answer = json_loadb(c->buf, len, 0, &wrong);
	memmove(c->buf, c->buf + len, c->len - len);
	c->len -= len;
	if (answer == NULL)
		fprintf(stderr, "espctl: the gateway's answer is no JSON: %s\n", wrong.text);
	return answer;
}

/* Ours by its id; or an error without id, about the connection as a whole. */
static bool is_answer(const json_t *answer, int64_t id)
{
	const json_t *given = json_object_get(answer, "id");

	if (json_is_null(given))
		return json_is_object(json_object_get(answer, "error"));
	return json_is_integer(given) && json_integer_value(given) == id &&
	       (json_object_get(answer, "result") != NULL ||
		json_is_object(json_object_get(answer, "error")));
}

json_t *connection_call(struct connection *c, const char *method, json_t *params)
{
	if (send_request(c, method, params) != 0)
		return NULL;
	json_t *answer = read_line(c);
	if (answer != NULL && !is_answer(answer, c->id)) {
		fprintf(stderr,
			"espctl: the gateway's answer is no JSON-RPC answer to the request\n");
		json_decref(answer);
		return NULL;
	}
	return answer;
}
