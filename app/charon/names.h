/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_NAMES_H
#define ESPALIER_CHARON_NAMES_H

#include "charon.h"

/*
 * What a request of charon is about: kernel_ipsec_t passes no names, so they are
 * taken from charon's bus and from the configurations that are loaded.
 */
struct names {
	char connection[NAME_MAX_LEN + 1];
	char child[NAME_MAX_LEN + 1];
	char peer[NAME_MAX_LEN + 1]; /* IKE identity; set where the connection is for many peers */
	bool trap;                   /* the configuration wants SAs made for traffic */
};

/* The listener; to be registered on the bus before any CHILD_SA is made. */
listener_t *names_listener(void);

/*
 * Of the CHILD_SA that the calling thread installs an SA of. False where nobody knows;
 * *names is zeroed then.
 */
bool names_of_sa(uint32_t spi, bool inbound, struct names *names);

/*
 * Of the child whose trap policies are installed, by what its configuration says. Not to be
 * called with a lock that charon's configuration could wait for.
 */
bool names_of_trap(kernel_ipsec_policy_id_t *id, host_t *local, host_t *remote,
		   struct names *names);

#endif
