/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SERVER_H
#define ESPALIER_CONTROL_SERVER_H

#include "control/client.h"
#include "control/control.h"
#include "control/socket_file.h"

/* The listening socket, its clients, and the queue of those who have requests. */
struct server {
	struct event_base *base;
	struct control *control;
	struct socket_file file;
	struct event *accepting, *resuming, *serving;
	TAILQ_HEAD(, client) clients, ready, subscribers;
	uint32_t count;
	uint32_t events;      /* that wait to be read by all clients */
	bool short_of_files;  /* or memory, since the last client; said once */
	size_t intake_budget; /* bytes that unfinished requests may still take, all together */
};

struct server *server_start(struct event_base *base, struct control *control, struct fault *fault);
void server_stop(struct server *s);
uint32_t server_clients(const struct server *s);

/* Clients of a session whose processes have gone, though we have not read that far: they are
 * dropped with what they had asked for. */
void server_bury(struct server *s, struct session *one);

/* A connection ends: it leaves its session, or gives back its SPIs. */
void server_farewell(struct server *s, struct caller *caller);

/* Put a client into the queue: it has a request, or has ended. */
void server_ready(struct client *c);

#endif
