/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_SHAPE_H
#define ESPALIER_CONFIG_SHAPE_H

#include <stddef.h>

#include "report/fault.h"

/*
 * What libcyaml lets pass or reports at the wrong line: YAML syntax, unknown
 * keys (with the nearest known one), numbers such as 12a (libcyaml: 12) and 010
 * (libcyaml: 8), a second document, aliases. 0 or -errno and *fault with the
 * line in `where`.
 */
int config_shape_check(const char *text, size_t len, struct fault *fault);

#endif
