/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/fake.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64

struct fake {
	char path[64];
	int fd;
	fake_serve serve;
	void *arg;
	pthread_t acceptor;
	_Atomic bool stopping;
	unsigned int connections; /* the acceptor's */
	struct {
		pthread_t thread;
		struct fake_connection c;
	} of[CONNECTIONS_MAX];
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void *serve(void *arg)
{
	struct fake_connection *c = arg;

	c->fake->serve(c);
	shutdown(c->fd, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct fake *f = arg;
	struct pollfd p = {.fd = f->fd, .events = POLLIN};

	while (!f->stopping) {
		if (poll(&p, 1, 10) <= 0)
			continue;
		int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		must(f->connections < CONNECTIONS_MAX, "connections");
		unsigned int i = f->connections++;
		f->of[i].c = (struct fake_connection){
		    .fake = f, .fd = fd, .number = f->connections, .arg = f->arg};
		must(pthread_create(&f->of[i].thread, NULL, serve, &f->of[i].c) == 0, "thread");
	}
	return NULL;
}

struct fake *fake_start_at(const char *path, fake_serve how, void *arg)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fake *f = calloc(1, sizeof(*f));

	must(f != NULL, "memory");
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	f->serve = how;
	f->arg = arg;
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, path);
	must(listen(f->fd, 16) == 0, "listen");
	must(pthread_create(&f->acceptor, NULL, accept_all, f) == 0, "thread");
	return f;
}

struct fake *fake_start(fake_serve how, void *arg)
{
	static unsigned int serial;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/espalier-client-test.%d.%u", (int)getpid(), serial++);
	return fake_start_at(path, how, arg);
}

const char *fake_path(const struct fake *f)
{
	return f->path;
}

bool fake_stopping(const struct fake *f)
{
	return f->stopping;
}

void fake_stop(struct fake *f)
{
	f->stopping = true;
	pthread_join(f->acceptor, NULL);
	close(f->fd);
	unlink(f->path);
	for (unsigned int i = 0; i < f->connections; i++)
		shutdown(f->of[i].c.fd, SHUT_RDWR);
	for (unsigned int i = 0; i < f->connections; i++) {
		pthread_join(f->of[i].thread, NULL);
		close(f->of[i].c.fd);
		free(f->of[i].c.in);
	}
	free(f);
}

static bool read_more(struct fake_connection *c)
{
	if (c->room - c->len < 65536) {
		c->room += 1 << 20;
		c->in = realloc(c->in, c->room);
		must(c->in != NULL, "memory");
	}
	ssize_t n = recv(c->fd, c->in + c->len, c->room - c->len, 0);
	if (n > 0)
		c->len += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

json_t *fake_request(struct fake_connection *c)
{
	char *newline;

	while (c->len == 0 || (newline = memchr(c->in, '\n', c->len)) == NULL) {
		if (!read_more(c))
			return NULL;
	}
	size_t len = (size_t)(newline - c->in) + 1;
	json_t *request = json_loadb(c->in, len, JSON_REJECT_DUPLICATES, NULL);
	must(request != NULL, "the client sent no JSON");
	memmove(c->in, c->in + len, c->len - len);
	c->len -= len;
	return request;
}

bool fake_pending(struct fake_connection *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	return c->len > 0 || (poll(&p, 1, timeout_ms) > 0 && (p.revents & POLLIN) != 0);
}

bool fake_send(struct fake_connection *c, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

bool fake_say(struct fake_connection *c, const char *text)
{
	return fake_send(c, text, strlen(text));
}

bool fake_line(struct fake_connection *c, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	must(text != NULL, "JSON");
	size_t len = strlen(text);
	text[len] = '\n';
	bool ok = fake_send(c, text, len + 1);
	free(text);
	json_decref(line);
	return ok;
}

json_t *fake_answer_to(const json_t *request, json_t *result)
{
	return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result", result, "id",
			 json_object_get(request, "id"));
}

bool fake_answer(struct fake_connection *c, const json_t *request, json_t *result)
{
	return fake_line(c, fake_answer_to(request, result));
}

json_int_t fake_number(const json_t *request, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(request, "params"), name));
}
