/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SESSION_H
#define ESPALIER_CONTROL_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "report/fault.h"
#include "worker/gateway.h"

/*
 * Who installed what. A client that introduces itself by name (session.open) owns
 * the SAs, tunnels, policies and SPIs that it installs from then on. When the last
 * of its connections ends, everything stays and keeps carrying traffic. When it
 * comes back under its name, what it has installed before is marked: adding it
 * again with exist_ok, or sa.update, removes the mark; session.sweep deletes what
 * is still marked. If it stays away for its grace period, everything that it
 * installed is deleted. What a nameless client or the configuration installed has
 * session 0 and is never swept. Control thread.
 *
 * An object carries the number of its session and, as `mark`, the epoch of the
 * session when it was last confirmed: it is marked where that is not the epoch
 * of now. An object whose session is no more is nobody's, as one of session 0.
 */
#define SESSION_NAME_MAX 64
#define SESSIONS_MAX 256

/* An inbound SPI that spi.alloc has handed out, among those of its session or client. */
struct spi_claim {
	TAILQ_ENTRY(spi_claim) link;
	struct spi_claims *owner;
	uint32_t spi, mark;
};
TAILQ_HEAD(spi_claims, spi_claim);

struct session_count {
	uint32_t policies, sas, tunnels, spis;
};

/* How far a count or a sweep has come. All zeros: at the beginning. */
struct session_walk {
	uint8_t step;
	bool begun;
	uint32_t next;  /* of the step: a slot, an index */
	uint32_t epoch; /* for the caller: of the session when it began */
	struct session_count count;
};

struct session {
	TAILQ_ENTRY(session) link;
	uint32_t number; /* never 0, never used again */
	char name[SESSION_NAME_MAX];
	uid_t uid;            /* only the same user may resume it, or root */
	uint32_t epoch;       /* grows when the client comes back after it had vanished */
	uint32_t connections; /* 0: vanished */
	uint32_t grace;       /* seconds; 0: for ever */
	uint64_t since;       /* seconds of the caller's clock: connected or vanished */
	bool claimed;         /* it has installed something */
	bool over;            /* its grace has passed */
	struct spi_claims spis;
	struct session_walk leftovers; /* the sweep after the grace period */
};

struct sessions;

struct sessions *sessions_create(struct gateway *g);
void sessions_destroy(struct sessions *s);

/*
 * A connection joins; *resumed: the client had vanished, and what it has installed
 * before is marked. EACCES: another user's; ENOSPC: SESSIONS_MAX.
 */
struct session *session_join(struct sessions *s, const char *name, uid_t uid, uint32_t grace,
			     uint64_t now, bool *resumed, struct fault *fault);
/* Forgets a session that has installed nothing. */
void session_leave(struct sessions *s, struct session *one, uint64_t now);
/* What is still there of it is nobody's from now on; its SPIs are given back. */
void session_forget(struct sessions *s, struct session *one);

/* NULL if there is none. */
struct session *session_find(struct sessions *s, const char *name);
struct session *session_by_number(struct sessions *s, uint32_t number);
void session_each(struct sessions *s, bool (*visit)(void *arg, struct session *one), void *arg);

/*
 * Count, or delete, objects of a session, marked ones only or all: policies first,
 * with one commit, then SAs, then tunnels that no SA and no policy needs any
 * more, then SPIs. In slices of a millisecond: call again while it returns true.
 */
bool session_count(struct sessions *s, const struct session *one, bool marked_only,
		   struct session_walk *walk);
bool session_sweep(struct sessions *s, struct session *one, bool marked_only, const char *reason,
		   struct session_walk *walk);

/* Once a second. True where a grace has passed: sessions_clean() has work. */
bool sessions_tick(struct sessions *s, uint64_t now);
/* A slice of sweeping those whose grace has passed; true while there is more. */
bool sessions_clean(struct sessions *s);

/*
 * SPIs. spi_claimed() puts one that spi_alloc() made under `owner`; spi_unclaimed()
 * takes it out, used or released, and is not surprised by one that nobody claimed.
 * spis_adopt() moves all of a client that has just got a name. spis_abandon() has
 * them given back by sessions_clean(). 0 or -ENOMEM.
 */
int spi_claimed(struct sessions *s, struct spi_claims *owner, uint32_t spi, uint32_t mark);
void spi_unclaimed(struct sessions *s, uint32_t spi);
void spis_adopt(struct spi_claims *from, struct spi_claims *to, uint32_t mark);
void spis_abandon(struct sessions *s, struct spi_claims *from);

#endif
