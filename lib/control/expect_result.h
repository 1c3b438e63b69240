/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_EXPECT_RESULT_H
#define ESPALIER_CONTROL_EXPECT_RESULT_H

#include <jansson.h>

#include "control/method.h"

/* Fails the test where a result has a member that is not in the table, or of another type. */
void expect_result(const char *method, const struct member *members, const char *path,
		   const json_t *result);

#endif
