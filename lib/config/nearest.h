/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_NEAREST_H
#define ESPALIER_CONFIG_NEAREST_H

#include "config/schema.h"

/* "did you mean role?", or the list of known keys, into buf; returns buf. */
const char *nearest_key(const cyaml_schema_value_t *mapping, const char *key, char *buf,
			size_t size);

#endif
