/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_map.h"

#include <collections/array.h>

#include "connection.h"
#include "sa_map.h"
#include "selector.h"

#define EEXIST_CODE 3 /* docs/control.md */
#define TRIES 1000

enum use { USE_SA, USE_TRAP, USE_GUARD };

/* One of charon's policies. */
struct user {
	enum use use;
	uint32_t spi; /* of the outbound SA; 0: trap */
};

struct policy {
	policy_type_t type; /* POLICY_IPSEC also while only a guard is left */
	traffic_selector_t *local, *remote;
	uint32_t reqid;
	uint32_t priority;
	struct tunnel *tunnel; /* POLICY_IPSEC */
	array_t *users;        /* struct user */
	char name[NAME_MAX_LEN + 1];
	bool told; /* the gateway has been */
	bool trap; /* as told */
};

static struct {
	linked_list_t *all;
	uint32_t number; /* of the last name given */
} m;

void policy_map_open(void)
{
	m.all = linked_list_create();
	m.number = 0;
}

static void policy_destroy(struct policy *p)
{
	DESTROY_IF(p->local);
	DESTROY_IF(p->remote);
	array_destroy(p->users);
	free(p);
}

void policy_map_close(void)
{
	m.all->destroy_function(m.all, (void *)policy_destroy);
}

static unsigned int count(const struct policy *p, enum use use)
{
	unsigned int n = 0;
	struct user u;

	for (int i = 0; array_get(p->users, i, &u); i++)
		n += u.use == use;
	return n;
}

static bool wants_trap(const struct policy *p)
{
	return p->tunnel != NULL && (p->tunnel->trap || count(p, USE_TRAP) > 0);
}

/* ---- The gateway's side. ---- */

static json_t *parameters(const struct policy *p, const char *name)
{
	static const char *const actions[] = {
	    [POLICY_IPSEC] = "protect", [POLICY_PASS] = "bypass", [POLICY_DROP] = "discard"};
	json_t *selector = selector_json(p->local, p->remote);

	if (selector == NULL)
		return NULL;
	json_t *j =
	    json_pack("{s:s, s:s, s:I, s:o, s:b}", "name", name, "action", actions[p->type],
		      "priority", (json_int_t)p->priority, "selector", selector, "exist_ok", 1);
	if (j != NULL && p->type == POLICY_IPSEC) {
		json_object_set_new(j, "tunnel", json_string(p->tunnel->name));
		json_object_set_new(j, "trap", json_boolean(wants_trap(p)));
	}
	return j;
}

static void give_name(struct policy *p)
{
	snprintf(p->name, sizeof(p->name), "%s:%u", p->tunnel != NULL ? p->tunnel->name : "shunt",
		 ++m.number);
}

/* A gateway may still have a policy of this name that an earlier charon has left. */
static int tell(struct policy *p)
{
	struct espalier_error error;
	int rc = EEXIST_CODE;

	if (p->tunnel != NULL && p->tunnel->route)
		return 0;
	for (int tries = 0; rc == EEXIST_CODE && tries < TRIES; tries++) {
		if (p->name[0] == '\0' || tries > 0)
			give_name(p);
		json_t *params = parameters(p, p->name);
		if (params == NULL)
			return ESPALIER_NO_MEMORY;
		rc = connection_call("policy.add", params, NULL, &error);
	}
	p->told = rc == 0;
	p->trap = wants_trap(p);
	if (rc != 0)
		DBG1(DBG_KNL, "kernel-espalier: policy %R === %R: %s%s%s", p->local, p->remote,
		     error.message, error.field[0] != '\0' ? ", field " : "", error.field);
	return rc;
}

static void untell(const char *name)
{
	json_t *which = json_pack("{s:s, s:b}", "name", name, "missing_ok", 1);

	/* Of a policy that was refused only the answer may have been lost. */
	int rc = connection_call("policy.delete", json_incref(which), NULL, NULL);
	if (connection_lost(rc))
		connection_owe("policy.delete", json_incref(which));
	json_decref(which);
}

/* The old one goes only when the new one is there: nothing may pass in between. */
static void tell_of_trap(struct policy *p)
{
	char old[NAME_MAX_LEN + 1];

	if (!p->told || p->trap == wants_trap(p))
		return;
	memcpy(old, p->name, sizeof(old));
	p->name[0] = '\0';
	int rc = tell(p);
	if (rc == 0) {
		untell(old);
	} else {
		if (connection_lost(rc))
			untell(p->name);
		memcpy(p->name, old, sizeof(old));
		p->told = true;
	}
}

/* ---- charon's side. ---- */

static struct policy *find(traffic_selector_t *local, traffic_selector_t *remote,
			   policy_type_t type, uint32_t reqid)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	struct policy *p, *found = NULL;

	while (found == NULL && e->enumerate(e, &p))
		if (p->type == type && (reqid == 0 || p->reqid == reqid) &&
		    p->local->equals(p->local, local) && p->remote->equals(p->remote, remote))
			found = p;
	e->destroy(e);
	return found;
}

/* What charon calls drop is, with an SA's priority, its guard while addresses change. */
static struct user user_of(const kernel_ipsec_manage_policy_t *data, policy_type_t *type)
{
	struct user u = {USE_SA, data->sa != NULL ? data->sa->esp.spi : 0};

	*type = data->type;
	if (data->type == POLICY_DROP && data->prio == POLICY_PRIORITY_DEFAULT) {
		*type = POLICY_IPSEC;
		u.use = USE_GUARD;
	} else if (data->type == POLICY_IPSEC && u.spi == 0) {
		u.use = USE_TRAP;
	}
	return u;
}

static struct tunnel *tunnel_for(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data,
				 struct user u, const struct names *names)
{
	struct sa sa;

	if (u.use == USE_TRAP)
		return tunnel_use(names, data->sa->reqid, data->src, data->dst,
				  selector_is_any(id->src_ts) && selector_is_any(id->dst_ts), true);
	if (!sa_map_get(data->dst, u.spi, IPPROTO_ESP, &sa))
		return NULL;
	if (sa.tunnel != NULL)
		sa.tunnel->users++;
	sa_clear(&sa);
	return sa.tunnel;
}

/* The last user has gone, or there never was one. */
static void discard(struct policy *p)
{
	m.all->remove(m.all, p, NULL);
	if (p->told)
		untell(p->name);
	if (p->tunnel != NULL)
		tunnel_unuse(p->tunnel);
	policy_destroy(p);
}

status_t policy_map_add(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data,
			const struct names *names)
{
	policy_type_t type;
	struct user u = user_of(data, &type);
	uint32_t reqid = data->sa != NULL ? data->sa->reqid : 0;
	struct policy *p = find(id->src_ts, id->dst_ts, type, reqid);
	bool made = p == NULL;

	if (made && u.use == USE_GUARD)
		return SUCCESS; /* of a tunnel that has no policies */
	if (made) {
		struct tunnel *t = NULL;
		if (type == POLICY_IPSEC && (t = tunnel_for(id, data, u, names)) == NULL) {
			DBG1(DBG_KNL, "kernel-espalier: policy %R === %R: no tunnel for it",
			     id->src_ts, id->dst_ts);
			return FAILED;
		}
		INIT(p, .type = type, .local = id->src_ts->clone(id->src_ts),
		     .remote = id->dst_ts->clone(id->dst_ts), .reqid = reqid, .tunnel = t,
		     .priority =
			 selector_priority(id->src_ts, id->dst_ts, data->prio, data->manual_prio),
		     .users = array_create(sizeof(struct user), 1), );
		m.all->insert_last(m.all, p);
	}
	array_insert(p->users, ARRAY_TAIL, &u);
	if (u.use == USE_TRAP && p->tunnel != NULL)
		p->tunnel->traps++;
	int rc = 0;
	if (!p->told)
		rc = tell(p);
	else if (u.use == USE_TRAP)
		tell_of_trap(p);
	if (rc == 0 || (u.use == USE_TRAP && connection_lost(rc)))
		return SUCCESS;
	array_remove(p->users, ARRAY_TAIL, NULL);
	if (u.use == USE_TRAP && p->tunnel != NULL)
		p->tunnel->traps--;
	if (made) {
		p->told = connection_lost(rc);
		discard(p);
	}
	return FAILED;
}

status_t policy_map_remove(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	policy_type_t type;
	struct user u = user_of(data, &type), have;
	struct policy *p =
	    find(id->src_ts, id->dst_ts, type, data->sa != NULL ? data->sa->reqid : 0);

	if (p == NULL)
		return u.use == USE_GUARD ? SUCCESS : NOT_FOUND;
	for (int i = 0; array_get(p->users, i, &have); i++) {
		if (have.use != u.use || have.spi != u.spi)
			continue;
		array_remove(p->users, i, NULL);
		if (u.use == USE_TRAP && p->tunnel != NULL)
			p->tunnel->traps--;
		if (array_count(p->users) == 0)
			discard(p);
		return SUCCESS;
	}
	return NOT_FOUND;
}

struct tunnel *policy_map_tunnel(traffic_selector_t *local, traffic_selector_t *remote)
{
	struct policy *p = find(local, remote, POLICY_IPSEC, 0);

	return p != NULL ? p->tunnel : NULL;
}

uint32_t policy_map_trap(const struct tunnel *t, const char *name)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	struct policy *p;
	uint32_t reqid = 0;

	while (reqid == 0 && e->enumerate(e, &p))
		if (p->tunnel == t && (name == NULL || streq(p->name, name)) &&
		    count(p, USE_TRAP) > 0)
			reqid = p->reqid;
	e->destroy(e);
	return reqid;
}

json_t *policy_map_parameters(void)
{
	enumerator_t *e = m.all->create_enumerator(m.all);
	json_t *all = json_array();
	struct policy *p;

	while (e->enumerate(e, &p)) {
		if (p->tunnel != NULL && p->tunnel->route)
			continue;
		if (p->name[0] == '\0')
			give_name(p);
		json_array_append_new(all, parameters(p, p->name));
		p->told = true;
		p->trap = wants_trap(p);
	}
	e->destroy(e);
	return all;
}

size_t policy_map_count(void)
{
	return (size_t)m.all->get_count(m.all);
}

void policy_map_flush(void)
{
	struct policy *p;

	while (m.all->get_first(m.all, (void **)&p) == SUCCESS)
		discard(p);
}
