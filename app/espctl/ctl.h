/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_CTL_H
#define ESPALIER_ESPCTL_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "client/espalier.h"
#include "control/method.h"

/* How espctl ends. */
enum status { DONE = 0, REFUSED = 1, USAGE = 2, NO_ANSWER = 3 };

struct options {
	const char *socket; /* NULL: as lib/client chooses */
	bool json, help;
	bool colour; /* to standard output */
	int timeout; /* seconds for an answer */
	int watch;   /* milliseconds between repetitions; 0: once */
	long frames; /* repetitions; 0: until it is stopped */
};

struct ctl {
	const struct options *o;
	struct espalier *gateway;
};

/*
 * Call a method. `params` is borrowed, *result a new reference. Where it fails the
 * reason is said on standard error.
 */
enum status ctl_call(const struct ctl *ctl, const char *method, const json_t *params,
		     json_t **result);

/* The same for a list: all its pages, unless `params` turns them. Changes `params`. */
enum status ctl_call_all(const struct ctl *ctl, const struct method *method, json_t *params,
			 json_t **result);

/* Ctrl-C, SIGTERM and SIGHUP end a command that follows: catch them, and ask. */
void stop_catch(void);
bool stop_wanted(void);

/* Flush standard output; NO_ANSWER where that fails. */
enum status ctl_flush(void);

/* Commands that are more than one call. `words` are behind their name. */
enum status events_command(const struct ctl *ctl, char **words, int count);
enum status explain_command(const struct ctl *ctl, char **words, int count);
enum status tunnel_show_command(const struct ctl *ctl, const char *name);
enum status tunnel_log_command(const struct ctl *ctl, char **words, int count);
enum status top_command(const struct ctl *ctl);

#endif
