/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <time.h>

#include "gateway/state.h"

/* A wheel: a list for each eighth of a second or so, used again every 17 minutes. */
#define STEP_MS 128
#define SLOTS 8192
/* Of one call, so that many that end together do not stop the control thread. */
#define EXPIRIES_MAX 1024

/* Of an SA with a lifetime in seconds. */
struct sa_timer {
	LIST_ENTRY(sa_timer) in_slot;
	struct sa *sa;
	uint64_t added, used; /* milliseconds; used: 0 until then */
	uint64_t due;
	bool waiting; /* in a slot */
	bool soft;    /* raised */
};

LIST_HEAD(timers, sa_timer);

struct lifetimes {
	struct timers slot[SLOTS];
	uint64_t at; /* number of the slot that is looked at next */
};

uint64_t lifetime_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct lifetimes *lifetimes_create(uint64_t now)
{
	struct lifetimes *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->at = now / STEP_MS;
	return l;
}

static void wait_no_more(struct sa_timer *timer)
{
	if (timer->waiting)
		LIST_REMOVE(timer, in_slot);
	timer->waiting = false;
}

/* The earlier of two limits that are set, if any is. */
static void sooner(uint64_t from, uint32_t seconds, uint64_t *due)
{
	uint64_t at = from + seconds * UINT64_C(1000);

	if (from != 0 && seconds != 0 && at < *due)
		*due = at;
}

static void wait_for_next(struct lifetimes *l, struct sa_timer *timer)
{
	const struct sa_lifetime *life = &timer->sa->spec.lifetime;
	uint64_t due = UINT64_MAX;

	wait_no_more(timer);
	sooner(timer->added, life->hard_add, &due);
	sooner(timer->used, life->hard_use, &due);
	if (!timer->soft) {
		sooner(timer->added, life->soft_add, &due);
		sooner(timer->used, life->soft_use, &due);
	}
	if (due == UINT64_MAX)
		return;
	timer->due = due;
	/* What is due already must not wait for a whole turn of the wheel. */
	uint64_t slot = due / STEP_MS < l->at ? l->at : due / STEP_MS;
	LIST_INSERT_HEAD(&l->slot[slot % SLOTS], timer, in_slot);
	timer->waiting = true;
}

int lifetime_start(struct lifetimes *l, struct sa *sa, uint64_t now)
{
	const struct sa_lifetime *life = &sa->spec.lifetime;

	if (life->soft_add == 0 && life->hard_add == 0 && life->soft_use == 0 &&
	    life->hard_use == 0)
		return 0;
	sa->timer = calloc(1, sizeof(*sa->timer));
	if (sa->timer == NULL)
		return -1;
	/* 0 stands for never. */
	*sa->timer = (struct sa_timer){.sa = sa, .added = now != 0 ? now : 1};
	wait_for_next(l, sa->timer);
	return 0;
}

void lifetime_forget(struct sa *sa)
{
	if (sa->timer == NULL)
		return;
	wait_no_more(sa->timer);
	free(sa->timer);
	sa->timer = NULL;
}

void lifetime_used(struct lifetimes *l, struct sa *sa, uint64_t now)
{
	if (sa->timer == NULL || sa->timer->used != 0)
		return;
	sa->timer->used = now != 0 ? now : 1;
	wait_for_next(l, sa->timer);
}

bool lifetime_soft_raised(struct lifetimes *l, struct sa *sa)
{
	if (sa->timer == NULL)
		return false;
	bool before = sa->timer->soft;
	sa->timer->soft = true;
	if (!before)
		wait_for_next(l, sa->timer);
	return before;
}

static bool is_beyond(uint64_t value, uint64_t limit)
{
	return limit != 0 && value >= limit;
}

bool gateway_sa_soft(const struct sa *sa)
{
	const struct sa_lifetime *life = &sa->spec.lifetime;
	uint64_t number = life->soft_seq;
	struct sa_counters now;

	if (sa->timer != NULL && sa->timer->soft)
		return true;
	sa_counters(sa, &now);
	/* As sa/lifetime.c has it. */
	if (number == 0 && !sa->spec.esn)
		number = UINT32_MAX / 8 * UINT64_C(7);
	return is_beyond(now.bytes, life->soft_bytes) ||
	       is_beyond(now.packets, life->soft_packets) ||
	       (sa->direction == SA_OUTBOUND && is_beyond(now.seq, number));
}

static bool reached(uint64_t from, uint32_t seconds, uint64_t now)
{
	return from != 0 && seconds != 0 && now >= from + seconds * UINT64_C(1000);
}

static void fire(struct provision *p, struct sa_timer *timer, uint64_t now)
{
	const struct sa_lifetime *life = &timer->sa->spec.lifetime;
	bool by_add = reached(timer->added, life->hard_add, now);

	if (by_add || reached(timer->used, life->hard_use, now)) {
		sa_end(p, timer->sa, EVENT_SA_HARD, by_add ? LIMIT_ADD_TIME : LIMIT_USE_TIME);
		return;
	}
	timer->soft = true;
	by_add = reached(timer->added, life->soft_add, now);
	wait_for_next(p->lifetimes, timer);
	sa_event(p, EVENT_SA_SOFT, timer->sa, by_add ? LIMIT_ADD_TIME : LIMIT_USE_TIME);
}

void lifetimes_run(struct provision *p, uint64_t now)
{
	struct lifetimes *l = p->lifetimes;
	uint64_t end = now / STEP_MS;
	unsigned int left = EXPIRIES_MAX;

	/* After a long pause each slot is looked at once. */
	if (end - l->at >= SLOTS)
		l->at = end - SLOTS + 1;
	for (;;) {
		struct sa_timer *timer = LIST_FIRST(&l->slot[l->at % SLOTS]), *next;
		for (; timer != NULL; timer = next) {
			next = LIST_NEXT(timer, in_slot);
			if (timer->due > now)
				continue;
			if (left-- == 0)
				return;
			fire(p, timer, now);
		}
		if (l->at == end)
			return;
		l->at++;
	}
}
