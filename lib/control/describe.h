/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_DESCRIBE_H
#define ESPALIER_CONTROL_DESCRIBE_H

#include "control/method.h"

#define DESCRIBE_MAX 512

/* What values a member takes, in words, for errors, help and the reference. Returns buf. */
const char *member_describe(const struct member *m, char *buf, size_t size);

#endif
