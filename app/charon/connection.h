/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_CONNECTION_H
#define ESPALIER_CHARON_CONNECTION_H

#include "charon.h"
#include "client/espalier.h"

/*
 * The connection on which the plugin calls the gateway. Any thread. No call takes
 * longer than the setting "timeout": where one has timed out, the next fail at once
 * until connection_probe() finds that the gateway answers again, since charon asks
 * many things one after another.
 */
bool connection_open(void);
void connection_close(void);

/* $ESPALIER_SOCKET or strongswan.conf's; NULL: the client's default. */
const char *connection_socket(void);
int connection_timeout(void);    /* ms */
uint32_t connection_grace(void); /* seconds; 0: leftovers stay for ever */

/*
 * `params` is taken over. 0 and a new reference in *result (which may be NULL), or a code
 * of client/espalier.h; `error` may be NULL.
 */
int connection_call(const char *method, json_t *params, json_t **result,
		    struct espalier_error *error);

/* The same, and what went wrong is logged: "kernel-espalier: WHAT: sentence". */
int connection_do(const char *what, const char *method, json_t *params, json_t **result);

/*
 * `method` with each element of the array `params`, which is taken over, in batches. What
 * was refused is logged. A code where the connection failed.
 */
int connection_do_many(const char *what, const char *method, json_t *params);

/* True for codes that say that the gateway did not get the request, or did not answer. */
bool connection_lost(int code);

/* Grows with each connection made: what was installed before may be gone. */
uint64_t connection_count(void);

/*
 * A deletion that the gateway could not be told: asked again by
 * connection_settle(), in order. `params` is taken over.
 */
void connection_owe(const char *method, json_t *params);
void connection_settle(void);

/* A call has timed out, and none is made until a probe is answered. */
bool connection_silent(void);

/* Asks the gateway something cheap; true where it answers. The thread that reads events. */
bool connection_probe(void);

#endif
