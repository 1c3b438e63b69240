/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_RPC_H
#define ESPALIER_CONTROL_RPC_H

#include "control/call.h"

/*
 * One line of JSON-RPC 2.0, a request or a batch, served in slices: a batch can
 * be long, and the control thread has other work. Between slices policy changes
 * are committed, so nothing half done is left standing.
 */
struct rpc_line;

/* Parse. `text` may be wiped at once. NULL: out of memory. */
struct rpc_line *rpc_begin(struct control *c, struct caller *caller, const char *text, size_t len);

/*
 * Serve requests until the line is done or the TSC has reached `until`; up to 50
 * ms longer while policy changes are gathering. True: done.
 */
bool rpc_step(struct rpc_line *line, uint64_t until);

/*
 * The answer with its newline, for free(); NULL and 0 where none is due. Ends the
 * line, done or not (a client that went away).
 */
char *rpc_finish(struct rpc_line *line, size_t *len);

/* A line that says an error about no request in particular, with newline, for free(). */
char *rpc_error_line(enum rpc_code code, const char *what, const char *limit, size_t *len);

/* The answer with the error to request `id` (NULL: null). A new reference. */
json_t *rpc_error_answer(const json_t *id, struct rpc_error *error);

/* The stable code of an errno that a method's function returned. */
enum rpc_code rpc_code_of(int err);

#endif
