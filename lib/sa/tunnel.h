/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SA_TUNNEL_H
#define ESPALIER_SA_TUNNEL_H

#include "sa/sa.h"

/*
 * What operators call a connection: a name, two outer addresses, and the SAs
 * that serve it now. Totals survive rekeys. Control thread.
 */
#define TUNNEL_NAME_MAX 64
#define TUNNEL_DEVICE_MAX 16

struct tunnel_spec {
	char name[TUNNEL_NAME_MAX];
	/*
	 * Name of the tun device of a route-based tunnel (default: the tunnel's own
	 * name where that is a valid device name); empty: policy-based, no device.
	 */
	char device[TUNNEL_DEVICE_MAX];
	struct ip_addr local, remote; /* defaults of its SAs; family 0 where not known yet */
	uint16_t mtu;                 /* inner; 0: computed from the outer MTU */
	uint16_t keepalive; /* seconds of silence before a NAT keepalive is sent; 0: never */
	bool trap;          /* what finds no SA waits and asks for one (NOTICE_ACQUIRE) */
};

struct tunnel_totals {
	uint64_t packets_in, bytes_in, packets_out, bytes_out;
	uint64_t drops_in, drops_out;
};

struct tunnel {
	uint32_t index;
	uint32_t handle; /* what packets handed between threads carry (packet.h) */
	struct tunnel_spec spec;
	uint16_t device; /* host device id; HOST_NONE (65535) without */
	int ifindex;
	struct sa *in, *out;        /* newest first, linked by tunnel_next */
	uint32_t live_in, live_out; /* of them, those that have not expired */
	struct tunnel_totals past;  /* of SAs that are gone */
	const char *state;          /* tunnel_state() at its last change */
	uint64_t since_tsc;         /* when that was */
	char reason[128];           /* of that change; kept by the gateway's operations */
	uint32_t traps;             /* policies that want it to trap, besides spec.trap */
	uint32_t session, mark;     /* the control socket's: who installed it (control/session.h) */
};

int tunnel_add(struct sadb *db, const struct tunnel_spec *spec, struct tunnel **out,
	       struct fault *fault);
/* Deletes its SAs too; totals end here. The caller has removed policies and routes. */
void tunnel_delete(struct sadb *db, struct tunnel *t);
struct tunnel *tunnel_find(const struct sadb *db, const char *name);
struct tunnel *tunnel_get(const struct sadb *db, uint32_t index); /* NULL if unused */
void tunnel_each(const struct sadb *db, bool (*visit)(void *arg, struct tunnel *t), void *arg);
uint32_t tunnel_count(const struct sadb *db);

/* Past and present SAs together. */
void tunnel_totals(const struct tunnel *t, struct tunnel_totals *out);

/* "up" (both directions have an SA that has not expired), "half" or "down". */
const char *tunnel_state(const struct tunnel *t);

/*
 * The outbound SA that sends: the newest that has not expired; where all have, the
 * newest, which drops what it gets as sa_expired. NULL: none.
 */
struct sa *tunnel_sender(const struct tunnel *t);

/*
 * Largest inner packet that fits `outer_mtu` (payload formula of RFC 4303 with
 * 4-byte alignment); 0 without an outbound SA.
 */
uint16_t tunnel_mtu(const struct tunnel *t, uint16_t outer_mtu);

/* These are seen by workers at once; mtu 0 is "by the route". */
void tunnel_set_mtu(struct sadb *db, struct tunnel *t, uint16_t mtu);
void tunnel_set_trap(struct sadb *db, struct tunnel *t, bool trap);
void tunnel_set_device(struct sadb *db, struct tunnel *t, uint16_t device, int ifindex);

#endif
