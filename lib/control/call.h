/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CALL_H
#define ESPALIER_CONTROL_CALL_H

#include <jansson.h>

#include "control/error_table.h"
#include "control/method.h"
#include "report/fault.h"
#include "worker/gateway.h"

/* What an error answer says: the fault's sentence, and where it is known the limit. */
struct rpc_error {
	enum rpc_code code;
	struct fault fault;
	char value[64];  /* JSON text of the wrong value; "" where there is none to show */
	char limit[256]; /* what is allowed; "" if unknown */
};

struct control;
struct caller;

/* One request, whose parameters have been validated against its method. */
struct call {
	struct control *control;
	struct gateway *g;
	struct caller *caller;
	const struct method *method;
	json_t *params; /* an object */
	json_t *result; /* to be set by the method's function: a new reference */
	bool again;     /* to be set instead of it: call once more, others have their turn first */
	bool resumed;   /* this is such a further call */
	struct rpc_error error;
};

/*
 * The functions of METHODS: 0 with call->result, or -errno with call->error.fault
 * and nothing changed.
 */
#define X(id, name, class, summary, example) int call_##id(struct call *call);
METHODS(X)
#undef X

/* Parameters by name. Where one was left out: its default of the table, else 0, false, NULL. */
bool call_has(const struct call *call, const char *name);
int64_t call_integer(const struct call *call, const char *name);
bool call_boolean(const struct call *call, const char *name);
const char *call_text(const struct call *call, const char *name);
/* An address that was validated; family 0 where it was left out. */
struct ip_addr call_address(const struct call *call, const char *name);

/* Fill the call's fault; returns -err. */
#define call_fault(call, err, where, ...) fault_set(&(call)->error.fault, err, where, __VA_ARGS__)

/* The tunnel that parameter `name` names, or NULL with the fault (ENOENT). */
struct tunnel *call_tunnel(struct call *call, const char *name);

/* Seconds since a TSC value. */
int64_t call_seconds_since(uint64_t tsc);
/* The same moment in milliseconds of CLOCK_MONOTONIC. */
int64_t call_monotonic_ms(uint64_t tsc);

#endif
