/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_TYPED_H
#define ESPALIER_CLIENT_TYPED_H

#include "client/state.h"

/* Parameters put together member by member; what fails on the way is said by typed_call(). */
struct typed {
	json_t *params;
	bool failed;
};

struct typed typed_begin(void);
void typed_text(struct typed *t, const char *name, const char *value); /* NULL: left out */
void typed_number(struct typed *t, const char *name, uint64_t value);
void typed_limit(struct typed *t, const char *name, uint64_t value); /* 0: left out */
void typed_bool(struct typed *t, const char *name, bool value);
void typed_flag(struct typed *t, const char *name, bool value);          /* false: left out */
void typed_json(struct typed *t, const char *name, const json_t *value); /* NULL: left out */

/* As request_call(); frees the parameters. */
int typed_call(struct espalier *e, const char *method, struct typed *t, const struct secret *secret,
	       int timeout_ms, json_t **result, struct espalier_error *error);

#endif
