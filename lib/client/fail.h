/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_FAIL_H
#define ESPALIER_CLIENT_FAIL_H

#include "client/espalier.h"

/* Fill *error, which may be NULL, and return the code. */
int fail(struct espalier_error *error, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* From the "error" of an answer. */
int fail_as(struct espalier_error *error, const json_t *answer_error);
int fail_memory(struct espalier_error *error);

/* The gateway's codes that are looked at here (docs/control.md). */
#define GATEWAY_NO_METHOD (-32601)
#define GATEWAY_TOO_LARGE (-32000)

#endif
