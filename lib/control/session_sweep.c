/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>
#include <rte_cycles.h>

#include "control/sessions.h"
#include "gateway/provision.h"
#include "report/log.h"

#define SLICE_US 1000
#define BATCH 64 /* objects between two looks at the clock, or taken from a list at once */

enum step { POLICIES, SAS_IN, SAS_OUT, TUNNELS, SPIS, DONE };

struct slice {
	struct sessions *s;
	const struct session *one;
	bool marked_only;
	const char *reason; /* NULL: only count */
	struct session_walk *walk;
	uint64_t end;
};

static bool is_over(const struct slice *l)
{
	return rte_rdtsc() >= l->end;
}

static bool concerns(const struct slice *l, uint32_t session, uint32_t mark)
{
	return session == l->one->number && (!l->marked_only || mark != l->one->epoch);
}

static void next_step(struct session_walk *w)
{
	w->step++;
	w->next = 0;
	w->begun = false;
}

struct found {
	const struct slice *slice;
	uint32_t n, id[BATCH];
	uint32_t count;
};

static bool find_policy(void *arg, const struct policy *p)
{
	struct found *f = arg;

	if (!concerns(f->slice, p->session, p->mark))
		return true;
	f->count++;
	if (f->n < BATCH)
		f->id[f->n++] = p->id;
	return f->slice->reason == NULL || f->n < BATCH;
}

/* A commit builds the lookup of all policies anew: one for the whole sweep. */
static void policies(struct slice *l)
{
	struct session_walk *w = l->walk;
	struct found f = {.slice = l};
	struct fault fault = {0};
	uint32_t done = 0;

	policy_each(l->s->g->spd, find_policy, &f);
	if (l->reason == NULL) {
		w->count.policies = f.count;
		next_step(w);
		return;
	}
	for (uint32_t i = 0; i < f.n && !is_over(l); i++)
		done += gateway_policy_delete(l->s->g, f.id[i], &fault) == 0;
	w->count.policies += done;
	if (done > 0 && (done == BATCH || done < f.n))
		return;
	if (w->count.policies > 0 && gateway_commit(l->s->g, &fault) != 0)
		log_error("session \"%s\": its policies stay in effect: %s", l->one->name,
			  fault.what);
	next_step(w);
}

/* Newest first: that end of a tunnel's list is near. */
static void sas(struct slice *l, enum sa_direction direction)
{
	struct session_walk *w = l->walk;
	struct sadb *db = l->s->g->sadb;

	if (!w->begun)
		w->next = sa_slots(db, direction);
	w->begun = true;
	while (w->next > 0) {
		struct sa *sa = sa_at(db, direction, --w->next);
		if (sa != NULL && concerns(l, sa->session, sa->mark)) {
			w->count.sas++;
			if (l->reason != NULL)
				gateway_sa_delete(l->s->g, sa, l->reason);
		}
		if (w->next % BATCH == 0 && is_over(l))
			return;
	}
	next_step(w);
}

struct tunnels {
	const struct slice *slice;
	uint32_t n;
	struct tunnel *tunnel[BATCH];
};

static bool find_tunnel(void *arg, struct tunnel *t)
{
	struct tunnels *f = arg;

	if (t->index >= f->slice->walk->next && concerns(f->slice, t->session, t->mark))
		f->tunnel[f->n++] = t;
	return f->n < BATCH;
}

static void tunnel(struct slice *l, struct tunnel *t)
{
	struct fault fault = {0};

	l->walk->next = t->index + 1;
	if (l->reason == NULL) {
		l->walk->count.tunnels++;
	} else if (t->in == NULL && t->out == NULL) {
		if (gateway_tunnel_delete(l->s->g, t, &fault) == 0)
			l->walk->count.tunnels++;
		else
			log_info("session \"%s\": tunnel \"%s\" stays: %s", l->one->name,
				 t->spec.name, fault.what);
	}
}

static void tunnels(struct slice *l)
{
	struct tunnels f = {.slice = l};

	tunnel_each(l->s->g->sadb, find_tunnel, &f);
	for (uint32_t i = 0; i < f.n; i++) {
		tunnel(l, f.tunnel[i]);
		if (is_over(l))
			return;
	}
	if (f.n < BATCH)
		next_step(l->walk);
}

/* The oldest come first, so that behind one that is not marked none is. */
static void spis(struct slice *l)
{
	struct session_walk *w = l->walk;
	struct spi_claim *c, *next;

	for (c = TAILQ_FIRST(&l->one->spis); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (l->marked_only && c->mark == l->one->epoch)
			break;
		w->count.spis++;
		if (l->reason == NULL)
			continue;
		spi_give_back(l->s, c);
		if (w->count.spis % BATCH == 0 && is_over(l))
			return;
	}
	next_step(w);
}

static bool walk(struct slice *l)
{
	l->end = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * SLICE_US;
	do {
		switch (l->walk->step) {
		case POLICIES:
			policies(l);
			break;
		case SAS_IN:
			sas(l, SA_INBOUND);
			break;
		case SAS_OUT:
			sas(l, SA_OUTBOUND);
			break;
		case TUNNELS:
			tunnels(l);
			break;
		case SPIS:
			spis(l);
			break;
		default:
			return false;
		}
	} while (!is_over(l));
	return l->walk->step != DONE;
}

bool session_count(struct sessions *s, const struct session *one, bool marked_only,
		   struct session_walk *w)
{
	return walk(&(struct slice){.s = s, .one = one, .marked_only = marked_only, .walk = w});
}

bool session_sweep(struct sessions *s, struct session *one, bool marked_only, const char *reason,
		   struct session_walk *w)
{
	return walk(&(struct slice){
	    .s = s, .one = one, .marked_only = marked_only, .reason = reason, .walk = w});
}
