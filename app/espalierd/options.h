/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPALIERD_OPTIONS_H
#define ESPALIER_ESPALIERD_OPTIONS_H

#include <stdbool.h>

#include "report/log.h"

/* Exit statuses, as --help tells them. */
enum { EXIT_CLEAN = 0, EXIT_RUNTIME = 1, EXIT_CONFIGURATION = 2 };

struct options {
	const char *config;
	const char *socket; /* NULL: the configuration's */
	bool check;
	enum log_level log_level;
};

/* Reads the command line. True to go on; false to end with *status, all being said. */
bool options_read(int argc, char **argv, struct options *out, int *status);

#endif
