/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_MIRROR_STATE_H
#define ESPALIER_ROUTE_MIRROR_STATE_H

#include <sys/queue.h>

#include "route/address_hash.h"
#include "route/mirror.h"
#include "route/netlink.h"

/*
 * What the mirror knows. A route points at devices and neighbours, and these
 * point back at the routes' hops, so that a change of one reaches exactly the
 * destinations that depend on it: they are marked and decided again in
 * mirror_settle(), which ends every entry point.
 */
#define OWN_PROTOCOL 158          /* rtm_protocol of the routes that the gateway owns */
#define OWN_METRIC 50             /* of an owned route to a device */
#define OWN_BLACKHOLE_METRIC ~0u  /* the worst there is, in both families */
#define STATIC_METRIC 0x7fffffffu /* of the configuration's routes: any kernel route wins */

#define DESTINATION_BUCKETS 65536
#define DEVICE_BUCKETS 16384
#define NEIGHBOUR_BUCKETS 8192
#define ADDRESS_BUCKETS 1024
#define RESOLVING 1024
#define PORTS 256
#define HOPS_MAX 16 /* of a multipath route; the first usable one is taken */

struct route;

/* A netdev, or (with a negative number) a port without one. */
struct device {
	LIST_ENTRY(device) in_bucket;
	int ifindex;
	bool present; /* the kernel has it, or the configuration */
	bool admin_up, up;
	bool registered;
	uint8_t kind; /* enum mirror_device_kind, if registered */
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t index; /* port or tunnel */
	uint32_t mark;
	LIST_HEAD(, hop) hops;
	LIST_HEAD(, neighbour) neighbours;
	LIST_HEAD(, address) addresses;
};

struct neighbour {
	LIST_ENTRY(neighbour) in_bucket, on_device;
	TAILQ_ENTRY(neighbour) in_family;
	struct device *device;
	struct ip_addr addr;
	uint8_t mac[6];
	bool known;     /* the kernel has an entry */
	bool valid;     /* mac may be used */
	bool fixed;     /* of the configuration */
	bool managed;   /* the kernel keeps it reachable (NTF_EXT_MANAGED) */
	bool wanted;    /* a worker asked for it */
	bool permanent; /* the operator's: never asked about */
	bool failed;    /* the kernel asked in vain */
	uint32_t mark;
	LIST_HEAD(, hop) hops; /* of routes through it */
};

/* A local address. */
struct address {
	LIST_ENTRY(address) in_bucket, on_device;
	struct device *device;
	struct ip_addr addr;
	uint8_t len;
	uint8_t scope;  /* RT_SCOPE_… */
	uint32_t flags; /* IFA_F_… */
	bool fixed;
	uint32_t mark;
};

struct hop {
	LIST_ENTRY(hop) on_device, at_neighbour;
	struct route *route;
	struct device *device;
	struct neighbour *neighbour; /* gateway; NULL on-link */
};

enum route_source {
	ROUTE_KERNEL,
	ROUTE_ADDRESS, /* to a local address, whatever table the kernel keeps it in */
	ROUTE_STATIC,
	ROUTE_ALWAYS, /* what no router forwards */
};

/* A route as it is told: by the kernel, or made up here. */
struct route_spec {
	struct ip_prefix prefix;
	enum route_source source;
	uint8_t type;  /* RTN_… */
	uint8_t table; /* RT_TABLE_LOCAL or RT_TABLE_MAIN */
	uint8_t protocol;
	bool opaque; /* through something that only the kernel understands */
	uint32_t metric;
	uint16_t mtu;
	uint16_t hops;
	struct hop_spec {
		int ifindex;
		struct ip_addr gateway; /* family 0: on-link */
	} hop[HOPS_MAX];
};

struct route {
	TAILQ_ENTRY(route) in_destination;
	struct destination *destination;
	uint64_t rank; /* lower is better */
	uint32_t metric;
	uint8_t source, type, table, protocol;
	bool opaque;
	uint16_t mtu;
	uint16_t hops;
	uint32_t mark;
	struct hop hop[];
};

TAILQ_HEAD(route_list, route);

struct destination {
	LIST_ENTRY(destination) in_bucket;
	TAILQ_ENTRY(destination) in_undecided, in_untold;
	struct route_list routes; /* best first */
	struct ip_prefix prefix;
	bool undecided;
	bool untold;    /* the events' owner does not know of a change of `protected` yet */
	bool installed; /* `hop` is in the fib */
	bool missing;   /* it should be, but there was no room */
	bool protected;
	bool told;   /* what protected_prefix() was last told */
	int ifindex; /* of the device, where hop is CONNECTED */
	struct nexthop hop;
};

TAILQ_HEAD(destination_queue, destination);
TAILQ_HEAD(neighbour_list, neighbour);

struct mirror {
	struct fib *fib;
	struct mirror_events events;
	struct netlink *netlink;
	uint32_t mark; /* of the current dump */
	bool resync_all, resync_routes;
	bool no_managed;  /* the kernel has no NTF_EXT_MANAGED */
	uint32_t missing; /* destinations for which the fib has no room */
	uint32_t seed;
	struct destination_queue undecided, untold;
	struct device *ports[PORTS];
	uint32_t lengths[2][129]; /* destinations of each prefix length, IPv4 and IPv6 */
	struct neighbour_list neighbours[2];
	struct resolving {
		int ifindex;
		struct ip_addr addr;
		uint64_t since; /* ms */
	} resolving[RESOLVING];
	LIST_HEAD(, destination) destinations[DESTINATION_BUCKETS];
	LIST_HEAD(, device) devices[DEVICE_BUCKETS];
	LIST_HEAD(, neighbour) neighbour_of[NEIGHBOUR_BUCKETS];
	LIST_HEAD(, address) address_of[ADDRESS_BUCKETS];
};

static inline uint32_t mirror_hash(const struct mirror *m, const struct ip_addr *addr,
				   uint32_t more)
{
	return address_hash(addr, m->seed ^ more);
}

static inline unsigned int family_index(uint8_t family)
{
	return family == 6;
}

/* destination.c: what routes and neighbours lead to, and which of it is to be decided. */
struct destination *destination_find(const struct mirror *m, const struct ip_prefix *prefix);
struct destination *destination_get(struct mirror *m, const struct ip_prefix *prefix); /* or NULL */
void destination_touch(struct mirror *m, struct destination *d);
/* The host route to `addr`, which may have to appear or to go. */
void destination_touch_host(struct mirror *m, const struct ip_addr *addr);
/* Free it if nothing leads to it and nobody must be told. */
void destination_release(struct mirror *m, struct destination *d);
/* The longest prefix below host length that holds `addr` and leads somewhere, or NULL. */
struct destination *destination_cover(const struct mirror *m, const struct ip_addr *addr);
/* All of them, and out of the fib. */
void destinations_free(struct mirror *m);

/* decide.c: decide what is marked, write it to the fib, tell the events. */
void mirror_settle(struct mirror *m);
/* Mark again what did not fit. */
void mirror_retry_missing(struct mirror *m);

/* routes.c: the routes of each destination, best first. */
int route_add(struct mirror *m, const struct route_spec *spec);
/* A dump names a route: keep it, in the dump's order. False: it is not known. */
bool route_seen(struct mirror *m, const struct route_spec *spec);
struct route *route_find(const struct mirror *m, const struct route_spec *spec);
void route_delete(struct mirror *m, struct route *r);
/* Remove kernel routes that the dump since m->mark was raised did not name. */
void routes_sweep(struct mirror *m);

/* kernel_route.c. False: not a route that concerns us. */
bool kernel_route_parse(const struct nlmsghdr *message, struct route_spec *spec);
void kernel_route_dumped(void *mirror, const struct nlmsghdr *message);
void kernel_route_changed(void *mirror, const struct nlmsghdr *message);

/* device.c */
struct device *device_find(const struct mirror *m, int ifindex);
struct device *device_get(struct mirror *m, int ifindex); /* NULL: no memory */
/* Free it if nothing names it any more. */
void device_release(struct device *d);
/* Everything that leads through it is to be decided again. */
void device_touch(struct mirror *m, struct device *d);
void device_message(void *mirror, const struct nlmsghdr *message);
void devices_sweep(struct mirror *m);
void devices_free(struct mirror *m);

/* neighbour.c */
struct neighbour *neighbour_find(const struct mirror *m, int ifindex, const struct ip_addr *addr);
struct neighbour *neighbour_get(struct mirror *m, struct device *d, const struct ip_addr *addr);
void neighbour_release(struct mirror *m, struct neighbour *n);
void neighbour_touch(struct mirror *m, struct neighbour *n);
/* Neighbours inside `prefix` may have become reachable directly, or ceased to be. */
void neighbours_touch_inside(struct mirror *m, const struct ip_prefix *prefix);
void neighbour_message(void *mirror, const struct nlmsghdr *message);
void neighbours_sweep(struct mirror *m);
void neighbours_forget(struct mirror *m, struct device *d);

/* resolve.c */
bool resolve_pending(const struct mirror *m, const struct device *d, const struct ip_addr *addr);
/* Have the kernel keep what we use, and forget what nobody uses and nobody answers for. */
void resolve_tick(struct mirror *m);

/* static.c: routes of the configuration through a device that is still registered. */
void static_routes_forget(struct mirror *m, struct device *d);

/* local_address.c */
void address_set(struct mirror *m, int ifindex, const struct address *facts);
void address_message(void *mirror, const struct nlmsghdr *message);
void addresses_sweep(struct mirror *m);
void addresses_forget(struct mirror *m, struct device *d);
bool ip_addr_is_link_local6(const struct ip_addr *a);

#endif
