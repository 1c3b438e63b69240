/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_STATE_H
#define ESPALIER_CLIENT_STATE_H

#include <pthread.h>
#include <sys/queue.h>

#include "client/link.h"
#include "client/wiped.h"

/*
 * One connection that many threads share. There is no thread of the library's own,
 * so that programs may fork, block signals and end as they like: of the callers
 * that wait, one at a time (the leader) reads, hands each answer to the caller
 * whose id it bears, and passes the lead on when its own answer is there. Sending
 * never blocks: what the socket does not take at once stays in `out`, and the
 * leader sends it on.
 */

/* A line to be sent. It outlives its caller where it is half sent at the caller's deadline. */
struct line {
	TAILQ_ENTRY(line) next;
	struct wiped text;
	size_t sent;
	struct waiter *owner; /* NULL: gave up */
};

/* A caller that waits for the answers to ids first … first + count - 1. */
struct waiter {
	TAILQ_ENTRY(waiter) next;
	pthread_cond_t wake;
	uint64_t first;
	size_t count, answered;
	json_t **answer;   /* [count]; NULL until it is there */
	struct line *line; /* NULL once it is sent */
	bool done;
	bool unsent; /* done because the connection broke, before a byte of it was sent */
	int code;    /* done without all answers: why */
	struct espalier_error *error;
};

struct espalier {
	char *path;
	bool introduces; /* by session.open */
	char *session;   /* NULL: there was no memory for its name */
	uint32_t grace;
	struct waker waker;
	_Atomic uint64_t next_id, connections;

	pthread_mutex_t lock; /* of all that follows; link.in is the leader's alone */
	pthread_cond_t opened, idle;
	unsigned int callers;
	bool opening; /* a caller connects; the others wait for `opened` */
	bool led;     /* there is a leader */
	struct link link;
	int broken; /* sending failed with this errno: the leader reads the rest and ends it */
	TAILQ_HEAD(, line) out;
	bool out_watched; /* the leader waits until it can send, too */
	TAILQ_HEAD(, waiter) waiters;
	/* An error without an id: about the connection, or about a line that could not be read. */
	uint64_t settled;  /* the last id that was answered on this connection */
	uint64_t forsaken; /* the first one behind it whose caller gave up; 0: none */
	bool said;
	uint64_t said_to; /* the oldest id that waited for an answer; 0: nobody's */
	int64_t said_until;
	struct espalier_error last_words;
};

/* share.c. With the lock held, unless it says otherwise. */

/* A connection that is open and introduced. 0, or the code in *error. */
int share_connect(struct espalier *e, int64_t deadline, struct espalier_error *error);
/*
 * Send w->line and wait until w is done, or to the deadline. 0: all answers are in
 * w->answer; else the code in *w->error, which is no NULL, and w->unsent. The line
 * is taken over unless w->unsent.
 */
int share_exchange(struct espalier *e, struct waiter *w, int64_t deadline);

/* The same with what belongs around it: connects, and sends again what could not be sent. No lock.
 */
int share_call(struct espalier *e, struct waiter *w, int64_t deadline);

struct line *line_create(void); /* NULL: no memory */
void line_free(struct line *l);

/* request.c: "{…}" of one request; with a secret, its hexadecimal text is params' member "key". */
#define REQUEST_LINE_MAX (1U << 20) /* what a gateway takes, newline included */
struct secret {
	const uint8_t *key;
	size_t len;
};
void request_print(struct wiped *t, uint64_t id, const char *method, const json_t *params,
		   const struct secret *secret);
/* espalier_call() with a secret. */
int request_call(struct espalier *e, const char *method, const json_t *params,
		 const struct secret *secret, int timeout_ms, json_t **result,
		 struct espalier_error *error);

#endif
