/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_SPD_SELECTOR_H
#define ESPALIER_SPD_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/address.h"
#include "packet/packet.h"

/*
 * A pair of traffic selectors (RFC 4301 4.4.1.1, RFC 7296 3.13): local and
 * remote address range, protocol, local and remote port range. Outbound the
 * local side is the source, inbound the destination. Ports are compared for
 * TCP, UDP, SCTP, DCCP and UDP-Lite; a selector with a narrower port range than
 * 0-65535 never matches a packet whose ports are unknown (a later fragment,
 * another protocol).
 */
struct selector {
	struct ip_addr local_first, local_last;
	struct ip_addr remote_first, remote_last;
	uint8_t proto;                              /* 0: any */
	uint16_t local_port_first, local_port_last; /* host order */
	uint16_t remote_port_first, remote_port_last;
};

/* What is compared, read from a packet: addresses and ports by local and remote. */
struct flow {
	uint8_t family;
	uint8_t proto;
	bool ports_known;
	uint16_t local_port, remote_port; /* host order; 0 if unknown */
	uint8_t local[16], remote[16];
};

/* All of one family to all of it, any protocol, any port. */
struct selector selector_any(uint8_t family);
bool selector_is_any(const struct selector *s);
bool selector_equal(const struct selector *a, const struct selector *b);
/* Neither port range is narrower than 0-65535. */
static inline bool selector_any_ports(const struct selector *s)
{
	return s->local_port_first == 0 && s->local_port_last == UINT16_MAX &&
	       s->remote_port_first == 0 && s->remote_port_last == UINT16_MAX;
}

bool selector_match(const struct selector *s, const struct flow *f);

/*
 * Read the flow of a parsed packet whose first segment holds `avail` bytes from
 * p->ip; ports are unknown where they are not there. `outbound`: source is local.
 */
void flow_read(const struct packet *p, uint32_t avail, bool outbound, struct flow *out);

#endif
