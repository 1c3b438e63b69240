/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CLIENT_H
#define ESPALIER_CONTROL_CLIENT_H

#include <sys/queue.h>
#include <event2/event.h>

#include "control/caller.h"
#include "control/intake.h"
#include "control/outbox.h"
#include "control/rpc.h"
#include "control/subscription.h"

struct server;

/* One connection. Reading, serving and writing go on independently of each other. */
struct client {
	TAILQ_ENTRY(client) link, ready_link;
	struct server *server;
	int fd;
	struct caller caller;
	struct event *readable, *writable;
	struct intake in;
	struct outbox out;
	struct subscription subscription;
	struct rpc_line *line; /* being served */
	bool ready;            /* in the server's queue */
	bool end;              /* sends no more */
	bool closing;          /* gets what is in `out`, then the connection ends */
	bool cut_off;          /* closing, and it has until `last_words` (TSC) to read why */
	bool dead;             /* to be freed by the server */
	uint64_t last_words;
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

/* Into and out of the list of those to whom events are delivered, as c->subscription says. */
void client_subscribe(struct client *c);
void client_unsubscribe(struct client *c);

/*
 * Queue an event; sent once the loop has its turn again. A client that has too many
 * unread is cut off.
 */
void client_notify(struct client *c, struct event_text *text);

/*
 * End the connection and say why: what waits behind the line being sent is dropped,
 * one error line (RPC_TOO_SLOW) takes its place, and a few seconds are left to read it.
 */
void client_cut_off(struct client *c, const char *what, const char *limit);

#endif
