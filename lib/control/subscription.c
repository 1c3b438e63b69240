/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/event_table.h"
#include "control/event_view.h"
#include "control/server.h"
#include "control/wipe.h"
#include "report/log.h"

static bool wants(const struct subscription *s, const struct event *e)
{
	if ((s->kinds >> e->kind & 1) == 0)
		return false;
	return s->tunnel[0] == '\0' ||
	       (e->tunnel != NULL && strcmp(s->tunnel, e->tunnel->spec.name) == 0);
}

static void print_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%03ldZ", now.tv_nsec / 1000000);
}

/* The number of the event differs from client to client; all else is the same text. */
static struct event_text *text_of(const struct event *e)
{
	char head[128], time[40], *tail = NULL;
	struct event_text *text = NULL;
	json_t *view = event_view(e);
	char *members = json_dumps(view, JSON_COMPACT);

	snprintf(head, sizeof(head),
		 "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"event\":\"%s\",\"seq\":",
		 event_table[e->kind].name);
	print_time(time, sizeof(time));
	/* `members` begins with the bracket that head has opened. */
	if (members != NULL && asprintf(&tail, ",\"time\":\"%s\",%s}\n", time, members + 1) > 0)
		text = event_text_create(head, tail);
	free(tail);
	wipe_free(members);
	json_decref(view);
	return text;
}

void subscription_event(void *arg, const struct event *e)
{
	struct server *s = arg;
	struct event_text *text = NULL;
	struct client *c, *next;

	for (c = TAILQ_FIRST(&s->subscribers); c != NULL; c = next) {
		next = TAILQ_NEXT(c, subscription.link);
		if (!wants(&c->subscription, e))
			continue;
		if (text == NULL)
			text = text_of(e);
		if (text == NULL) {
			log_error("control: no memory for an event");
			client_cut_off(c, "an event was lost without memory", "");
			continue;
		}
		client_notify(c, text);
	}
	if (text != NULL)
		event_text_release(text);
}
