/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sessions.h"
#include "report/log.h"

#define VANISHED "its client vanished"

struct sessions *sessions_create(struct gateway *g)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->g = g;
	TAILQ_INIT(&s->list);
	TAILQ_INIT(&s->abandoned);
	return s;
}

void sessions_destroy(struct sessions *s)
{
	struct session *one;
	struct spi_claim *claim;

	if (s == NULL)
		return;
	while ((one = TAILQ_FIRST(&s->list)) != NULL)
		session_forget(s, one);
	while ((claim = TAILQ_FIRST(&s->abandoned)) != NULL)
		spi_give_back(s, claim);
	free(s);
}

struct session *session_find(struct sessions *s, const char *name)
{
	struct session *one;

	TAILQ_FOREACH (one, &s->list, link)
		if (strcmp(one->name, name) == 0)
			return one;
	return NULL;
}

struct session *session_by_number(struct sessions *s, uint32_t number)
{
	struct session *one;

	TAILQ_FOREACH (one, &s->list, link)
		if (one->number == number)
			return one;
	return NULL;
}

void session_each(struct sessions *s, bool (*visit)(void *arg, struct session *one), void *arg)
{
	struct session *one;

	TAILQ_FOREACH (one, &s->list, link)
		if (!visit(arg, one))
			return;
}

static struct session *create(struct sessions *s, const char *name, uid_t uid, struct fault *fault)
{
	if (s->count >= SESSIONS_MAX) {
		fault_set(fault, ENOSPC, "name",
			  "there are %d sessions already; session.sweep by name ends one whose "
			  "client has vanished",
			  SESSIONS_MAX);
		return NULL;
	}
	struct session *one = calloc(1, sizeof(*one));
	if (one == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for another session");
		return NULL;
	}
	one->number = ++s->last_number;
	one->epoch = 1;
	one->uid = uid;
	snprintf(one->name, sizeof(one->name), "%s", name);
	TAILQ_INIT(&one->spis);
	TAILQ_INSERT_TAIL(&s->list, one, link);
	s->count++;
	return one;
}

struct session *session_join(struct sessions *s, const char *name, uid_t uid, uint32_t grace,
			     uint64_t now, bool *resumed, struct fault *fault)
{
	struct session *one = session_find(s, name);

	*resumed = one != NULL && one->connections == 0;
	if (one != NULL && uid != one->uid && uid != 0) {
		fault_set(fault, EACCES, "name",
			  "session \"%s\" belongs to uid %u; choose another name", name, one->uid);
		return NULL;
	}
	if (one == NULL)
		one = create(s, name, uid, fault);
	if (one == NULL)
		return NULL;
	if (*resumed) {
		one->epoch++;
		one->over = false;
		one->leftovers = (struct session_walk){0};
	}
	if (one->connections++ == 0)
		one->since = now;
	one->grace = grace;
	return one;
}

void session_leave(struct sessions *s, struct session *one, uint64_t now)
{
	if (--one->connections > 0)
		return;
	one->since = now;
	if (!one->claimed)
		session_forget(s, one);
	else if (one->grace > 0)
		log_notice("session \"%s\" has vanished; what it installed stays for %u seconds",
			   one->name, one->grace);
	else
		log_notice("session \"%s\" has vanished; what it installed stays", one->name);
}

void session_forget(struct sessions *s, struct session *one)
{
	spis_abandon(s, &one->spis);
	TAILQ_REMOVE(&s->list, one, link);
	s->count--;
	free(one);
}

static bool is_over(const struct session *one, uint64_t now)
{
	return one->connections == 0 && one->grace > 0 && now - one->since >= one->grace;
}

bool sessions_tick(struct sessions *s, uint64_t now)
{
	bool work = !TAILQ_EMPTY(&s->abandoned);
	struct session *one;

	TAILQ_FOREACH (one, &s->list, link) {
		if (is_over(one, now))
			one->over = true;
		work = work || one->over;
	}
	return work;
}

static struct session *first_over(struct sessions *s)
{
	struct session *one;

	TAILQ_FOREACH (one, &s->list, link)
		if (one->over)
			return one;
	return NULL;
}

bool sessions_clean(struct sessions *s)
{
	struct session *one = first_over(s);

	for (int i = 0; i < 1000 && !TAILQ_EMPTY(&s->abandoned); i++)
		spi_give_back(s, TAILQ_FIRST(&s->abandoned));
	if (one != NULL && !session_sweep(s, one, false, VANISHED, &one->leftovers)) {
		const struct session_count *n = &one->leftovers.count;
		log_notice("session \"%s\" did not come back within %u seconds: deleted %u "
			   "policies, %u SAs, %u tunnels, %u SPIs",
			   one->name, one->grace, n->policies, n->sas, n->tunnels, n->spis);
		session_forget(s, one);
	}
	return first_over(s) != NULL || !TAILQ_EMPTY(&s->abandoned);
}
