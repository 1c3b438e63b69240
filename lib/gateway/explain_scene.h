/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_EXPLAIN_SCENE_H
#define ESPALIER_GATEWAY_EXPLAIN_SCENE_H

#include "gateway/explain.h"
#include "worker/inprocess.h"

/*
 * For cmocka tests. Whatever explain says of a packet must be what becomes of it: for each
 * situation a real packet goes through a worker in memory, and its fate is read
 * from the worker's counters and from the port that it leaves through.
 */
struct scene {
	struct inprocess *ip;
	struct tunnel *tunnel; /* with an SA, to side 1; 10.128.0.0/9 and fd80::/9 lead into it */
	struct sa *sa;
	struct flow flow; /* UDP 10.0.0.5:1000 to 10.128.0.9:2000 */
	uint16_t length;
	bool fragment; /* send a later fragment: no ports */
};

/* The group's setup: EAL and pool. */
int scene_setup(void **state);
struct scene scene_open(void);
void scene_close(struct scene *s);

void scene_flow(struct scene *s, const char *local, const char *remote);
/* An outbound SA of the tunnel: one more, in place of the one there, newer, of two packets. */
void scene_sa(struct scene *s, uint8_t outer, bool udp);
void scene_other_sa(struct scene *s, uint8_t outer, bool udp);
void scene_newer_sa(struct scene *s);
void scene_limited_sa(struct scene *s);
/* Of all packets to `remote`, or of those from port 1000 alone; in effect with the commit. */
void scene_policy(struct scene *s, enum policy_action action, const char *remote, bool narrow);
void scene_commit(struct scene *s);
void scene_route(struct scene *s, const char *prefix, enum nexthop_type type, uint16_t port,
		 uint16_t mtu);

/* explain and the worker agree, and say what the test says. */
struct explain scene_agree(struct scene *s, const char *what, enum explain_fate fate,
			   enum drop_reason reason);

#endif
