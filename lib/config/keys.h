/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_KEYS_H
#define ESPALIER_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum key_type { KEY_SECTION, KEY_LIST, KEY_TEXT, KEY_NUMBER, KEY_WORD };

/*
 * The table of configuration keys: ranges and defaults that check.c applies, and
 * the text of the reference. A test holds it against the schema.
 */
struct config_key {
	const char *path; /* "ports[].mtu" */
	enum key_type type;
	uint64_t min, max;    /* of a number, or of the entries of a list of numbers */
	const char *fallback; /* what holds without the key; NULL: it must be there */
	const char *meaning;  /* one sentence or two */
};

extern const struct config_key config_keys[];
extern const size_t config_keys_count;

/* Never NULL for a path of the table; the program ends on any other. */
const struct config_key *config_key_find(const char *path);

#endif
