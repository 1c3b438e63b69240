/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/state.h"

struct espalier *espalier_open(const char *socket)
{
	struct espalier *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->path = link_path(socket);
	if (e->path == NULL || waker_init(&e->waker) != 0) {
		free(e->path);
		free(e);
		return NULL;
	}
	atomic_init(&e->next_id, 1);
	e->link = LINK_NONE;
	TAILQ_INIT(&e->out);
	TAILQ_INIT(&e->waiters);
	pthread_mutex_init(&e->lock, NULL);
	clock_cond_init(&e->opened);
	clock_cond_init(&e->idle);
	return e;
}

void espalier_close(struct espalier *e)
{
	struct waiter *w;
	struct line *l;

	if (e == NULL)
		return;
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->waker.closing, true);
	wake_up(&e->waker);
	pthread_cond_broadcast(&e->opened);
	TAILQ_FOREACH (w, &e->waiters, next)
		pthread_cond_signal(&w->wake);
	while (e->callers > 0)
		clock_cond_wait(&e->idle, &e->lock, DEADLINE_NEVER);
	pthread_mutex_unlock(&e->lock);

	while ((l = TAILQ_FIRST(&e->out)) != NULL) {
		TAILQ_REMOVE(&e->out, l, next);
		line_free(l);
	}
	link_close(&e->link);
	waker_fini(&e->waker);
	pthread_cond_destroy(&e->opened);
	pthread_cond_destroy(&e->idle);
	pthread_mutex_destroy(&e->lock);
	free(e->session);
	free(e->path);
	free(e);
}

void espalier_session(struct espalier *e, const char *name, uint32_t grace)
{
	free(e->session);
	e->session = strdup(name);
	e->introduces = true;
	e->grace = grace;
}

uint64_t espalier_connections(struct espalier *e)
{
	return atomic_load(&e->connections);
}
