/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CALLER_H
#define ESPALIER_CONTROL_CALLER_H

#include "control/peer.h"
#include "control/session.h"

struct client;

/* Who sends a request: a client of the socket, or the caller of control_handle_line(). */
struct caller {
	unsigned int rights;      /* control_class bits */
	struct peer peer;         /* pid -1: not a client */
	struct client *client;    /* NULL: no connection, so no events */
	struct session *session;  /* NULL: nameless */
	struct spi_claims spis;   /* reserved by it while it is nameless */
	struct session_walk walk; /* of a method that is served in slices */
	bool came_back;           /* session.open resumed a session */
	char comm[16];            /* "" until it was asked for */
	char actor[SESSION_NAME_MAX + 40];
};

void caller_init(struct caller *c, unsigned int rights, const struct peer *peer);

/*
 * "charon (pid 812, uid 0)": the session's name, or else the name of the process.
 * NULL where nobody is known. Good until the next call.
 */
const char *caller_actor(struct caller *c);

#endif
