/* SPDX-License-Identifier: BSD-3-Clause */
#include "spd/spd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rcu/rcu.h"
#include "spd/acl.h"
#include "spd/view.h"

#define RULES_PER_POLICY_MAX 4096
#define RULES_MAX (1u << 17)

static struct spd_view *current(const struct spd *s)
{
	return atomic_load_explicit(&s->view, memory_order_relaxed);
}

struct spd *spd_create(struct fault *fault)
{
	struct spd *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for the policy database");
		return NULL;
	}
	if (getrandom(s->seed, sizeof(s->seed), 0) != sizeof(s->seed)) {
		fault_set(fault, EIO, "", "the kernel gives no random numbers");
		free(s);
		return NULL;
	}
	s->changed = true;
	if (spd_commit(s, fault) < 0) {
		free(s);
		return NULL;
	}
	return s;
}

void spd_destroy(struct spd *s)
{
	if (s == NULL)
		return;
	rcu_defer(view_free, current(s));
	rcu_barrier();
	for (unsigned int i = 0; i < SPD_WORKERS_MAX; i++)
		free(s->counts[i]);
	table_fini(&s->table);
	free(s->retired);
	free(s);
}

static int check_range(const struct ip_addr *first, const struct ip_addr *last, uint8_t family,
		       const char *where, struct fault *fault)
{
	char text[IP_TEXT_MAX], text2[IP_TEXT_MAX];

	if ((family != 4 && family != 6) || first->family != family || last->family != family)
		return fault_set(fault, EINVAL, where,
				 "%s-%s: all addresses of a selector are IPv4 or all are IPv6",
				 ip_addr_text(first, text), ip_addr_text(last, text2));
	if (ip_addr_compare(first, last) > 0)
		return fault_set(fault, EINVAL, where, "%s-%s: the first lies above the last",
				 ip_addr_text(first, text), ip_addr_text(last, text2));
	return 0;
}

static int check_ports(uint16_t first, uint16_t last, const char *where, struct fault *fault)
{
	if (first > last)
		return fault_set(fault, EINVAL, where, "%u-%u: the first lies above the last",
				 first, last);
	return 0;
}

static int check_selector(const struct selector *s, struct fault *fault)
{
	uint8_t family = s->local_first.family;
	int err;

	if ((err = check_range(&s->local_first, &s->local_last, family, "local", fault)) < 0 ||
	    (err = check_range(&s->remote_first, &s->remote_last, family, "remote", fault)) < 0 ||
	    (err = check_ports(s->local_port_first, s->local_port_last, "local_port", fault)) < 0 ||
	    (err = check_ports(s->remote_port_first, s->remote_port_last, "remote_port", fault)) <
		0)
		return err;
	return 0;
}

static int check_policy(const struct spd *s, const struct policy *p, struct fault *fault)
{
	if (p->name[0] == '\0' || memchr(p->name, '\0', sizeof(p->name)) == NULL)
		return fault_set(fault, EINVAL, "name", "a policy's name has 1 to %d bytes",
				 POLICY_NAME_MAX - 1);
	if (table_find_name(&s->table, p->name) != NULL)
		return fault_set(fault, EEXIST, "name", "a policy \"%s\" is there already",
				 p->name);
	if (p->action < POLICY_PROTECT || p->action > POLICY_DISCARD)
		return fault_set(fault, EINVAL, "action",
				 "%d is none of protect, bypass and discard", (int)p->action);
	if (p->action == POLICY_PROTECT && p->tunnel == TUNNEL_NONE)
		return fault_set(fault, EINVAL, "tunnel", "protect needs a tunnel");
	return check_selector(&p->selector, fault);
}

int policy_add(struct spd *s, struct policy *policy, struct fault *fault)
{
	int err = check_policy(s, policy, fault);

	if (err < 0)
		return err;
	uint32_t rules = acl_rule_count(&policy->selector);
	uint32_t all = s->table.rules[0] + s->table.rules[1];
	if (rules > RULES_PER_POLICY_MAX)
		return fault_set(fault, ENOSPC, "selector",
				 "the address ranges make %u pairs of prefixes, more than %d: "
				 "choose ranges that begin and end at rounder addresses",
				 rules, RULES_PER_POLICY_MAX);
	if (rules > RULES_MAX - all)
		return fault_set(fault, ENOSPC, "selector",
				 "all policies together make %u pairs of prefixes, more than %u",
				 all + rules, RULES_MAX);
	struct policy_entry *e = table_insert(&s->table, policy, rules);
	if (e == NULL)
		return fault_set(fault, ENOSPC, "", "no room for a policy besides the %u there",
				 s->table.count);
	policy->id = e->policy.id;
	for (unsigned int i = 0; i < SPD_WORKERS_MAX; i++) {
		if (s->counts[i] != NULL) {
			e->packets += relaxed_load(&s->counts[i][e->slot].packets);
			e->bytes += relaxed_load(&s->counts[i][e->slot].bytes);
		}
	}
	s->changed = true;
	return 0;
}

static bool make_retired_room(struct spd *s)
{
	if (s->retired_count < s->retired_room)
		return true;
	uint32_t room = s->retired_room > 0 ? s->retired_room * 2 : 64;
	uint32_t *retired = realloc(s->retired, room * sizeof(*retired));
	if (retired == NULL)
		return false;
	s->retired = retired;
	s->retired_room = room;
	return true;
}

int policy_remove(struct spd *s, uint32_t id)
{
	struct policy_entry *e = table_find_id(&s->table, id);

	if (e == NULL)
		return -ENOENT;
	if (!e->committed)
		table_release_slot(&s->table, e->slot);
	else if (make_retired_room(s))
		s->retired[s->retired_count++] = e->slot;
	else
		return -ENOMEM;
	table_remove(&s->table, e);
	s->changed = true;
	return 0;
}

const struct policy *policy_find(const struct spd *s, const char *name)
{
	const struct policy_entry *e = table_find_name(&s->table, name);

	return e != NULL ? &e->policy : NULL;
}

void policy_each(const struct spd *s, bool (*visit)(void *arg, const struct policy *p), void *arg)
{
	for (uint32_t i = 0; i < s->table.count; i++) {
		if (!visit(arg, &s->table.order[i]->policy))
			return;
	}
}

uint32_t policy_count(const struct spd *s)
{
	return s->table.count;
}

void policy_hits(const struct spd *s, uint32_t id, uint64_t *packets, uint64_t *bytes)
{
	const struct policy_entry *e = table_find_id(&s->table, id);

	*packets = 0;
	*bytes = 0;
	if (e == NULL)
		return;
	for (unsigned int i = 0; i < SPD_WORKERS_MAX; i++) {
		if (s->counts[i] != NULL) {
			*packets += relaxed_load(&s->counts[i][e->slot].packets);
			*bytes += relaxed_load(&s->counts[i][e->slot].bytes);
		}
	}
	*packets -= e->packets;
	*bytes -= e->bytes;
}

const struct policy *spd_explain(const struct spd *s, const struct flow *f)
{
	for (uint32_t i = 0; i < s->table.count; i++) {
		if (selector_match(&s->table.order[i]->policy.selector, f))
			return &s->table.order[i]->policy;
	}
	return NULL;
}

int policy_claim(struct spd *s, uint32_t id, uint32_t session, uint32_t mark)
{
	struct policy_entry *e = table_find_id(&s->table, id);

	if (e == NULL)
		return -ENOENT;
	e->policy.session = session;
	e->policy.mark = mark;
	return 0;
}
