/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_TUNNEL_MAP_H
#define ESPALIER_CHARON_TUNNEL_MAP_H

#include "charon.h"
#include "names.h"

#define DEVICE_MAX_LEN 15

/*
 * The gateway's tunnels that charon uses: one for each CHILD_SA configuration and peer,
 * named CONNECTION.CHILD (CONNECTION where both are the same; CONNECTION.CHILD@IDENTITY
 * where the connection is for many peers). CHILD_SAs with other selectors under the same
 * names have another reqid and get tunnels of their own, with +2, +3 … appended.
 *
 * A tunnel stays in the gateway when its last SA has gone, so that its state and totals can
 * be read, except those of one peer among many.
 */
struct tunnel {
	char name[NAME_MAX_LEN + 1];
	char base[NAME_MAX_LEN + 1];
	char device[DEVICE_MAX_LEN + 1];
	char connection[NAME_MAX_LEN + 1], child[NAME_MAX_LEN + 1]; /* "" where not known */
	bool route;   /* it has a device, and no policies */
	bool trap;    /* traffic that finds no SA is to be reported */
	bool of_many; /* goes with its last user */
	bool cleaned; /* of what an earlier charon has left in it */
	uint32_t reqid;
	host_t *local, *remote; /* as last known */
	unsigned int users;     /* SAs and policies */
	unsigned int traps;     /* trap policies among them */
	uint64_t told;          /* connection on which the gateway was last told of it */
};

void tunnel_map_open(void);
void tunnel_map_close(void);

/* Everything below and in policy_map.h: with this lock held; recursive. */
void shadow_lock(void);
void shadow_unlock(void);

/*
 * The tunnel for these names, made where there is none, with one user more. `any`: its
 * selectors are any-to-any. The gateway is told of it unless it cannot be reached and
 * `later` is set. NULL, with a log line.
 */
struct tunnel *tunnel_use(const struct names *names, uint32_t reqid, host_t *local, host_t *remote,
			  bool any, bool later);
void tunnel_unuse(struct tunnel *t);

/* Tell the gateway of it unless it knows; `again` even so. A code of the client. */
int tunnel_tell(struct tunnel *t, bool again);

/* Its SAs have moved. */
void tunnel_moved(struct tunnel *t, host_t *local, host_t *remote, uint32_t reqid);

struct tunnel *tunnel_by_name(const char *name);
linked_list_t *tunnel_all(void); /* the list itself */

#endif
