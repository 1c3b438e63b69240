/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/host_state.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "packet/packet.h"

#define SEGMENTS_MAX 64
/* Left free behind the data, so that ESP's trailer mostly fits the same buffer. */
#define TAIL_RESERVE 64

/* Append what did not fit the first buffer. False: no buffer free. */
static bool append_excess(struct host *h, struct rte_mbuf *head, size_t len)
{
	struct rte_mbuf *last = head;
	const uint8_t *from = h->excess;

	while (len > 0) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(h->config.pool);

		if (m == NULL)
			return false;
		uint16_t part = (uint16_t)RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(m));
		memcpy(rte_pktmbuf_append(m, part), from, part);
		from += part;
		len -= part;
		last->next = m;
		last = m;
		head->nb_segs++;
		head->pkt_len += part;
	}
	return true;
}

static void deliver(struct host *h, const struct host_device *d, struct rte_mbuf *m)
{
	struct packet_carry *carry = packet_carry(m);

	memset(carry, 0, sizeof(*carry));
	carry->kind = CARRY_FROM_KERNEL;
	carry->port = d->port;
	carry->device = d->id;
	carry->tunnel = d->tunnel;
	host_count(&h->from_kernel);
	if (!h->config.deliver(h->config.arg, m)) {
		host_count(&h->undelivered);
		rte_pktmbuf_free(m);
	}
}

/* 1: a packet was read; 0: none there; -1: the device is broken. */
static int read_one(struct host *h, struct host_device *d)
{
	if (h->spare == NULL)
		h->spare = rte_pktmbuf_alloc(h->config.pool);
	struct rte_mbuf *m = h->spare;
	struct iovec iov[2] = {{NULL, 0}, {h->excess, sizeof(h->excess)}};

	if (m != NULL) {
		uint16_t room = rte_pktmbuf_tailroom(m);
		iov[0].iov_base = rte_pktmbuf_mtod(m, void *);
		iov[0].iov_len = room > 2 * TAIL_RESERVE ? room - TAIL_RESERVE : room;
	}
	ssize_t len = readv(d->fd, iov, RTE_DIM(iov));
	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	if (m == NULL) {
		host_count(&h->no_buffer);
		return 1;
	}
	h->spare = NULL;
	size_t first = RTE_MIN((size_t)len, iov[0].iov_len);
	m->data_len = (uint16_t)first;
	m->pkt_len = (uint32_t)first;
	if (!append_excess(h, m, (size_t)len - first)) {
		host_count(&h->no_buffer);
		rte_pktmbuf_free(m);
		return 1;
	}
	deliver(h, d, m);
	return 1;
}

bool host_read(struct host *h, struct host_device *d, unsigned int budget)
{
	int got = 1;

	for (unsigned int i = 0; i < budget && got > 0; i++)
		got = read_one(h, d);
	return got >= 0;
}

void host_write(struct host *h, struct host_device *d, struct rte_mbuf *m)
{
	struct iovec iov[SEGMENTS_MAX];
	int n = 0;
	bool ok = d != NULL && m->nb_segs <= SEGMENTS_MAX;

	for (const struct rte_mbuf *seg = m; ok && seg != NULL; seg = seg->next, n++) {
		iov[n].iov_base = rte_pktmbuf_mtod(seg, void *);
		iov[n].iov_len = seg->data_len;
	}
	if (ok && writev(d->fd, iov, n) == (ssize_t)m->pkt_len)
		host_count(&h->to_kernel);
	else
		host_count(&h->refused);
	rte_pktmbuf_free(m);
}
