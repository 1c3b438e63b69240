/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "control/selector_json.h"
#include "control/state.h"
#include "control/view.h"
#include "gateway/provision.h"

static const char *const df_names[] = {
    [SA_DF_COPY] = "copy", [SA_DF_SET] = "set", [SA_DF_CLEAR] = "clear"};

json_t *address_view(const struct ip_addr *a)
{
	char text[IP_TEXT_MAX];

	return json_string(ip_addr_text(a, text));
}

static json_t *counters_view(const struct sa *sa)
{
	struct sa_counters c;

	sa_counters(sa, &c);
	json_t *view =
	    json_pack("{s:I, s:I}", "packets", (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);
	if (c.last_used_tsc != 0)
		json_object_set_new(view, "last_used",
				    json_integer(call_seconds_since(c.last_used_tsc)));
	uint64_t drops = c.replay + c.window + c.icv + c.malformed + c.selector + c.ecn +
			 c.too_big + c.exhausted + c.expired;
	json_t *rest =
	    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "seq",
		      (json_int_t)c.seq, "drops", (json_int_t)drops, "replay", (json_int_t)c.replay,
		      "window", (json_int_t)c.window, "icv", (json_int_t)c.icv, "malformed",
		      (json_int_t)c.malformed, "selector", (json_int_t)c.selector, "ecn",
		      (json_int_t)c.ecn, "too_big", (json_int_t)c.too_big, "exhausted",
		      (json_int_t)c.exhausted, "expired", (json_int_t)c.expired);
	json_object_update_new(view, rest);
	return view;
}

static void put_limit(json_t *view, const char *name, uint64_t limit)
{
	if (limit != 0)
		json_object_set_new(view, name, json_integer((json_int_t)limit));
}

static json_t *lifetime_view(const struct sa_lifetime *l)
{
	json_t *view = json_object();

	put_limit(view, "soft_bytes", l->soft_bytes);
	put_limit(view, "hard_bytes", l->hard_bytes);
	put_limit(view, "soft_packets", l->soft_packets);
	put_limit(view, "hard_packets", l->hard_packets);
	put_limit(view, "soft_add_time", l->soft_add);
	put_limit(view, "hard_add_time", l->hard_add);
	put_limit(view, "soft_use_time", l->soft_use);
	put_limit(view, "hard_use_time", l->hard_use);
	put_limit(view, "soft_seq", l->soft_seq);
	return view;
}

static void inbound_view(json_t *view, const struct sa *sa)
{
	json_t *selectors = json_array();

	for (unsigned int i = 0; i < sa->spec.selectors; i++)
		json_array_append_new(selectors, selector_to_json(&sa->spec.selector[i]));
	json_object_set_new(view, "replay_window", json_integer(sa->spec.replay_window));
	json_object_set_new(view, "selectors", selectors);
}

static void outbound_view(json_t *view, const struct sa *sa)
{
	const struct sa_spec *spec = &sa->spec;

	json_object_set_new(view, "seq_first", json_integer((json_int_t)spec->seq_first));
	json_object_set_new(view, "seq_limit", json_integer((json_int_t)spec->seq_limit));
	json_object_set_new(view, "df", json_string(df_names[spec->df]));
	if (spec->dscp_set)
		json_object_set_new(view, "dscp", json_integer(spec->dscp));
	json_object_set_new(view, "ttl", json_integer(spec->ttl != 0 ? spec->ttl : 64));
}

static const char *state_of(const struct sa *sa)
{
	if (sa_expired(sa))
		return "expired";
	return gateway_sa_soft(sa) ? "soft" : "live";
}

void put_session(json_t *view, const struct control *c, uint32_t number)
{
	const struct session *one = number != 0 ? session_by_number(c->sessions, number) : NULL;

	if (one != NULL)
		json_object_set_new(view, "session", json_string(one->name));
}

json_t *sa_view(const struct control *c, const struct sa *sa)
{
	const struct sa_spec *spec = &sa->spec;
	const struct tunnel *t = tunnel_get(c->g->sadb, sa->tunnel);
	json_t *view = json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:b}", "direction",
				 sa->direction == SA_INBOUND ? "in" : "out", "spi",
				 (json_int_t)sa->spi, "tunnel", t != NULL ? t->spec.name : "",
				 "state", state_of(sa), "local", address_view(&spec->local),
				 "remote", address_view(&spec->remote), "udp", (int)spec->udp);

	if (spec->udp) {
		json_object_set_new(view, "local_port", json_integer(spec->local_port));
		json_object_set_new(view, "remote_port", json_integer(spec->remote_port));
	}
	json_object_set_new(view, "algorithm", json_string(aead_name(spec->algorithm)));
	json_object_set_new(view, "esn", json_boolean(spec->esn));
	if (sa->direction == SA_INBOUND)
		inbound_view(view, sa);
	else
		outbound_view(view, sa);
	json_object_set_new(view, "worker", json_integer(sa->owner));
	put_session(view, c, sa->session);
	json_object_set_new(view, "age", json_integer(call_seconds_since(sa->added_tsc)));
	json_object_set_new(view, "lifetime", lifetime_view(&spec->lifetime));
	json_object_set_new(view, "counters", counters_view(sa));
	return view;
}
