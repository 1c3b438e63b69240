/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "leftovers.h"

#include <stdatomic.h>

#include "connection.h"
#include "policy_map.h"
#include "sa_map.h"

static atomic_bool present;
static time_t sweep_at; /* monotonic */

static json_int_t beyond(const json_t *installed, const char *kind, size_t own)
{
	json_int_t n = json_integer_value(json_object_get(installed, kind));

	return n > (json_int_t)own ? n - (json_int_t)own : 0;
}

void leftovers_look(void)
{
	json_t *view = NULL;

	/* charon may have begun already. */
	shadow_lock();
	if (connection_call("session.get", json_object(), &view, NULL) != 0) {
		shadow_unlock();
		return;
	}
	const json_t *installed = json_object_get(view, "installed");
	json_int_t more = beyond(installed, "sas", sa_map_count()) +
			  beyond(installed, "tunnels", tunnel_all()->get_count(tunnel_all())) +
			  beyond(installed, "policies", policy_map_count());
	shadow_unlock();
	json_decref(view);
	if (more == 0)
		return;
	DBG1(DBG_KNL,
	     "kernel-espalier: the gateway still has %lld objects of an earlier charon; they go "
	     "when they are replaced%s",
	     (long long)more, connection_grace() != 0 ? ", or after the time of grace" : "");
	sweep_at = time_monotonic(NULL) + connection_grace();
	atomic_store(&present, true);
}

/* One that the map knows is charon's own, and so is one that is being added. */
static bool is_leftover(const json_t *item)
{
	bool inbound = streq(json_string_value(json_object_get(item, "direction")), "in");
	const char *dst = json_string_value(json_object_get(item, inbound ? "local" : "remote"));
	uint32_t spi = htonl((uint32_t)json_integer_value(json_object_get(item, "spi")));
	host_t *host = dst != NULL ? host_create_from_string((char *)dst, 0) : NULL;
	struct sa sa;

	if (host == NULL)
		return false;
	bool known = sa_map_get(host, spi, IPPROTO_ESP, &sa);
	if (known)
		sa_clear(&sa);
	host->destroy(host);
	return !known;
}

static void delete_leftover(const json_t *item)
{
	json_t *p = json_pack(
	    "{s:O, s:O, s:O, s:b, s:s}", "direction", json_object_get(item, "direction"), "spi",
	    json_object_get(item, "spi"), "tunnel", json_object_get(item, "tunnel"), "missing_ok",
	    1, "reason", "replaced after a restart of charon");

	connection_call("sa.delete", p, NULL, NULL);
}

void leftovers_replaced(struct tunnel *t)
{
	json_t *view = NULL, *item;
	size_t i;

	if (!atomic_load(&present) || t->cleaned)
		return;
	t->cleaned = true;
	if (connection_call("sa.list", json_pack("{s:s, s:i}", "tunnel", t->name, "limit", 1000),
			    &view, NULL) != 0)
		return;
	json_array_foreach (json_object_get(view, "items"), i, item) {
		if (is_leftover(item))
			delete_leftover(item);
	}
	json_decref(view);
}

/* Any change of an SA says that its owner still wants it. */
static json_t *confirmations(void)
{
	json_t *all = json_array();
	char local[64], remote[64];
	size_t n;
	struct sa *sas = sa_map_all(&n);

	for (size_t i = 0; i < n; i++) {
		snprintf(local, sizeof(local), "%H", sas[i].local);
		snprintf(remote, sizeof(remote), "%H", sas[i].remote);
		json_array_append_new(all, json_pack("{s:s, s:I, s:s, s:s}", "direction",
						     sas[i].inbound ? "in" : "out", "spi",
						     (json_int_t)ntohl(sas[i].spi), "remote",
						     remote, "new_local", local));
		sa_clear(&sas[i]);
	}
	free(sas);
	return all;
}

void leftovers_tick(void)
{
	struct tunnel *t;

	if (!atomic_load(&present) || connection_grace() == 0 || time_monotonic(NULL) < sweep_at)
		return;
	shadow_lock();
	enumerator_t *e = tunnel_all()->create_enumerator(tunnel_all());
	int rc = 0;
	while (!connection_lost(rc) && e->enumerate(e, &t))
		rc = tunnel_tell(t, true);
	e->destroy(e);
	if (!connection_lost(rc))
		rc = connection_do_many("policies", "policy.add", policy_map_parameters());
	shadow_unlock();
	if (!connection_lost(rc))
		rc = connection_do_many("SAs", "sa.update", confirmations());
	if (connection_lost(rc))
		return;
	if (!connection_lost(connection_do("what an earlier charon has left", "session.sweep",
					   json_object(), NULL)))
		atomic_store(&present, false);
}
