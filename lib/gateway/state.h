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

/* A policy's share in a prefix, given back once the SPD no longer has the policy. */
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
};

struct sink {
	event_sink *call;
	void *arg;
};

struct provision {
	LIST_ENTRY(provision) in_list;
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
