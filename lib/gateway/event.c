/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "gateway/state.h"

int gateway_sink_add(struct gateway *g, event_sink *sink, void *arg)
{
	struct provision *p = provision_of(g);

	if (p == NULL)
		return -ENOMEM;
	if (p->sinks == EVENT_SINKS_MAX)
		return -ENOSPC;
	p->sink[p->sinks++] = (struct sink){sink, arg};
	return 0;
}

void gateway_sink_remove(struct gateway *g, event_sink *sink, void *arg)
{
	struct provision *p = provision_of(g);
	uint32_t kept = 0;

	for (uint32_t i = 0; p != NULL && i < p->sinks; i++)
		if (p->sink[i].call != sink || p->sink[i].arg != arg)
			p->sink[kept++] = p->sink[i];
	if (p != NULL)
		p->sinks = kept;
}

void gateway_actor(struct gateway *g, const char *actor)
{
	struct provision *p = provision_of(g);

	if (p != NULL)
		p->actor = actor;
}

void event_raise(struct provision *p, struct event *event)
{
	event->actor = p->actor;
	for (uint32_t i = 0; i < p->sinks; i++)
		p->sink[i].call(p->sink[i].arg, event);
}

const char *limit_name(enum notice_limit limit)
{
	static const char *const names[] = {[LIMIT_BYTES] = "bytes",
					    [LIMIT_PACKETS] = "packets",
					    [LIMIT_SEQUENCE] = "sequence",
					    [LIMIT_ADD_TIME] = "add_time",
					    [LIMIT_USE_TIME] = "use_time"};

	return names[limit];
}
