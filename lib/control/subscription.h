/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SUBSCRIPTION_H
#define ESPALIER_CONTROL_SUBSCRIPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gateway/event.h"

struct client;

/* What a client wants to be told, and how much it was. */
struct subscription {
	TAILQ_ENTRY(client) link;
	bool active;
	uint32_t kinds;               /* a bit each, 1 << enum event_kind */
	char tunnel[TUNNEL_NAME_MAX]; /* "": all */
	uint64_t seq;                 /* of the last event */
};

/* An event_sink of the server: made JSON once, queued for each who wants it. */
void subscription_event(void *server, const struct event *e);

#endif
