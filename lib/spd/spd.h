/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_SPD_H
#define ESPALIER_SPD_SPD_H

#include <stdbool.h>
#include <stdint.h>

#include "report/fault.h"
#include "spd/selector.h"

/*
 * The Security Policy Database (RFC 4301 4.4.1): ordered entries, each a
 * selector and an action, valid in both directions (mirrored inbound). Workers
 * ask through a flow cache of their own; a miss goes to rte_acl, built anew by
 * the control thread on commit and swapped under RCU.
 */
enum policy_action { POLICY_PROTECT = 1, POLICY_BYPASS, POLICY_DISCARD };

#define POLICY_NAME_MAX 64

struct policy {
	uint32_t id; /* given by policy_add, never 0, not reused while the process lives */
	char name[POLICY_NAME_MAX];
	uint32_t priority; /* lower is asked first; equal: the older one */
	enum policy_action action;
	uint32_t tunnel; /* PROTECT */
	bool trap;       /* PROTECT: what finds no SA asks for one; the tunnel acts on it */
	struct selector selector;
	uint32_t session, mark; /* the control socket's: who installed it (control/session.h) */
};

struct spd;

struct spd *spd_create(struct fault *fault);
void spd_destroy(struct spd *s);

/*
 * Control thread. Changes gather and become visible to workers with spd_commit(),
 * all at once. policy_add sets policy->id. 0 or -errno: EEXIST for a name in use,
 * ENOSPC, EINVAL (families differ, first above last).
 */
int policy_add(struct spd *s, struct policy *policy, struct fault *fault);
int policy_remove(struct spd *s, uint32_t id);
const struct policy *policy_find(const struct spd *s, const char *name);
/* Change who installed it; nothing else of a policy changes. 0 or -ENOENT. */
int policy_claim(struct spd *s, uint32_t id, uint32_t session, uint32_t mark);
/* In the order in which they are asked. `visit` returning false ends it. */
void policy_each(const struct spd *s, bool (*visit)(void *arg, const struct policy *p), void *arg);
uint32_t policy_count(const struct spd *s);
int spd_commit(struct spd *s, struct fault *fault);

/* Packets and bytes that met this policy outbound, over all workers. */
void policy_hits(const struct spd *s, uint32_t id, uint64_t *packets, uint64_t *bytes);

/* The first policy that matches, committed or not yet; NULL: none. Control thread. */
const struct policy *spd_explain(const struct spd *s, const struct flow *f);

/* What a worker learns of a flow. */
struct verdict {
	uint8_t action;  /* 0: no policy matches */
	uint32_t tunnel; /* PROTECT */
};

/*
 * What workers are told of such a flow now, by the policies in effect: changes
 * that are not committed do not count. *policy is the one that says so; NULL: none,
 * or one that the next commit will do without. Where its action is not the
 * verdict's, it withholds a packet whose ports cannot be read (see spd_lookup()).
 * Control thread.
 */
struct verdict spd_verdict(const struct spd *s, const struct flow *f, const struct policy **policy);

struct spd_cache;

/* One per worker; `entries` is a power of two. */
struct spd_cache *spd_cache_create(struct spd *s, unsigned int worker, uint32_t entries,
				   struct fault *fault);
void spd_cache_destroy(struct spd_cache *c);

/* True when no policy is installed at all, so that lookups can be skipped. Worker. */
bool spd_empty(const struct spd *s);

/*
 * Worker: the verdict for each packet of a vector. The packets are parsed; the
 * flow is read from them (outbound: source is local). Hits are counted here. A
 * packet whose ports cannot be read (a later fragment) is discarded where it
 * would be bypassed although a policy with narrowed ports before protects or
 * discards what it may be a piece of.
 */
void spd_lookup(struct spd_cache *c, const struct vector *v, bool outbound, struct verdict *out);

#endif
