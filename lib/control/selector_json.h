/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SELECTOR_JSON_H
#define ESPALIER_CONTROL_SELECTOR_JSON_H

#include <jansson.h>

#include "report/fault.h"
#include "spd/selector.h"

/* "any", a port, "first-last", as number or string. 0 or -EINVAL. */
int ports_from_json(const json_t *value, uint16_t *first, uint16_t *last);
/* "any" (0), a name, a number 1 to 255 as number or string. 0 or -EINVAL. */
int protocol_from_json(const json_t *value, uint8_t *proto);

/*
 * A selector from an object that validate_params() has passed. 0, or -EINVAL
 * with the member in fault->where: families differ, or none is given.
 */
int selector_from_json(const json_t *object, struct selector *out, struct fault *fault);

/* In the form that selector_from_json() reads. A new reference. */
json_t *selector_to_json(const struct selector *s);

#endif
