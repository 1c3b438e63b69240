/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <jansson.h>

#include "control_empty.h"
#include "report/log.h"

/*
 * Input: lines to the control socket; the first byte gives the caller's rights. At
 * a line of "#" the caller hangs up, and 100 seconds pass before the next line.
 */
static struct inprocess *gateway;
static struct control *control;
static uint64_t now;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault fault = {0};
	const struct control_config config = {.sas_max = 16, .tunnels_max = 4};

	(void)argc;
	(void)argv;
	log_set_level(LOG_ERROR);
	gateway = fuzz_gateway();
	control = control_start(NULL, &gateway->g, &config, &fault);
	must(control != NULL);
	return 0;
}

/* Any bytes get no answer, or one line of JSON. */
static void serve(unsigned int rights, const char *line, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	char *answer = NULL;

	memcpy(copy, line, len);
	size_t n = control_handle_line(control, rights, copy, len, &answer);
	must((n == 0) == (answer == NULL));
	if (n > 0) {
		must(answer[n - 1] == '\n' && memchr(answer, '\n', n - 1) == NULL);
		json_t *json = json_loadb(answer, n - 1, 0, NULL);
		must(json_is_object(json) || json_is_array(json));
		json_decref(json);
	}
	free(answer);
	free(copy);
}

static void hang_up(void)
{
	struct caller *caller = &control->local;

	if (caller->session != NULL)
		session_leave(control->sessions, caller->session, now);
	caller->session = NULL;
	spis_abandon(control->sessions, &caller->spis);
	now += 100;
	sessions_tick(control->sessions, now);
	while (sessions_clean(control->sessions))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return -1;
	const char *line = (const char *)data + 1, *end = (const char *)data + size;
	unsigned int rights = data[0] >= ' ' ? CONTROL_ALL : data[0] & CONTROL_ALL;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline != NULL ? newline : end) - line);

		if (len == 1 && line[0] == '#')
			hang_up();
		else
			serve(rights, line, len);
		line += len + 1;
	}
	hang_up();
	control_empty(control, gateway);
	return 0;
}
