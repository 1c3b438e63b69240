/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_SCHEMA_H
#define ESPALIER_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>

/* The file's shape for libcyaml: a mapping into struct raw_config (raw.h). */
extern const cyaml_schema_value_t config_schema;

/* Values of the words in raw.h that are no enum elsewhere. */
enum { WORD_NO, WORD_YES, WORD_AUTO };
enum { WORD_SPIN, WORD_SLEEP };
enum { WORD_XDP_AUTO, WORD_XDP_NATIVE, WORD_XDP_GENERIC };
enum { WORD_PROTECTED = 1, WORD_UNPROTECTED = 2, WORD_BOTH = 3 }; /* enum port_role */
enum { WORD_ESP, WORD_UDP };
enum { WORD_DF_COPY, WORD_DF_SET, WORD_DF_CLEAR };            /* enum sa_df */
enum { WORD_PROTECT = 1, WORD_BYPASS = 2, WORD_DISCARD = 3 }; /* enum policy_action */

/* The field `key` of a mapping, or NULL. */
const cyaml_schema_field_t *schema_field(const cyaml_schema_value_t *mapping, const char *key);

/* The value at a path such as "ports[].role", or NULL. */
const cyaml_schema_value_t *schema_find(const char *path);

/* Print the words an enum takes, "yes or no", into buf and return it. */
char *schema_words(const cyaml_schema_value_t *value, char *buf, size_t size);

#endif
