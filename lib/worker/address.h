/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_WORKER_ADDRESS_H
#define ESPALIER_WORKER_ADDRESS_H

#include "packet/packet.h"
#include "route/fib.h"

static inline const struct nexthop *route_to(const struct fib *fib, const struct packet *p)
{
	return fib_lookup(fib, p->family, packet_destination(p));
}

static inline bool nexthop_has_port(const struct nexthop *hop)
{
	return hop->type == NEXTHOP_ETHER || hop->type == NEXTHOP_UNRESOLVED ||
	       hop->type == NEXTHOP_CONNECTED;
}

#endif
