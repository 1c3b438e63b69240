/* SPDX-License-Identifier: BSD-3-Clause */
#include "sa/tunnel.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>

#include "mtu/payload.h"
#include "rcu/rcu.h"
#include "sa/sadb.h"

#define NO_DEVICE UINT16_MAX

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct tunnel *)a)->spec.name, ((const struct tunnel *)b)->spec.name);
}

static int check_spec(const struct sadb *db, const struct tunnel_spec *spec, struct fault *fault)
{
	if (spec->name[0] == '\0')
		return fault_set(fault, EINVAL, "name", "a tunnel needs a name");
	if (tunnel_find(db, spec->name) != NULL)
		return fault_set(fault, EEXIST, "name", "there is a tunnel \"%s\" already",
				 spec->name);
	if (spec->local.family != 0 && spec->remote.family != 0 &&
	    spec->local.family != spec->remote.family)
		return fault_set(fault, EINVAL, "remote",
				 "local is IPv%u and remote is IPv%u; both must be of one family",
				 spec->local.family, spec->remote.family);
	if (db->tunnels_count >= db->config.tunnels_max)
		return fault_set(fault, ENOSPC, "",
				 "there are %u tunnels, the limit of this gateway (limits.tunnels)",
				 db->tunnels_count);
	return 0;
}

int tunnel_add(struct sadb *db, const struct tunnel_spec *spec, struct tunnel **out,
	       struct fault *fault)
{
	int rc = check_spec(db, spec, fault);
	if (rc != 0)
		return rc;

	struct tunnel *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return fault_set(fault, ENOMEM, "", "no memory for another tunnel");
	t->spec = *spec;
	if (tsearch(t, &db->tunnel_names, compare_names) == NULL) {
		free(t);
		return fault_set(fault, ENOMEM, "", "no memory for another tunnel");
	}
	while (db->tunnels[db->tunnel_next] != NULL)
		db->tunnel_next = (db->tunnel_next + 1) % db->config.tunnels_max;
	t->index = db->tunnel_next;
	db->tunnel_next = (t->index + 1) % db->config.tunnels_max;
	t->since_tsc = rte_rdtsc();
	db->tunnels[t->index] = t;
	db->tunnels_count++;

	struct tunnel_hot *hot = &db->hot.tunnel[t->index];
	atomic_store(&hot->life, (uint16_t)((atomic_load(&hot->life) + 1u) % TUNNEL_LIVES));
	t->handle = sad_tunnel_handle(&db->hot, t->index);
	hot->owner = (uint8_t)(t->index % db->config.workers);
	atomic_store(&hot->out, NULL);
	tunnel_set_mtu(db, t, spec->mtu);
	tunnel_set_device(db, t, NO_DEVICE, 0);
	tunnel_set_trap(db, t, spec->trap);
	t->state = tunnel_state(t);
	if (out != NULL)
		*out = t;
	return 0;
}

void tunnel_delete(struct sadb *db, struct tunnel *t)
{
	while (t->in != NULL)
		sa_delete(db, t->in);
	while (t->out != NULL)
		sa_delete(db, t->out);
	tunnel_set_device(db, t, NO_DEVICE, 0);
	tunnel_set_trap(db, t, false); /* what waits for it is dropped */
	/* The SAs' last numbers are folded into this tunnel, and its index is used again. */
	rcu_barrier();
	tdelete(t, &db->tunnel_names, compare_names);
	db->tunnels[t->index] = NULL;
	db->tunnels_count--;
	free(t);
}

struct tunnel *tunnel_find(const struct sadb *db, const char *name)
{
	struct tunnel wanted;

	snprintf(wanted.spec.name, sizeof(wanted.spec.name), "%s", name);
	struct tunnel *const *found = tfind(&wanted, &db->tunnel_names, compare_names);
	return found != NULL ? *found : NULL;
}

struct tunnel *tunnel_get(const struct sadb *db, uint32_t index)
{
	return index < db->config.tunnels_max ? db->tunnels[index] : NULL;
}

void tunnel_each(const struct sadb *db, bool (*visit)(void *arg, struct tunnel *t), void *arg)
{
	for (uint32_t i = 0; i < db->config.tunnels_max; i++) {
		if (db->tunnels[i] != NULL && !visit(arg, db->tunnels[i]))
			return;
	}
}

uint32_t tunnel_count(const struct sadb *db)
{
	return db->tunnels_count;
}

static void add_totals(struct tunnel_totals *sum, const struct sa *sa,
		       const struct sa_counters *less)
{
	struct sa_counters now;

	sa_counters(sa, &now);
	if (sa->direction == SA_INBOUND) {
		sum->packets_in += now.packets - less->packets;
		sum->bytes_in += now.bytes - less->bytes;
		sum->drops_in += now.replay - less->replay + now.window - less->window + now.icv -
				 less->icv + now.malformed - less->malformed + now.selector -
				 less->selector + now.ecn - less->ecn + now.expired - less->expired;
	} else {
		sum->packets_out += now.packets - less->packets;
		sum->bytes_out += now.bytes - less->bytes;
		/* What an SA refused before it expired is counted as expired from then on. */
		sum->drops_out += now.too_big - less->too_big + now.exhausted + now.expired -
				  less->exhausted - less->expired;
	}
}

void sa_fold(struct tunnel *t, struct sa *sa)
{
	add_totals(&t->past, sa, &sa->folded);
	sa_counters(sa, &sa->folded);
}

void tunnel_totals(const struct tunnel *t, struct tunnel_totals *out)
{
	*out = t->past;
	for (const struct sa *sa = t->in; sa != NULL; sa = sa->tunnel_next)
		add_totals(out, sa, &sa->folded);
	for (const struct sa *sa = t->out; sa != NULL; sa = sa->tunnel_next)
		add_totals(out, sa, &sa->folded);
}

struct sa *tunnel_sender(const struct tunnel *t)
{
	struct sa *sa = t->out;

	while (sa != NULL && !sa->live)
		sa = sa->tunnel_next;
	return sa != NULL ? sa : t->out;
}

const char *tunnel_state(const struct tunnel *t)
{
	if (t->live_in > 0 && t->live_out > 0)
		return "up";
	return t->live_in > 0 || t->live_out > 0 ? "half" : "down";
}

void tunnel_state_follow(struct tunnel *t)
{
	const char *now = tunnel_state(t);

	if (now == t->state)
		return;
	t->state = now;
	t->since_tsc = rte_rdtsc();
}

uint16_t tunnel_mtu(const struct tunnel *t, uint16_t outer_mtu)
{
	if (t->spec.mtu != 0)
		return t->spec.mtu;
	return t->out == NULL
		   ? 0
		   : mtu_payload(outer_mtu, t->out->spec.remote.family, t->out->spec.udp);
}

void tunnel_publish(struct sadb *db, struct tunnel *t)
{
	const struct sa *sender = tunnel_sender(t);

	atomic_store_explicit(&db->hot.tunnel[t->index].out, sender != NULL ? sender->out : NULL,
			      memory_order_release);
}

void tunnel_set_mtu(struct sadb *db, struct tunnel *t, uint16_t mtu)
{
	t->spec.mtu = mtu;
	atomic_store_explicit(&db->hot.tunnel[t->index].mtu, mtu, memory_order_relaxed);
}

void tunnel_set_trap(struct sadb *db, struct tunnel *t, bool trap)
{
	atomic_store_explicit(&db->hot.tunnel[t->index].trap, trap, memory_order_relaxed);
}

void tunnel_set_device(struct sadb *db, struct tunnel *t, uint16_t device, int ifindex)
{
	t->device = device;
	t->ifindex = ifindex;
	atomic_store_explicit(&db->hot.tunnel[t->index].device, device, memory_order_relaxed);
}
