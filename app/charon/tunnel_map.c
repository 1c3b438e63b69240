/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel_map.h"

#include <ctype.h>
#include <threading/mutex.h>

#include "connection.h"

#define BASE_MAX_LEN 52 /* leaves room for a number, and for a policy's */
#define NEVER UINT64_MAX
#define EEXIST_CODE 3 /* docs/control.md */

static struct {
	mutex_t *lock;
	linked_list_t *all;
} m;

void tunnel_map_open(void)
{
	m.lock = mutex_create(MUTEX_TYPE_RECURSIVE);
	m.all = linked_list_create();
}

static void tunnel_destroy(struct tunnel *t)
{
	DESTROY_IF(t->local);
	DESTROY_IF(t->remote);
	free(t);
}

void tunnel_map_close(void)
{
	m.all->destroy_function(m.all, (void *)tunnel_destroy);
	m.lock->destroy(m.lock);
}

void shadow_lock(void)
{
	m.lock->lock(m.lock);
}

void shadow_unlock(void)
{
	m.lock->unlock(m.lock);
}

linked_list_t *tunnel_all(void)
{
	return m.all;
}

struct tunnel *tunnel_by_name(const char *name)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	struct tunnel *t, *found = NULL;

	while (found == NULL && e->enumerate(e, &t))
		if (streq(t->name, name))
			found = t;
	e->destroy(e);
	return found;
}

static bool device_in_use(const char *device)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	struct tunnel *t;
	bool found = false;

	while (!found && e->enumerate(e, &t))
		found = streq(t->device, device);
	e->destroy(e);
	return found;
}

/* What the gateway takes as a name: letters, digits and . _ - : @ +, the first a letter or digit.
 */
static void base_name(const struct names *n, uint32_t reqid, char base[BASE_MAX_LEN + 1])
{
	char text[3 * NAME_MAX_LEN + 8];

	if (n->connection[0] == '\0')
		snprintf(text, sizeof(text), "reqid-%u", reqid);
	else if (streq(n->connection, n->child))
		snprintf(text, sizeof(text), "%s", n->connection);
	else
		snprintf(text, sizeof(text), "%s.%s", n->connection, n->child);
	if (n->peer[0] != '\0') {
		size_t len = strlen(text);
		snprintf(text + len, sizeof(text) - len, "@%s", n->peer);
	}
	text[BASE_MAX_LEN] = '\0';
	for (char *at = text; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && (at == text || strchr("._-:@+", *at) == NULL))
			*at = at == text ? 'x' : '_';
	strcpy(base, text);
}

/* A setting of this tunnel: …tunnels.CONNECTION.CHILD.NAME, as its name reads. */
static char *own_setting(const struct names *n, const char *name)
{
	char key[4 * NAME_MAX_LEN];

	if (n->connection[0] == '\0' || strchr(n->connection, '%') || strchr(n->child, '%'))
		return NULL;
	if (streq(n->connection, n->child))
		snprintf(key, sizeof(key), SETTINGS "tunnels.%s.%s", "%s", n->connection, name);
	else
		snprintf(key, sizeof(key), SETTINGS "tunnels.%s.%s.%s", "%s", n->connection,
			 n->child, name);
	return lib->settings->get_str(lib->settings, key, NULL, lib->ns);
}

/* A name that the kernel takes, no longer than it takes. */
static void device_name(const char *tunnel, char device[DEVICE_MAX_LEN + 1])
{
	char text[NAME_MAX_LEN + 1];

	snprintf(text, sizeof(text), "%s", tunnel);
	for (char *at = text; *at != '\0'; at++)
		if (*at == ':' || *at == '@')
			*at = '-';
	snprintf(device, DEVICE_MAX_LEN + 1, "%s", text);
	for (int n = 2;
	     n < 1000 && (strlen(text) > DEVICE_MAX_LEN || n > 2) && device_in_use(device); n++)
		snprintf(device, DEVICE_MAX_LEN + 1, "%.*s+%d",
			 n < 10    ? 13
			 : n < 100 ? 12
				   : 11,
			 text, n);
}

static void choose_device(struct tunnel *t, const struct names *n, bool any)
{
	char *set = own_setting(n, "device");
	char *mode = lib->settings->get_str(lib->settings, SETTINGS "route_based", "auto", lib->ns);

	t->device[0] = '\0';
	if (set != NULL)
		snprintf(t->device, sizeof(t->device), "%s", set);
	else if (any && !streq(mode, "no"))
		device_name(t->name, t->device);
	t->route = t->device[0] != '\0';
}

static json_t *parameters(const struct tunnel *t)
{
	json_t *p = json_pack("{s:s, s:s, s:b, s:b}", "name", t->name, "device", t->device, "trap",
			      (int)t->trap, "exist_ok", 1);
	char text[64];

	if (p != NULL && t->local != NULL && !t->local->is_anyaddr(t->local)) {
		snprintf(text, sizeof(text), "%H", t->local);
		json_object_set_new(p, "local", json_string(text));
	}
	if (p != NULL && t->remote != NULL && !t->remote->is_anyaddr(t->remote)) {
		snprintf(text, sizeof(text), "%H", t->remote);
		json_object_set_new(p, "remote", json_string(text));
	}
	return p;
}

/* One of this name has other settings, such as the configuration file's: it is used as it is. */
static int learn(struct tunnel *t)
{
	json_t *view = NULL;
	int rc = connection_do(t->name, "tunnel.get", json_pack("{s:s}", "name", t->name), &view);

	if (rc != 0)
		return rc;
	const char *device = json_string_value(json_object_get(view, "device"));
	snprintf(t->device, sizeof(t->device), "%s", device != NULL ? device : "");
	t->route = t->device[0] != '\0';
	if (t->route && t->trap && !json_is_true(json_object_get(view, "trap")))
		DBG1(DBG_KNL,
		     "kernel-espalier: tunnel %s was made without \"trap\": traffic will not "
		     "bring it up",
		     t->name);
	json_decref(view);
	return 0;
}

int tunnel_tell(struct tunnel *t, bool again)
{
	struct espalier_error error;

	if (!again && t->told == connection_count())
		return 0;
	int rc = connection_call("tunnel.add", parameters(t), NULL, &error);
	if (rc == EEXIST_CODE)
		rc = learn(t);
	else if (rc != 0)
		DBG1(DBG_KNL, "kernel-espalier: tunnel %s: %s", t->name, error.message);
	if (rc == 0)
		t->told = connection_count();
	return rc;
}

static bool same_peer(const struct tunnel *t, host_t *remote)
{
	return t->remote == NULL || t->remote->is_anyaddr(t->remote) ||
	       remote->is_anyaddr(remote) || t->remote->ip_equals(t->remote, remote);
}

/*
 * By name; but a trap whose name was guessed wrong among configurations with equal
 * selectors has the reqid of its SAs nevertheless.
 */
static struct tunnel *find(const char *base, uint32_t reqid, host_t *remote)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	struct tunnel *t, *named = NULL, *unused = NULL, *trapped = NULL;

	while (e->enumerate(e, &t)) {
		if (streq(t->base, base) && t->reqid == reqid)
			named = t;
		else if (streq(t->base, base) && t->users == 0 && unused == NULL)
			unused = t;
		else if (t->reqid == reqid && t->traps > 0 && same_peer(t, remote))
			trapped = t;
	}
	e->destroy(e);
	return named != NULL ? named : trapped != NULL ? trapped : unused;
}

static struct tunnel *make(const struct names *names, const char *base, bool any)
{
	struct tunnel *t;

	INIT(t, .trap = names->trap, .of_many = names->peer[0] != '\0', .told = NEVER, );
	memcpy(t->connection, names->connection, sizeof(t->connection));
	memcpy(t->child, names->child, sizeof(t->child));
	snprintf(t->base, sizeof(t->base), "%s", base);
	snprintf(t->name, sizeof(t->name), "%s", base);
	for (int n = 2; tunnel_by_name(t->name) != NULL; n++)
		snprintf(t->name, sizeof(t->name), "%s+%d", base, n);
	choose_device(t, names, any);
	m.all->insert_last(m.all, t);
	return t;
}

static void forget(struct tunnel *t)
{
	m.all->remove(m.all, t, NULL);
	tunnel_destroy(t);
}

void tunnel_moved(struct tunnel *t, host_t *local, host_t *remote, uint32_t reqid)
{
	DESTROY_IF(t->local);
	DESTROY_IF(t->remote);
	t->local = local->clone(local);
	t->remote = remote->clone(remote);
	if (reqid != 0)
		t->reqid = reqid;
}

struct tunnel *tunnel_use(const struct names *names, uint32_t reqid, host_t *local, host_t *remote,
			  bool any, bool later)
{
	char base[BASE_MAX_LEN + 1];

	base_name(names, reqid, base);
	struct tunnel *t = find(base, reqid, remote);
	bool made = t == NULL;
	if (made)
		t = make(names, base, any);
	tunnel_moved(t, local, remote, reqid);
	int rc = tunnel_tell(t, false);
	if (rc != 0 && !(later && connection_lost(rc))) {
		if (made)
			forget(t);
		return NULL;
	}
	t->users++;
	return t;
}

void tunnel_unuse(struct tunnel *t)
{
	if (--t->users > 0 || !t->of_many)
		return;
	json_t *which = json_pack("{s:s, s:b}", "name", t->name, "missing_ok", 1);
	int rc = connection_call("tunnel.delete", json_incref(which), NULL, NULL);
	if (connection_lost(rc))
		connection_owe("tunnel.delete", json_incref(which));
	json_decref(which);
	forget(t);
}
