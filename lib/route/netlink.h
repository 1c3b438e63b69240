/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ROUTE_NETLINK_H
#define ESPALIER_ROUTE_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "packet/address.h"

/*
 * Rtnetlink transport: a non-blocking socket that hears of changes and a
 * blocking one for dumps and requests, each answered before the call returns.
 * A message is believed only if it came from the kernel, whole.
 */
struct netlink;

struct netlink *netlink_open(void); /* NULL with errno */
void netlink_close(struct netlink *nl);
int netlink_fd(const struct netlink *nl);

typedef void netlink_message_fn(void *arg, const struct nlmsghdr *message);

/*
 * Hand up to `max` datagrams of changes to fn. 1: more may wait; 0: none left;
 * -ENOBUFS: changes were lost.
 */
int netlink_read(struct netlink *nl, unsigned int max, netlink_message_fn *fn, void *arg);

/* Dump `type` (RTM_GET…) of `family`. -EAGAIN: it changed meanwhile, ask again. */
int netlink_dump(struct netlink *nl, uint16_t type, uint8_t family, netlink_message_fn *fn,
		 void *arg);

/* A request of `type` with `size` bytes of zeroed family header (returned in *header). */
struct nlmsghdr *netlink_request(struct netlink *nl, uint16_t type, uint16_t flags, size_t size,
				 void **header);
/* Send it and wait for the acknowledgement: 0 or -errno. */
int netlink_commit(struct netlink *nl, struct nlmsghdr *request);

/*
 * Attributes behind a family header of `size` bytes into tb[0 … max]; absent and
 * unknown ones are NULL. False if the message is shorter than its header.
 */
bool netlink_attributes(const struct nlmsghdr *message, size_t size, const struct nlattr **tb,
			unsigned int max);
/* The same inside an attribute or another run of bytes. */
void netlink_nested(const void *data, size_t len, const struct nlattr **tb, unsigned int max);

/* AF_INET and AF_INET6 as 4 and 6, and back; 0 for what is neither. */
static inline uint8_t netlink_family(unsigned int af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

static inline uint8_t netlink_af(uint8_t family)
{
	return family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
}

/* Typed payloads; false where the attribute is absent or has another size. */
bool netlink_u32(const struct nlattr *attr, uint32_t *out);
bool netlink_address(const struct nlattr *attr, uint8_t family, struct ip_addr *out);

#endif
