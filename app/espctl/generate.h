/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_GENERATE_H
#define ESPALIER_ESPCTL_GENERATE_H

#include <stdio.h>

/* What is installed beside espctl, made from the table of methods. */
void generate_completion(FILE *out); /* for bash */
void generate_manual(FILE *out);     /* espctl(1), in man(7) */

#endif
