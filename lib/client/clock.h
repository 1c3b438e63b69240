/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_CLOCK_H
#define ESPALIER_CLIENT_CLOCK_H

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Deadlines: milliseconds of CLOCK_MONOTONIC, so that nobody who sets the clock matters. */
#define DEADLINE_NEVER INT64_MAX

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Below 0: none. */
static inline int64_t deadline_in(int timeout_ms)
{
	return timeout_ms < 0 ? DEADLINE_NEVER : now_ms() + timeout_ms;
}

/* For poll(2): never less than what is left, so that no wait ends before its time. */
static inline int left_ms(int64_t deadline)
{
	if (deadline == DEADLINE_NEVER)
		return -1;
	int64_t left = deadline - now_ms();
	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* `cond` was made with clock_cond_init(). */
static inline void clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline)
{
	if (deadline == DEADLINE_NEVER) {
		pthread_cond_wait(cond, lock);
	} else {
		struct timespec until = {.tv_sec = deadline / 1000,
					 .tv_nsec = deadline % 1000 * 1000000};
		pthread_cond_timedwait(cond, lock, &until);
	}
}

static inline void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

#endif
