/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_HELP_H
#define ESPALIER_ESPCTL_HELP_H

#include <stdio.h>

#include "control/method.h"

/* All commands; those of one object ("sa"); one command in full. */
void help_all(FILE *out);
void help_object(FILE *out, const char *object);
void help_method(FILE *out, const struct method *method);

#endif
