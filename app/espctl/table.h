/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_TABLE_H
#define ESPALIER_ESPCTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "control/method.h"

/*
 * An array of objects as a table: the members with a heading, those of inner
 * objects too. Numbers stand at the right, text at the left.
 */
void table_show(FILE *out, const struct member *members, const json_t *array, int indent);

#endif
