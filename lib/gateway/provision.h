/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_PROVISION_H
#define ESPALIER_GATEWAY_PROVISION_H

#include "worker/gateway.h"

/*
 * Operations on the gateway as a whole, for the configuration file and the
 * control socket alike: each keeps the SAD, the SPD, the tun devices, the
 * kernel's owned routes and the XDP maps in step, in an order in which nothing
 * leaves in the clear. Control thread. 0 or -errno and *fault; on failure
 * nothing has changed.
 */
int gateway_tunnel_add(struct gateway *g, const struct tunnel_spec *spec, struct tunnel **out,
		       struct fault *fault);
/* EBUSY while a policy names it. Deletes its SAs. */
int gateway_tunnel_delete(struct gateway *g, struct tunnel *t, struct fault *fault);

/*
 * A PROTECT policy also steers its remote prefixes to the datapath and owns
 * kernel routes for them (to the policy device, or the tunnel's), so that the
 * gateway's own traffic is protected too. Visible after gateway_commit().
 */
int gateway_policy_add(struct gateway *g, struct policy *policy, struct fault *fault);
int gateway_policy_delete(struct gateway *g, uint32_t id, struct fault *fault);
int gateway_commit(struct gateway *g, struct fault *fault);

int gateway_sa_add(struct gateway *g, const struct sa_spec *spec, struct sa **out,
		   struct fault *fault);
void gateway_sa_delete(struct gateway *g, struct sa *sa);
int gateway_sa_update(struct gateway *g, struct sa *sa, const struct sa_update *update,
		      struct fault *fault);

/* Send `count` dummy packets (next header 59, RFC 4303 2.6) of `length` payload bytes. */
int gateway_send_dummy(struct gateway *g, struct tunnel *t, uint32_t count, uint16_t length,
		       struct fault *fault);

/* About once a second: NAT keepalives, resolution requests, RCU. */
void gateway_tick(struct gateway *g);

#endif
