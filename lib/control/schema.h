/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SCHEMA_H
#define ESPALIER_CONTROL_SCHEMA_H

#include <jansson.h>

#include "control/method.h"

/*
 * Members of the tables as JSON Schema draft 7. `strict`: of parameters, where
 * other members than these are refused. New references.
 */
json_t *member_schema(const struct member *m, bool strict);
json_t *object_schema(const struct member *members, bool strict);

#endif
