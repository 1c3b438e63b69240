/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_STATE_H
#define ESPALIER_CONTROL_STATE_H

#include "control/caller.h"
#include "control/changes.h"
#include "control/control.h"

struct server;

/* Private to lib/control. */
struct control {
	struct gateway *g;
	struct control_config config; /* defaults filled in; strings belong to this */
	struct aead *aead;            /* for the CPU's name and to compare keys by digest */
	struct changes changes;       /* of policies, not committed yet */
	struct server *server;        /* NULL without a socket */
	struct sessions *sessions;
	struct caller local;              /* of control_handle_line() */
	struct event *ticking, *cleaning; /* of sessions; NULL without an event loop */
	uint64_t started_tsc;
};

/* CLOCK_MONOTONIC: the clock of sessions. */
uint64_t control_seconds(void);

/* A caller ends: it leaves its session, or gives back its SPIs. */
void control_farewell(struct control *c, struct caller *caller);

#endif
