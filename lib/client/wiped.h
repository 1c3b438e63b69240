/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_WIPED_H
#define ESPALIER_CLIENT_WIPED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text that may hold a key: whatever memory it leaves, by growing or at its end,
 * is overwritten. Once memory was short, `failed` is set and nothing is added.
 */
struct wiped {
	char *at; /* not terminated */
	size_t len, room;
	bool failed;
};

void wiped_add(struct wiped *t, const void *bytes, size_t len);
void wiped_print(struct wiped *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void wiped_hex(struct wiped *t, const uint8_t *bytes, size_t len);
/* As compact JSON; jansson keeps no copy of it. */
void wiped_json(struct wiped *t, const json_t *value);
/* Back to `len`. */
void wiped_cut(struct wiped *t, size_t len);
void wiped_free(struct wiped *t);

#endif
