/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_MTU_ICMP_H
#define ESPALIER_MTU_ICMP_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mempool.h>

#include "packet/address.h"
#include "packet/packet.h"

/*
 * ICMP errors that a router owes to the sender of a packet it cannot forward
 * (RFC 792, 1191, 1812 4.3, 4443). Family by the packet: ICMPv4 or ICMPv6.
 */
enum icmp_error_kind {
	ICMP_ERROR_TOO_BIG,     /* fragmentation needed / packet too big, with `mtu` */
	ICMP_ERROR_TTL_EXPIRED, /* time exceeded in transit */
	ICMP_ERROR_NO_ROUTE,    /* destination unreachable */
	ICMP_ERROR_PROHIBITED,  /* communication administratively prohibited */
};

/*
 * True where an error may be sent about this parsed packet: not about ICMP
 * errors, later fragments, multicast, or a source that is no single host
 * (RFC 1812 4.3.2.7, RFC 4443 2.4 e). Worker.
 */
bool icmp_error_allowed(const struct packet *about);

/*
 * A new mbuf whose data starts at the IP header of an ICMP error from `source`
 * to the sender of `about`, quoting as much as fits 576 (IPv4) or 1280 (IPv6)
 * bytes; NULL if no buffer is free or the families differ. `about` is only read.
 * Worker.
 */
struct rte_mbuf *icmp_error_build(struct rte_mempool *pool, enum icmp_error_kind kind,
				  const struct packet *about, const struct ip_addr *source,
				  uint32_t mtu);

#endif
