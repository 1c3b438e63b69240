/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_FAKE_H
#define ESPALIER_CLIENT_FAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For cmocka tests: a gateway that does what the test wants, in threads of this
 * process. Each connection is served by `serve` in a thread of its own, which
 * ends the connection by returning.
 */
struct fake;

struct fake_connection {
	struct fake *fake;
	int fd;
	unsigned int number; /* from 1 */
	void *arg;
	char *in;
	size_t len, room;
};

typedef void (*fake_serve)(struct fake_connection *c);

struct fake *fake_start(fake_serve serve, void *arg);
/* Again on the same path, after fake_stop(). */
struct fake *fake_start_at(const char *path, fake_serve serve, void *arg);
const char *fake_path(const struct fake *f);
/* Connections end, and their threads. The path stays for fake_start_at(). */
void fake_stop(struct fake *f);
bool fake_stopping(const struct fake *f);

/* The next line, parsed; NULL at the end of the connection. */
json_t *fake_request(struct fake_connection *c);
/* True where a line or its beginning can be read within the time. */
bool fake_pending(struct fake_connection *c, int timeout_ms);
/* False where the client is gone. */
bool fake_send(struct fake_connection *c, const char *text, size_t len);
bool fake_say(struct fake_connection *c, const char *text);
bool fake_line(struct fake_connection *c, json_t *line); /* takes over `line` */
/* To a request; takes over `result`. */
bool fake_answer(struct fake_connection *c, const json_t *request, json_t *result);
json_t *fake_answer_to(const json_t *request, json_t *result);

/* What the request's params say about `name`. */
json_int_t fake_number(const json_t *request, const char *name);

#endif
