/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "control/caller.h"
#include "control/client.h"
#include "control/event_table.h"
#include "control/server.h"

static uint32_t kinds_of(const struct call *call)
{
	const json_t *words = json_object_get(call->params, "events"), *word;
	uint32_t kinds = words == NULL ? (1U << EVENT_COUNT) - 1 : 0;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)words, i, word)
		kinds |= 1U << event_find(json_string_value(word));
	return kinds;
}

int call_events_subscribe(struct call *call)
{
	struct client *c = call->caller->client;
	const char *tunnel = call_text(call, "tunnel");
	json_t *events = json_array();

	if (c == NULL) {
		json_decref(events);
		return call_fault(call, EOPNOTSUPP, "", "there is no connection to deliver to");
	}
	struct subscription *s = &c->subscription;
	s->kinds = kinds_of(call);
	snprintf(s->tunnel, sizeof(s->tunnel), "%s", tunnel != NULL ? tunnel : "");
	client_subscribe(c);
	for (int i = 0; i < EVENT_COUNT; i++)
		if ((s->kinds >> i & 1) != 0)
			json_array_append_new(events, json_string(event_table[i].name));
	call->result = json_pack("{s:o}", "events", events);
	return 0;
}

int call_events_unsubscribe(struct call *call)
{
	struct client *c = call->caller->client;
	bool was = c != NULL && c->subscription.active;

	if (was)
		client_unsubscribe(c);
	call->result = json_pack("{s:b}", "subscribed", (int)was);
	return 0;
}
