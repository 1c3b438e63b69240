/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_SESSION_H
#define ESPALIER_CONTROL_SESSION_H

#include <stdbool.h>
#include <stdint.h>
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
 * of now.
 */
#define SESSION_NAME_MAX 64
#define SESSIONS_MAX 256

struct session {
	uint32_t number; /* never 0, never used again */
	char name[SESSION_NAME_MAX];
	uid_t uid;            /* only the same user may resume it, or root */
	uint32_t epoch;       /* grows when the client comes back after it had vanished */
	uint32_t connections; /* 0: vanished */
	uint32_t grace;       /* seconds; 0: for ever */
	uint64_t since;       /* seconds of the caller's clock: connected or vanished */
};

struct sessions;

struct sessions *sessions_create(struct gateway *g);
void sessions_destroy(struct sessions *s);

/*
 * A connection joins; *resumed: there are marked objects of the session's past.
 * EACCES: another user's; ENOSPC: SESSIONS_MAX.
 */
struct session *session_join(struct sessions *s, const char *name, uid_t uid, uint32_t grace,
			     uint64_t now, bool *resumed, struct fault *fault);
void session_leave(struct sessions *s, struct session *one, uint64_t now);

/*
 * Delete objects of a session, marked ones only or all, policies first, in slices:
 * call again while it returns true. Counts what it deleted.
 */
struct session_swept {
	uint32_t policies, sas, tunnels, spis;
};
bool session_sweep(struct sessions *s, struct session *one, bool marked_only, const char *reason,
		   struct session_swept *swept);

/* Once a second: sweep those whose grace has passed. */
void sessions_tick(struct sessions *s, uint64_t now);

#endif
