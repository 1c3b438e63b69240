/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_SHOW_H
#define ESPALIER_ESPCTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "control/method.h"

/* A result for people: lists as aligned tables, objects as names and values. */
void show_result(FILE *out, const struct member *members, const json_t *result);

/* The value as indented JSON, with a newline. */
void show_json(FILE *out, const json_t *value);

/* Whether states are coloured: "up" green, "half" yellow, "down" red. Off at first. */
void show_set_colour(bool on);
/* `text` with the colour of such a state where member `name` has one, into buf. Returns buf. */
const char *show_coloured(const char *name, const char *text, char *buf, size_t size);

/* One value with its unit, into buf; "-" for NULL. Returns buf. */
const char *show_value(const struct member *m, const json_t *value, char *buf, size_t size);

#endif
