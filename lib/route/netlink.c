/* SPDX-License-Identifier: BSD-3-Clause */
#include "route/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <libmnl/libmnl.h>

#define BUFFER_SIZE 65536
#define EVENT_QUEUE (8 << 20) /* bytes of changes that may wait for the control thread */
#define ANSWER_TIMEOUT 5      /* seconds */

struct netlink {
	struct mnl_socket *events, *requests;
	unsigned int seq;
	char event[BUFFER_SIZE]; /* apart from answers: who handles an event may ask */
	char answer[BUFFER_SIZE];
	char request[1024];
};

static const int groups[] = {RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
			     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

static struct mnl_socket *bound(int flags)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);

	if (s != NULL && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

struct netlink *netlink_open(void)
{
	struct netlink *nl = calloc(1, sizeof(*nl));
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT};
	int queue = EVENT_QUEUE, group = RTNLGRP_NEXTHOP;

	if (nl == NULL)
		return NULL;
	nl->events = bound(SOCK_NONBLOCK);
	nl->requests = bound(0);
	if (nl->events == NULL || nl->requests == NULL)
		goto fail;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int g = groups[i];

		if (mnl_socket_setsockopt(nl->events, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g)) < 0)
			goto fail;
	}
	/* Kernels before 5.3 have no nexthop objects. */
	mnl_socket_setsockopt(nl->events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) < 0)
		setsockopt(netlink_fd(nl), SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	setsockopt(mnl_socket_get_fd(nl->requests), SOL_SOCKET, SO_RCVTIMEO, &timeout,
		   sizeof(timeout));
	return nl;

fail:
	netlink_close(nl);
	return NULL;
}

void netlink_close(struct netlink *nl)
{
	int err = errno;

	if (nl == NULL)
		return;
	if (nl->events != NULL)
		mnl_socket_close(nl->events);
	if (nl->requests != NULL)
		mnl_socket_close(nl->requests);
	free(nl);
	errno = err;
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->events);
}

/* One datagram of the kernel's: its length, 0 for somebody else's, or -errno. */
static int receive(struct mnl_socket *s, char *buffer)
{
	struct sockaddr_nl from = {0};
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(mnl_socket_get_fd(s), buffer, BUFFER_SIZE, MSG_TRUNC,
			     (struct sockaddr *)&from, &size);

	if (n < 0)
		return -errno;
	if (size != sizeof(from) || from.nl_pid != 0)
		return 0;
	if (n > BUFFER_SIZE)
		return -ENOBUFS;
	return (int)n;
}

int netlink_read(struct netlink *nl, unsigned int max, netlink_message_fn *fn, void *arg)
{
	for (unsigned int i = 0; i < max; i++) {
		int n = receive(nl->events, nl->event);

		if (n == -EAGAIN)
			return 0;
		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		const struct nlmsghdr *h = (const struct nlmsghdr *)nl->event;

		for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n))
			if (h->nlmsg_type >= NLMSG_MIN_TYPE)
				fn(arg, h);
	}
	return 1;
}

/*
 * Read answers to request nl->seq up to its end: NLMSG_DONE of a dump, or an
 * acknowledgement. Remnants of an earlier request that timed out are skipped.
 */
static int answers(struct netlink *nl, netlink_message_fn *fn, void *arg)
{
	bool interrupted = false;

	for (;;) {
		int n = receive(nl->requests, nl->answer);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return n == -EAGAIN ? -ETIMEDOUT : n;
		const struct nlmsghdr *h = (const struct nlmsghdr *)nl->answer;

		for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
			if (h->nlmsg_seq != nl->seq)
				continue;
			interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

				if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
					return -EBADMSG;
				return e->error > 0 ? -e->error : e->error;
			}
			if (h->nlmsg_type == NLMSG_DONE) {
				int32_t err = 0;

				if (mnl_nlmsg_get_payload_len(h) >= sizeof(err))
					memcpy(&err, mnl_nlmsg_get_payload(h), sizeof(err));
				return err < 0 ? err : interrupted ? -EAGAIN : 0;
			}
			if (h->nlmsg_type >= NLMSG_MIN_TYPE && fn != NULL)
				fn(arg, h);
		}
	}
}

struct nlmsghdr *netlink_request(struct netlink *nl, uint16_t type, uint16_t flags, size_t size,
				 void **header)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl->request);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++nl->seq;
	*header = mnl_nlmsg_put_extra_header(h, size);
	return h;
}

static int ask(struct netlink *nl, struct nlmsghdr *h, netlink_message_fn *fn, void *arg)
{
	if (mnl_socket_sendto(nl->requests, h, h->nlmsg_len) < 0)
		return -errno;
	return answers(nl, fn, arg);
}

int netlink_dump(struct netlink *nl, uint16_t type, uint8_t family, netlink_message_fn *fn,
		 void *arg)
{
	void *header;
	struct nlmsghdr *h = netlink_request(nl, type, NLM_F_DUMP, sizeof(struct rtmsg), &header);

	/* Every family header begins with the family. */
	((struct rtgenmsg *)header)->rtgen_family = family;
	return ask(nl, h, fn, arg);
}

int netlink_commit(struct netlink *nl, struct nlmsghdr *request)
{
	request->nlmsg_flags |= NLM_F_ACK;
	return ask(nl, request, NULL, NULL);
}

void netlink_nested(const void *data, size_t len, const struct nlattr **tb, unsigned int max)
{
	const struct nlattr *attr;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_for_each_payload(data, len)
	{
		if (mnl_attr_get_type(attr) <= max)
			tb[mnl_attr_get_type(attr)] = attr;
	}
}

bool netlink_attributes(const struct nlmsghdr *message, size_t size, const struct nlattr **tb,
			unsigned int max)
{
	size_t len = mnl_nlmsg_get_payload_len(message);

	if (len < MNL_ALIGN(size))
		return false;
	netlink_nested(mnl_nlmsg_get_payload_offset(message, size), len - MNL_ALIGN(size), tb, max);
	return true;
}

bool netlink_u32(const struct nlattr *attr, uint32_t *out)
{
	if (attr == NULL || mnl_attr_get_payload_len(attr) != sizeof(*out))
		return false;
	memcpy(out, mnl_attr_get_payload(attr), sizeof(*out));
	return true;
}

bool netlink_address(const struct nlattr *attr, uint8_t family, struct ip_addr *out)
{
	if (attr == NULL || (family != 4 && family != 6) ||
	    mnl_attr_get_payload_len(attr) != ip_size(family))
		return false;
	*out = ip_addr_from(family, mnl_attr_get_payload(attr));
	return true;
}
