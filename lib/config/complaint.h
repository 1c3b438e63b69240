/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_COMPLAINT_H
#define ESPALIER_CONFIG_COMPLAINT_H

#include <cyaml/cyaml.h>

#include "report/fault.h"

/*
 * libcyaml tells the line and key of a type or enum error only as log text. This
 * gathers that text and turns it into one sentence.
 */
#define COMPLAINT_DEPTH 8
#define COMPLAINT_NAME 48

struct complaint {
	char message[160];                         /* the first line, without "Load: " */
	unsigned int line;                         /* of the innermost place; 0 unknown */
	unsigned int depth;                        /* mapping keys below */
	char key[COMPLAINT_DEPTH][COMPLAINT_NAME]; /* innermost first */
};

/* A cyaml_log_fn_t whose context is a struct complaint. */
void complaint_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args);

/* Fill *fault from it and from libcyaml's error code. Returns -errno. */
int complaint_fault(const struct complaint *c, cyaml_err_t err, struct fault *fault);

#endif
