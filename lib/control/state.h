/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_STATE_H
#define ESPALIER_CONTROL_STATE_H

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
	uint64_t started_tsc;
};

#endif
