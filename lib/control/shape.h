/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SHAPE_H
#define ESPALIER_CONTROL_SHAPE_H

#include "control/call.h"

/*
 * One pass over a line before the parser, which takes a hundred times as long
 * and recurses: nesting, number of values and length of strings stay within
 * CONTROL_NESTING_MAX, CONTROL_VALUES_MAX and CONTROL_STRING_MAX. 0, or -errno
 * with *error. What passes may still be no JSON.
 */
int shape_check(const char *text, size_t len, struct rpc_error *error);

#endif
