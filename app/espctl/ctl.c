/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "terminal.h"

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

void stop_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool stop_wanted(void)
{
	return stopping != 0;
}

enum status ctl_flush(void)
{
	if (fflush(stdout) == 0)
		return DONE;
	fprintf(stderr, "espctl: standard output: %s\n", strerror(errno));
	return NO_ANSWER;
}

static enum status complain(const struct ctl *ctl, const char *method,
			    const struct espalier_error *error)
{
	terminal_close(); /* or it would vanish with the screen */
	if (ctl->o->json) {
		json_t *object = json_pack("{s:i, s:s, s:s}", "code", error->code, "message",
					   error->message, "field", error->field);
		json_dumpf(object, stderr, JSON_COMPACT);
		fputc('\n', stderr);
		json_decref(object);
	} else {
		fprintf(stderr, "espctl: %s: %s\n", method, error->message);
	}
	return error->code < ESPALIER_LOCAL ? REFUSED : NO_ANSWER;
}

enum status ctl_call(const struct ctl *ctl, const char *method, const json_t *params,
		     json_t **result)
{
	struct espalier_error error;
	int timeout = ctl->o->timeout * 1000;

	*result = NULL;
	if (espalier_call(ctl->gateway, method, params, timeout, result, &error) == ESPALIER_OK)
		return DONE;
	return complain(ctl, method, &error);
}

enum status ctl_call_all(const struct ctl *ctl, const struct method *method, json_t *params,
			 json_t **result)
{
	if (member_find(method->params, "after") == NULL ||
	    json_object_get(params, "after") != NULL || json_object_get(params, "limit") != NULL)
		return ctl_call(ctl, method->name, params, result);
	json_t *all = json_array(), *next;
	enum status status;
	json_object_set_new(params, "limit", json_integer(1000));
	do {
		json_t *page;
		status = ctl_call(ctl, method->name, params, &page);
		json_array_extend(all, json_object_get(page, "items"));
		json_object_del(params, "after");
		next = json_object_get(page, "next");
		if (next != NULL)
			json_object_set(params, "after", next);
		json_decref(page);
	} while (status == DONE && json_object_get(params, "after") != NULL);
	json_object_del(params, "limit");
	*result = json_pack("{s:o}", "items", all);
	return status;
}
