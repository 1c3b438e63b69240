/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CLIENT_H
#define ESPALIER_CONTROL_CLIENT_H

#include <sys/queue.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "control/intake.h"
#include "control/peer.h"
#include "control/rpc.h"

struct server;

/* One connection. Reading, serving and writing go on independently of each other. */
struct client {
	TAILQ_ENTRY(client) link, ready_link;
	struct server *server;
	int fd;
	struct peer peer;
	unsigned int rights;
	struct event *readable, *writable;
	struct intake in;
	struct evbuffer *out;
	struct rpc_line *line; /* being served */
	bool ready;            /* in the server's queue */
	bool end;              /* sends no more */
	bool closing;          /* gets what is in `out`, then the connection ends */
	bool dead;             /* to be freed by the server */
};

/* Takes `fd`. NULL: no memory; fd is closed. */
struct client *client_open(struct server *server, int fd, unsigned int rights,
			   const struct peer *peer);
void client_free(struct client *c);

/*
 * Serve requests until the TSC reaches `until`. True where some are left that
 * can be served now. Sets c->dead where the connection has ended.
 */
bool client_serve(struct client *c, uint64_t until);

#endif
