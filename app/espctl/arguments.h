/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_ARGUMENTS_H
#define ESPALIER_ESPCTL_ARGUMENTS_H

#include <jansson.h>

#include "control/method.h"

/*
 * Parameters from words: "name=value", "selector.local=10.0.0.0/8",
 * "selectors.0.local=…", or values alone in the order of the table. A value of
 * an object or array may be JSON; a key may be "@FILE" or "@-". A new reference,
 * or NULL after saying on standard error what is wrong.
 */
json_t *arguments_read(const struct method *method, char *const *words, int count);

/* JSON text, "-" for standard input. Likewise. */
json_t *arguments_json(const char *text);

#endif
