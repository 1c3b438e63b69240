/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPALIER_CHARON_POLICY_MAP_H
#define ESPALIER_CHARON_POLICY_MAP_H

#include "charon.h"
#include "tunnel_map.h"

/*
 * Policies as charon installs them: the same selectors again for each SA of a rekey, for
 * the trap, and as a drop policy while addresses change. The gateway has one
 * policy for all of these, valid in both directions, for as long as one is left;
 * none where the tunnel has a device of its own. Outbound ones only: charon's policies IN and FWD
 * say nothing more. With the shadow's lock held.
 */
void policy_map_open(void);
void policy_map_close(void);

/*
 * `names` of a protecting policy's tunnel; NULL where its SA says which (data->sa). A trap
 * is accepted while the gateway cannot be reached.
 */
status_t policy_map_add(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data,
			const struct names *names);
status_t policy_map_remove(kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data);

/* The tunnel that this pair of selectors belongs to; NULL: none. */
struct tunnel *policy_map_tunnel(traffic_selector_t *local, traffic_selector_t *remote);

/* The reqid of a trap of this tunnel, or 0; `name`: of the gateway's policy, or NULL. */
uint32_t policy_map_trap(const struct tunnel *t, const char *name);

/* Parameters of policy.add for each, for a gateway that has lost them. A new array. */
json_t *policy_map_parameters(void);

size_t policy_map_count(void);

/* charon wants none of them any more. */
void policy_map_flush(void);

#endif
