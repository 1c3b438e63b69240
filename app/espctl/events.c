/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "control/event_table.h"
#include "ctl.h"
#include "show.h"

#define TEXT_MAX 256

/* "sa.soft acquire tunnel=paris": names of events, and the other filters by name. */
static json_t *read_filter(char **words, int count)
{
	json_t *names = json_array(), *params = json_object();

	for (int i = 0; i < count; i++) {
		if (strncmp(words[i], "tunnel=", 7) == 0) {
			json_object_set_new(params, "tunnel", json_string(words[i] + 7));
		} else if (event_find(words[i]) >= 0) {
			json_array_append_new(names, json_string(words[i]));
		} else {
			fprintf(stderr, "espctl: there is no event \"%s\"; there are:\n", words[i]);
			for (size_t e = 0; e < EVENT_COUNT; e++)
				fprintf(stderr, "  %-14s %s\n", event_table[e].name,
					event_table[e].summary);
			json_decref(names);
			json_decref(params);
			return NULL;
		}
	}
	if (json_array_size(names) > 0)
		json_object_set(params, "events", names);
	json_decref(names);
	return params;
}

static bool is_common(const char *name)
{
	return strcmp(name, "event") == 0 || strcmp(name, "seq") == 0 || strcmp(name, "time") == 0;
}

static void show_members(const struct member *members, const json_t *object)
{
	char text[TEXT_MAX];

	for (const struct member *m = members; m != NULL && m->name != NULL; m++) {
		const json_t *value = json_object_get(object, m->name);
		if (value == NULL || is_common(m->name))
			continue;
		if (m->type == MEMBER_OBJECT)
			show_members(m->members, value);
		else
			printf("  %s %s", m->name, show_value(m, value, text, sizeof(text)));
	}
}

static void show_event(const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));
	int at = name != NULL ? event_find(name) : -1;
	static const struct member text = {.name = "event", .type = MEMBER_STRING};
	char buf[TEXT_MAX], when[TEXT_MAX];

	if (name != NULL && strcmp(name, "client.resumed") == 0) {
		printf("-- connected again: what happened meanwhile is not known\n");
		return;
	}
	printf("%s  %-13s", show_value(&text, json_object_get(event, "time"), when, sizeof(when)),
	       show_value(&text, json_object_get(event, "event"), buf, sizeof(buf)));
	show_members(at >= 0 ? event_table[at].members : NULL, event);
	putchar('\n');
}

static enum status follow(const struct ctl *ctl, struct espalier_events *stream)
{
	struct espalier_error error;
	enum status status = DONE;
	bool heard = false, waiting = false;

	while (!stop_wanted() && status == DONE) {
		json_t *event;
		int code = espalier_events_next(stream, 250, &event, &error);
		if (code == ESPALIER_OK) {
			heard = true;
			waiting = false;
			if (ctl->o->json) {
				json_dumpf(event, stdout, JSON_COMPACT);
				putchar('\n');
			} else {
				show_event(event);
			}
			json_decref(event);
			status = ctl_flush();
		} else if (code == ESPALIER_TIMEOUT) {
			heard = true; /* connected, and nothing happens */
		} else if (code == ESPALIER_UNREACHABLE && heard) {
			if (!waiting)
				fprintf(stderr, "espctl: %s; waiting for it\n", error.message);
			waiting = true;
		} else {
			fprintf(stderr, "espctl: events: %s\n", error.message);
			return code < ESPALIER_LOCAL ? REFUSED : NO_ANSWER;
		}
	}
	return status;
}

enum status events_command(const struct ctl *ctl, char **words, int count)
{
	json_t *params = read_filter(words, count);

	if (params == NULL)
		return USAGE;
	struct espalier_events *stream = espalier_events_open(ctl->o->socket, params);
	json_decref(params);
	if (stream == NULL) {
		fprintf(stderr, "espctl: no memory\n");
		return NO_ANSWER;
	}
	stop_catch();
	enum status status = follow(ctl, stream);
	espalier_events_close(stream);
	return status;
}
