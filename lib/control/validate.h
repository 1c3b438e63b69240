/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_VALIDATE_H
#define ESPALIER_CONTROL_VALIDATE_H

#include "control/call.h"

/*
 * Check an object of parameters against its declaration: nothing unknown,
 * nothing required missing, every type, range and form right, at every depth.
 * 0, or -EINVAL with RPC_INVALID_PARAMS, the path of the member and what would
 * be right in *error. The value of a key is never shown.
 */
int validate_params(const struct member *members, const json_t *params, struct rpc_error *error);

/* The same of one value that is no container. */
bool validate_scalar(const struct member *m, const json_t *value);
/* The error that `value` at `path` is not what `m` takes. Returns -EINVAL. */
int validate_fail(const struct member *m, const char *path, const json_t *value,
		  struct rpc_error *error);

/* Blot out whatever looks like key material: runs of 32 and more hexadecimal digits. */
void blot_keys(char *text);

#endif
