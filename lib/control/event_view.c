/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <string.h>

#include "control/event_table.h"
#include "control/event_view.h"
#include "control/view.h"

/* Both are indexed by the kind of an event. */
static_assert((int)EVENT_COUNT == EVENT_KINDS, "event_table");
static_assert((int)EVENT_ID_sa_soft == EVENT_SA_SOFT && (int)EVENT_ID_sa_hard == EVENT_SA_HARD &&
		  (int)EVENT_ID_sa_exhausted == EVENT_SA_EXHAUSTED &&
		  (int)EVENT_ID_sa_mapping == EVENT_SA_MAPPING &&
		  (int)EVENT_ID_sa_failures == EVENT_SA_FAILURES &&
		  (int)EVENT_ID_acquire == EVENT_ACQUIRE &&
		  (int)EVENT_ID_tunnel_state == EVENT_TUNNEL_STATE &&
		  (int)EVENT_ID_tunnel_rekey == EVENT_TUNNEL_REKEY &&
		  (int)EVENT_ID_tunnel_reset == EVENT_TUNNEL_RESET &&
		  (int)EVENT_ID_tunnel_delete == EVENT_TUNNEL_GONE &&
		  (int)EVENT_ID_port_link == EVENT_PORT_LINK,
	      "event_table");

/* A phrase that was cut to its buffer may end in the middle of a character. */
static json_t *phrase(const char *text)
{
	size_t len = strlen(text);
	json_t *value = json_stringn(text, len);

	for (int cut = 0; value == NULL && cut < 4 && len > 0; cut++)
		value = json_stringn(text, --len);
	return value != NULL ? value : json_string("");
}

static void add_sa(json_t *view, const struct event *e)
{
	const struct sa *sa = e->sa;

	if (e->kind != EVENT_SA_MAPPING)
		json_object_set_new(view, "direction",
				    json_string(sa->direction == SA_INBOUND ? "in" : "out"));
	json_object_set_new(view, "spi", json_integer(sa->spi));
	if (e->kind == EVENT_SA_FAILURES)
		return;
	json_object_set_new(view, "local", address_view(&sa->spec.local));
	json_object_set_new(view, "remote", address_view(&sa->spec.remote));
}

static void add_source(json_t *view, const struct event *e)
{
	json_object_set_new(view, "new_remote", address_view(&e->source));
	json_object_set_new(view, "udp", json_boolean(e->source_port != 0));
	if (e->source_port != 0)
		json_object_set_new(view, "new_port", json_integer(e->source_port));
}

static void add_packet(json_t *view, const struct flow *f)
{
	const struct ip_addr local = ip_addr_from(f->family, f->local),
			     remote = ip_addr_from(f->family, f->remote);
	json_t *packet = json_pack("{s:o, s:o, s:i}", "local", address_view(&local), "remote",
				   address_view(&remote), "protocol", (int)f->proto);

	if (f->ports_known) {
		json_object_set_new(packet, "local_port", json_integer(f->local_port));
		json_object_set_new(packet, "remote_port", json_integer(f->remote_port));
	}
	json_object_set_new(view, "packet", packet);
}

static void add_change(json_t *view, const struct event *e)
{
	if (e->kind == EVENT_TUNNEL_STATE) {
		json_object_set_new(view, "state", json_string(tunnel_state(e->tunnel)));
		json_object_set_new(view, "was", json_string(e->was));
	}
	json_object_set_new(view, "reason", phrase(e->reason != NULL ? e->reason : ""));
	if (e->actor != NULL)
		json_object_set_new(view, "actor", phrase(e->actor));
}

json_t *event_view(const struct event *e)
{
	json_t *view = json_object();

	if (e->tunnel != NULL)
		json_object_set_new(view, "tunnel", json_string(e->tunnel->spec.name));
	switch (e->kind) {
	case EVENT_SA_SOFT:
	case EVENT_SA_HARD:
		add_sa(view, e);
		json_object_set_new(view, "limit", json_string(limit_name(e->limit)));
		break;
	case EVENT_SA_EXHAUSTED:
		add_sa(view, e);
		break;
	case EVENT_SA_MAPPING:
		add_sa(view, e);
		add_source(view, e);
		break;
	case EVENT_SA_FAILURES:
		add_sa(view, e);
		json_object_set_new(view, "reason", json_string(drop_name(e->drop)));
		json_object_set_new(view, "count", json_integer(e->count));
		break;
	case EVENT_ACQUIRE:
		if (e->policy != NULL)
			json_object_set_new(view, "policy", json_string(e->policy->name));
		add_packet(view, &e->flow);
		break;
	case EVENT_TUNNEL_STATE:
	case EVENT_TUNNEL_RESET:
	case EVENT_TUNNEL_GONE:
		add_change(view, e);
		break;
	case EVENT_TUNNEL_REKEY:
		json_object_set_new(view, "spi", json_integer(e->sa->spi));
		break;
	case EVENT_PORT_LINK:
		json_object_set_new(view, "port", json_string(e->port->name));
		json_object_set_new(view, "up", json_boolean(e->up));
		break;
	case EVENT_KINDS:
		break;
	}
	return view;
}
