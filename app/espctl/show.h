/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_SHOW_H
#define ESPALIER_ESPCTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "control/method.h"

/* A result for people: lists as aligned tables, objects as names and values. */
void show_result(FILE *out, const struct member *members, const json_t *result);

/* One value with its unit, into buf; "-" for NULL. Returns buf. */
const char *show_value(const struct member *m, const json_t *value, char *buf, size_t size);

#endif
