/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/fail.h"

#define READ_MAX 65536
#define BUSY_RETRY_MS 10

int waker_init(struct waker *w)
{
	atomic_init(&w->closing, false);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? -1 : 0;
}

void waker_fini(struct waker *w)
{
	if (w->fd >= 0)
		close(w->fd);
}

void wake_up(struct waker *w)
{
	const uint64_t one = 1;
	/* Full or interrupted: it is awake. */
	ssize_t n = write(w->fd, &one, sizeof(one));

	(void)n;
}

static void slept(struct waker *w)
{
	uint64_t count;
	ssize_t n = read(w->fd, &count, sizeof(count));

	(void)n;
}

char *link_path(const char *path)
{
	if (path == NULL)
		path = secure_getenv("ESPALIER_SOCKET");
	return strdup(path != NULL && path[0] != '\0' ? path : ESPALIER_SOCKET);
}

static const char *hint(int err)
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		return " (is espalierd running?)";
	case EACCES:
		return " (be root or in the group of the socket)";
	default:
		return "";
	}
}

/* A Unix socket connects at once, or not (EAGAIN: too many wait to be accepted). */
static int connect_now(int fd, const char *path, int64_t deadline, struct waker *w)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct pollfd p = {.fd = w->fd, .events = POLLIN};

	memcpy(addr.sun_path, path, strlen(path));
	for (;;) {
		if (atomic_load(&w->closing))
			return ECANCELED;
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return errno;
		int left = left_ms(deadline);
		if (left == 0)
			return ETIMEDOUT;
		if (poll(&p, 1, left > 0 && left < BUSY_RETRY_MS ? left : BUSY_RETRY_MS) > 0)
			slept(w);
	}
}

int link_open(struct link *l, const char *path, int64_t deadline, struct waker *w,
	      struct espalier_error *error)
{
	*l = LINK_NONE;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return fail(error, ESPALIER_UNREACHABLE,
			    "%.64s…: longer than the %zu bytes of a Unix socket's path", path,
			    sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(error, ESPALIER_UNREACHABLE, "no socket can be made: %s",
			    strerrordesc_np(errno));
	int err = connect_now(fd, path, deadline, w);
	if (err == 0) {
		l->fd = fd;
		return 0;
	}
	close(fd);
	if (err == ECANCELED)
		return fail(error, ESPALIER_CLOSED, "closed");
	if (err == ETIMEDOUT)
		return fail(error, ESPALIER_TIMEOUT,
			    "%s: the gateway accepts no connection in time", path);
	return fail(error, ESPALIER_UNREACHABLE, "cannot connect to %s: %s%s", path,
		    strerrordesc_np(err), hint(err));
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->in);
	*l = LINK_NONE;
}

bool link_wait(const struct link *l, bool out, int64_t deadline, struct waker *w)
{
	struct pollfd p[2] = {{.fd = l->fd, .events = (short)(POLLIN | (out ? POLLOUT : 0))},
			      {.fd = w->fd, .events = POLLIN}};

	if (poll(p, 2, left_ms(deadline)) <= 0)
		return false;
	if (p[1].revents != 0)
		slept(w);
	return (p[0].revents & ~POLLOUT) != 0;
}

ssize_t link_send(struct link *l, const char *text, size_t len)
{
	ssize_t n;

	do
		n = send(l->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EAGAIN ? 0 : -errno;
}

static int make_room(struct link *l)
{
	if (l->start > 0) {
		memmove(l->in, l->in + l->start, l->end - l->start);
		l->end -= l->start;
		l->scanned -= l->start;
		l->start = 0;
	}
	if (l->end < l->room)
		return 0;
	if (l->room >= LINK_LINE_MAX)
		return -EMSGSIZE;
	size_t room = l->room == 0 ? READ_MAX : 2 * l->room;
	char *in = realloc(l->in, room);
	if (in == NULL)
		return -ENOMEM;
	l->in = in;
	l->room = room;
	return 0;
}

int link_fill(struct link *l)
{
	int err = l->end == l->room ? make_room(l) : 0;

	if (err != 0)
		return err;
	size_t room = l->room - l->end;
	ssize_t n = recv(l->fd, l->in + l->end, room < READ_MAX ? room : READ_MAX, MSG_DONTWAIT);
	if (n > 0) {
		l->end += (size_t)n;
		return 1;
	}
	if (n == 0)
		return -EPIPE;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

bool link_line(struct link *l, const char **text, size_t *len)
{
	const char *newline = NULL;

	if (l->scanned < l->end)
		newline = memchr(l->in + l->scanned, '\n', l->end - l->scanned);
	if (newline == NULL) {
		l->scanned = l->end;
		return false;
	}
	*text = l->in + l->start;
	*len = (size_t)(newline - *text);
	l->start += *len + 1;
	l->scanned = l->start;
	if (l->start == l->end)
		l->start = l->scanned = l->end = 0;
	return true;
}

size_t link_rest(const struct link *l)
{
	return l->end - l->start;
}
