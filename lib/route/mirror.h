/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_MIRROR_H
#define ESPALIER_ROUTE_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/address.h"
#include "report/fault.h"
#include "route/fib.h"

/*
 * The kernel's links, addresses, routes (main and local tables) and neighbours,
 * followed over netlink (libmnl) and written into a fib: full dump at start and
 * after ENOBUFS, then changes as they come. Static routes and neighbours of the
 * configuration enter through the same object and win over nothing: a kernel
 * route to the same prefix with a lower metric is preferred.
 * Everything here belongs to the control thread.
 */
struct mirror;

/* What the mirror must know of a netdev that it may meet in a route. */
enum mirror_device_kind {
	MIRROR_PORT,   /* an AF_XDP port or a mirror tap: `index` is the port */
	MIRROR_TUNNEL, /* a tunnel's tun device: `index` is the tunnel */
	MIRROR_POLICY, /* the shared tun device: routes to it leave the decision to policies */
};

struct mirror_events {
	void *arg;
	/* Link state of a registered port changed (also called once at registration). */
	void (*link)(void *arg, uint16_t port, bool up);
	/*
	 * A prefix is now routed into a tunnel (or to the policy device), or no longer.
	 * An owned blackhole with no route before it does not count. Called when the
	 * fib shows the change.
	 */
	void (*protected_prefix)(void *arg, const struct ip_prefix *prefix, bool present);
	/* An address of this machine came or went. */
	void (*local_address)(void *arg, const struct ip_addr *addr, bool present);
};

struct mirror *mirror_open(struct fib *fib, const struct mirror_events *events,
			   struct fault *fault);
void mirror_close(struct mirror *m);

/* Netlink socket to poll for reading, and what to call when it is readable. */
int mirror_fd(const struct mirror *m);
void mirror_read(struct mirror *m);
/* To be called about once a second: retries, ageing of resolution requests. */
void mirror_tick(struct mirror *m);

/*
 * Tell which netdev (by ifindex) is a port or a tunnel; known routes are
 * evaluated again. `mac` and `mtu` are the port's own (NULL and 0 for tunnels).
 */
int mirror_device_add(struct mirror *m, int ifindex, enum mirror_device_kind kind, uint32_t index,
		      const uint8_t mac[6], uint16_t mtu);
/* Static routes through it go, too. */
void mirror_device_remove(struct mirror *m, int ifindex);

/* Ports without a kernel netdev: the same facts from the configuration. */
int mirror_static_port(struct mirror *m, uint16_t port, const uint8_t mac[6], uint16_t mtu);
int mirror_static_address(struct mirror *m, uint16_t port, const struct ip_prefix *address);
/*
 * `via` has family 0 (or is NULL) for an on-link route; tunnel is TUNNEL_NONE or
 * the target. Where the tunnel has a device, the route lasts as long as that.
 */
int mirror_static_route(struct mirror *m, const struct ip_prefix *prefix, uint16_t port,
			const struct ip_addr *via, uint32_t tunnel, struct fault *fault);
int mirror_static_neighbour(struct mirror *m, uint16_t port, const struct ip_addr *addr,
			    const uint8_t mac[6]);

/*
 * A worker met an unresolved next hop: have the kernel resolve `addr` on `port`.
 * Repeats within a second are ignored. What answers, and every gateway, the
 * kernel is then asked to keep reachable (NTF_EXT_MANAGED, Linux 5.16).
 */
void mirror_resolve(struct mirror *m, uint16_t port, const struct ip_addr *addr);

/* An address of this machine on `port` in `family`, to source ICMP from; false if none. */
bool mirror_source_address(const struct mirror *m, uint16_t port, uint8_t family,
			   struct ip_addr *out);

/*
 * Kernel routes that the gateway itself owns (rtm_protocol 158): `prefix` to the
 * device `ifindex`, and behind it a blackhole with the worst metric that outlives
 * the device, so that nothing leaves in the clear after a crash. Leftovers of an
 * earlier process are adopted by `add` and found by `sweep`.
 * ifindex 0 adds the blackhole alone. `source` (family 0: none) becomes prefsrc.
 */
int mirror_own_route_add(struct mirror *m, const struct ip_prefix *prefix, int ifindex,
			 const struct ip_addr *source);
int mirror_own_route_remove(struct mirror *m, const struct ip_prefix *prefix);
/* Remove every owned route and blackhole from the kernel (clean stop). */
void mirror_own_routes_sweep(struct mirror *m);

#endif
