/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_LINK_H
#define ESPALIER_CLIENT_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/espalier.h"

/*
 * One connection to a gateway, and the bytes that came over it and are not used
 * yet. Nothing here blocks but link_open(), and nothing raises SIGPIPE.
 */
#define LINK_LINE_MAX (16U << 20) /* of an answer: twice what the gateway makes */

struct link {
	int fd; /* -1: none */
	char *in;
	size_t start, scanned, end, room;
};

#define LINK_NONE ((struct link){.fd = -1})

/*
 * What wakes a thread that waits for a connection: link_wait() returns where
 * another thread calls wake_up().
 */
struct waker {
	int fd;
	_Atomic bool closing;
};

int waker_init(struct waker *w); /* 0 or -1 */
void waker_fini(struct waker *w);
void wake_up(struct waker *w);

/* $ESPALIER_SOCKET where `path` is NULL, else the usual one. For free(); NULL without memory. */
char *link_path(const char *path);

/* Waits while the gateway is too busy to accept. 0, or the code in *error. */
int link_open(struct link *l, const char *path, int64_t deadline, struct waker *w,
	      struct espalier_error *error);
void link_close(struct link *l);

/* Wait until bytes came, some can be sent (`out`), the waker woke, or the deadline. True: bytes. */
bool link_wait(const struct link *l, bool out, int64_t deadline, struct waker *w);

/* How much was sent, 0 where nothing can be just now, or -errno. */
ssize_t link_send(struct link *l, const char *text, size_t len);

/* Take what came: > 0, 0 where nothing did, -EPIPE at the end, or another -errno. */
int link_fill(struct link *l);
/* The next complete line, until the next call of link_fill() or link_line(). */
bool link_line(struct link *l, const char **text, size_t *len);
/* Bytes of a line that is not complete. */
size_t link_rest(const struct link *l);

#endif
