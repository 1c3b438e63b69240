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
/* What is set is changed. The addresses stay: policies have chosen their routes by them. */
struct tunnel_update {
	bool set_mtu, set_keepalive, set_trap;
	uint16_t mtu, keepalive;
	bool trap;
};
void gateway_tunnel_update(struct gateway *g, struct tunnel *t, const struct tunnel_update *update);
/* EBUSY while a policy names it. Deletes its SAs. */
int gateway_tunnel_delete(struct gateway *g, struct tunnel *t, struct fault *fault);

/*
 * A PROTECT policy also steers its remote prefixes to the datapath and owns
 * kernel routes for them to the policy device, so that the gateway's own traffic
 * is protected too; except a prefix that the tunnel's outer remote address lies
 * in, since IKE and the ESP packets themselves have to get there. A DISCARD
 * policy steers. Visible after gateway_commit().
 */
int gateway_policy_add(struct gateway *g, struct policy *policy, struct fault *fault);
int gateway_policy_delete(struct gateway *g, uint32_t id, struct fault *fault);
int gateway_commit(struct gateway *g, struct fault *fault);

/* `reason` (may be NULL) stands in the tunnel's state and in events, such as "peer does not
 * answer". */
int gateway_sa_add(struct gateway *g, const struct sa_spec *spec, struct sa **out,
		   struct fault *fault);
void gateway_sa_delete(struct gateway *g, struct sa *sa, const char *reason);
int gateway_sa_update(struct gateway *g, struct sa *sa, const struct sa_update *update,
		      struct fault *fault);
/* A soft lifetime has ended. */
bool gateway_sa_soft(const struct sa *sa);

/*
 * Delete a tunnel's SAs; EVENT_TUNNEL_RESET asks the IKE daemon for new ones. EOPNOTSUPP with
 * manual keys: nobody could install others. gateway_reset() does it to every other tunnel; returns
 * how many.
 */
int gateway_tunnel_reset(struct gateway *g, struct tunnel *t, const char *reason,
			 struct fault *fault);
uint32_t gateway_reset(struct gateway *g, const char *reason);

/*
 * The outbound SA of a manual key: seq_first and seq_limit come from blocks that
 * are on disk before they are used (reserve.h), and gateway_tick() reserves more.
 */
struct reserve;
int gateway_manual_sa_add(struct gateway *g, struct reserve *reserve, const struct sa_spec *spec,
			  struct sa **out, struct fault *fault);

/*
 * Send `count` dummy packets (next header 59, RFC 4303 2.6) of `length` payload
 * bytes. EAGAIN: the worker's inbox took only some of them.
 */
#define GATEWAY_DUMMIES_MAX 65536
int gateway_send_dummy(struct gateway *g, struct tunnel *t, uint32_t count, uint16_t length,
		       struct fault *fault);

/* The tun device that policy-based tunnels share; before policies are added. */
int gateway_policy_device_add(struct gateway *g, const char *name, struct fault *fault);

/* Own a route for `prefix` into a tunnel that has a device, as long as both live. */
int gateway_tunnel_route_add(struct gateway *g, struct tunnel *t, const struct ip_prefix *prefix,
			     struct fault *fault);

/*
 * Fill in what the mirror calls: link state to the ports, local addresses and
 * prefixes routed into tunnels to the XDP maps. What must be asked of the kernel
 * in return is done by gateway_settle(), to be called after mirror_open() and
 * each mirror_read().
 */
void gateway_follow(struct gateway *g, struct mirror_events *events);
void gateway_settle(struct gateway *g);

/* Ports were opened or their MTU changed: the tun devices follow. */
void gateway_ports_changed(struct gateway *g);

/*
 * About once a second: NAT keepalives, blocks of sequence numbers, lifetimes in
 * seconds, link state, RCU.
 */
void gateway_tick(struct gateway *g);

/* Remove every tun device and free what these operations remember of g. */
void gateway_provision_stop(struct gateway *g);

#endif
