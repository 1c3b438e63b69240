/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_ECHO_H
#define ESPALIER_CLIENT_ECHO_H

#include "client/espalier.h"
#include "client/fake.h"

/* For cmocka tests: a method "echo", which fake gateways answer with the n that it was given. */
#define SOON 5000 /* ms that no test should need */

/* The code of the call, or: it has answered something else. */
#define ECHO_WRONG (-1)
int echo(struct espalier *e, json_int_t n, int timeout_ms, struct espalier_error *error);

bool answer_echo(struct fake_connection *c, const json_t *request);
/* To the end of the connection. */
void serve_echo(struct fake_connection *c);

struct caller {
	struct espalier *e;
	json_int_t base;
	int wrong;
};
/* A thread: one call with `base`; `wrong` is what it returned. */
void *call_once(void *caller);

#endif
