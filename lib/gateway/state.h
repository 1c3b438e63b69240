/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_STATE_H
#define ESPALIER_GATEWAY_STATE_H

#include <sys/queue.h>

#include "gateway/event.h"
#include "gateway/provision.h"
#include "gateway/reserve.h"

/*
 * What provisioning remembers of a gateway, besides what the SAD, the SPD and
 * the mirror hold. Control thread only.
 */

/* A kernel route that the gateway owns, as mirror_own_route_add() takes it. */
struct owned {
	bool present;
	int ifindex; /* 0: the blackhole alone */
	struct ip_addr source;
};

/* Why a prefix is steered to the datapath, and what the kernel has of it. */
struct prefix_use {
	struct ip_prefix prefix;
	uint32_t steering;                      /* policies that want it in the datapath */
	uint32_t routing;                       /* of them, those with a kernel route */
	bool routed;                            /* a kernel route leads into a tunnel */
	int fixed;                              /* ifindex of the tunnel of a configured route */
	struct ip_addr local_first, local_last; /* of the policy that came first */
	struct owned owned;
	bool steered, queued;
	TAILQ_ENTRY(prefix_use) in_queue;
};

TAILQ_HEAD(prefix_queue, prefix_use);

/* A policy's share in a prefix, or its trap, given back once the SPD no longer has the policy. */
struct release {
	struct ip_prefix prefix;
	bool route;
};

struct manual {
	LIST_ENTRY(manual) in_list;
	struct sa *sa;
	struct reserve_block *block;
	uint64_t limit, seq_before; /* seq_before: at the last tick */
	bool failed;                /* said once */
};

struct tunnel_care {
	uint64_t keepalive_tsc; /* last one sent */
	uint16_t device_mtu;
	const char *state; /* as last told */
};

struct sink {
	event_sink *call;
	void *arg;
};

struct provision {
	struct gateway *g;
	void *prefixes; /* tsearch() tree of struct prefix_use */
	struct prefix_queue queue;
	struct release *release;
	size_t releases, releases_size;
	bool uncommitted;
	struct ip_addr *local;
	size_t locals;
	bool locals_changed;
	uint32_t *encap_users; /* SAs by UDP port */
	struct tunnel_care *care;
	uint32_t cares;
	LIST_HEAD(, manual) manuals;
	struct lifetimes *lifetimes;
	uint16_t ip_id; /* of keepalives */
	struct sink sink[EVENT_SINKS_MAX];
	uint32_t sinks;
	const char *actor; /* on whose behalf; NULL: the gateway's own */
};

/* Made at first use; NULL without memory. */
struct provision *provision_of(struct gateway *g);
/* NULL without memory. */
struct tunnel_care *provision_care(struct provision *p, uint32_t tunnel);

/* event.c: tell every sink, with the actor of now. */
void event_raise(struct provision *p, struct event *event);

/* life.c: the tunnel's SAs have changed; if its state has, say so. */
void tunnel_follow(struct provision *p, struct tunnel *t, const char *reason);
void sa_event(struct provision *p, enum event_kind kind, const struct sa *sa,
	      enum notice_limit limit);
/* An SA has come to its end (EVENT_SA_HARD, EVENT_SA_EXHAUSTED). */
void sa_end(struct provision *p, struct sa *sa, enum event_kind kind, enum notice_limit limit);

/*
 * lifetime.c: lifetimes in seconds. `now` is in milliseconds of any clock that only
 * grows; the gateway's own is lifetime_clock(). lifetime_start() is -1 without memory.
 */
uint64_t lifetime_clock(void);
struct lifetimes *lifetimes_create(uint64_t now);
int lifetime_start(struct lifetimes *l, struct sa *sa, uint64_t now);
void lifetime_forget(struct sa *sa);
void lifetime_used(struct lifetimes *l, struct sa *sa, uint64_t now);
/* A soft limit is about to be raised; true: one was before, and it must not be. */
bool lifetime_soft_raised(struct lifetimes *l, struct sa *sa);
void lifetimes_run(struct provision *p, uint64_t now);

/* notice.c: one notice of a worker. */
void notice_handle(struct provision *p, const struct notice *n, uint64_t now);

/* trap.c: policies with `trap` come and go. */
void trap_add(struct provision *p, const struct policy *policy);
void trap_remove(struct provision *p, const struct policy *policy);

/* prefix.c: shares in prefixes. The first error is undone and returned. */
int prefix_share(struct provision *p, const struct ip_prefix *prefix, bool route,
		 const struct selector *selector);
void prefix_give_back(struct provision *p, const struct ip_prefix *prefix, bool route);
int prefix_fix(struct provision *p, const struct ip_prefix *prefix, int ifindex);
void prefix_unfix(struct provision *p, int ifindex);
void prefix_routed(struct provision *p, const struct ip_prefix *prefix, bool present);
void prefix_sources_changed(struct provision *p);
void prefix_settle(struct provision *p);
void prefix_free_all(struct provision *p);

/* follow.c: port->up has changed. */
void port_link_changed(struct gateway *g, const struct port *port);

/* mtu.c */
uint16_t outer_mtu(const struct gateway *g);
/* What a device carries at least, before it is known how it will be encapsulated. */
uint16_t cautious_mtu(const struct gateway *g);
void tunnel_device_mtu(struct provision *p, struct tunnel *t);

/* encap.c: SAs that receive on a UDP port. */
void encap_port_take(struct provision *p, uint16_t port);
void encap_port_give_back(struct provision *p, uint16_t port);

/* keepalive.c */
void keepalive_tick(struct provision *p, uint64_t now);

/* manual.c */
void manual_tick(struct provision *p);
void manual_forget(struct provision *p, struct sa *sa);

#endif
