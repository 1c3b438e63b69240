/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resync.h"

#include <collections/hashtable.h>

#include "connection.h"
#include "policy_map.h"
#include "sa_map.h"
#include "tunnel_map.h"

#define PAGE 500

static bool tell_all(void)
{
	struct tunnel *t;
	int rc = 0;

	shadow_lock();
	enumerator_t *e = tunnel_all()->create_enumerator(tunnel_all());
	while (!connection_lost(rc) && e->enumerate(e, &t))
		rc = tunnel_tell(t, true);
	e->destroy(e);
	if (!connection_lost(rc))
		rc = connection_do_many("policies", "policy.add", policy_map_parameters());
	shadow_unlock();
	return !connection_lost(rc);
}

/* ---- What the gateway has: views of SAs by direction, SPI and peer. ---- */

static char *key_of(bool inbound, uint32_t spi, const char *remote)
{
	char text[128];

	/* The gateway knows an inbound SA by its SPI alone. */
	snprintf(text, sizeof(text), "%s %08x %s", inbound ? "in" : "out", spi,
		 inbound ? "" : remote);
	return strdup(text);
}

static void forget(void *value, const void *key)
{
	json_decref(value);
	free((char *)key);
}

static bool read_sas(hashtable_t *have)
{
	json_t *view, *item, *next = json_null();
	size_t i;

	do {
		json_t *p = json_pack("{s:i}", "limit", PAGE);
		if (!json_is_null(next))
			json_object_set(p, "after", next);
		json_decref(next);
		view = NULL;
		if (connection_do("reading SAs", "sa.list", p, &view) != 0)
			return false;
		json_array_foreach (json_object_get(view, "items"), i, item) {
			bool inbound =
			    streq(json_string_value(json_object_get(item, "direction")), "in");
			char *key = key_of(
			    inbound, (uint32_t)json_integer_value(json_object_get(item, "spi")),
			    json_string_value(json_object_get(item, "remote")));
			json_t *old = have->put(have, key, json_incref(item));
			json_decref(old);
		}
		next = json_incref(json_object_get(view, "next"));
		json_decref(view);
	} while (next != NULL && !json_is_null(next));
	json_decref(next);
	return true;
}

/* ---- What charon has to be told. ---- */

static void expire(const struct sa *sa, bool hard)
{
	charon->kernel->expire(charon->kernel, sa->protocol, sa->spi,
			       sa->inbound ? sa->local : sa->remote, hard);
}

static bool passed(const json_t *view, const char *limit, json_int_t value)
{
	const json_t *set = json_object_get(json_object_get(view, "lifetime"), limit);

	return set != NULL && json_integer_value(set) != 0 && value >= json_integer_value(set);
}

static void check_limits(const struct sa *sa, const json_t *view)
{
	const json_t *counters = json_object_get(view, "counters");
	json_int_t bytes = json_integer_value(json_object_get(counters, "bytes"));
	json_int_t packets = json_integer_value(json_object_get(counters, "packets"));
	json_int_t age = json_integer_value(json_object_get(view, "age"));

	if (passed(view, "hard_bytes", bytes) || passed(view, "hard_packets", packets) ||
	    passed(view, "hard_add_time", age))
		expire(sa, true);
	else if (passed(view, "soft_bytes", bytes) || passed(view, "soft_packets", packets) ||
		 passed(view, "soft_add_time", age))
		expire(sa, false);
}

static const json_t *view_of(hashtable_t *have, const struct sa *sa)
{
	char remote[64];

	snprintf(remote, sizeof(remote), "%H", sa->remote);
	char *key = key_of(sa->inbound, ntohl(sa->spi), remote);
	const json_t *view = have->get(have, key);
	free(key);
	return view;
}

/* One rekey replaces both directions, so that the outbound SA counts only if just it is lost. */
static void compare(hashtable_t *have, const struct sa *all, size_t n)
{
	hashtable_t *rekeyed = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, n + 1);
	size_t lost = 0;

	for (int inbound = 1; inbound >= 0; inbound--)
		for (size_t i = 0; i < n; i++) {
			if (all[i].inbound != (inbound != 0))
				continue;
			const json_t *view = view_of(have, &all[i]);
			if (view != NULL) {
				check_limits(&all[i], view);
				continue;
			}
			lost++;
			if (!inbound && rekeyed->get(rekeyed, all[i].tunnel) != NULL)
				continue;
			rekeyed->put(rekeyed, all[i].tunnel, all[i].tunnel);
			expire(&all[i], false);
		}
	rekeyed->destroy(rekeyed);
	if (lost > 0)
		DBG1(DBG_KNL, "kernel-espalier: the gateway has lost %zu SAs: rekeying", lost);
}

bool resync(void)
{
	/* Before the gateway's are read: one that is added meanwhile is not lost. */
	size_t n;
	struct sa *all = sa_map_all(&n);
	hashtable_t *have = hashtable_create((hashtable_hash_t)hashtable_hash_str,
					     (hashtable_equals_t)hashtable_equals_str, 64);
	bool done = tell_all() && (n == 0 || read_sas(have));

	if (done)
		compare(have, all, n);
	have->destroy_function(have, forget);
	for (size_t i = 0; i < n; i++)
		sa_clear(&all[i]);
	free(all);
	return done;
}
