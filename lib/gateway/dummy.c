/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "gateway/state.h"
#include "worker/worker.h"

static int send_one(struct gateway *g, const struct tunnel *t, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);

	if (m == NULL)
		return -ENOBUFS;
	char *data = rte_pktmbuf_append(m, length);
	if (data == NULL) {
		rte_pktmbuf_free(m);
		return -EMSGSIZE;
	}
	memset(data, 0, length);
	*packet_carry(m) = (struct packet_carry){.kind = CARRY_OUTBOUND,
						 .flags = PACKET_DUMMY,
						 .port = PORT_NONE,
						 .device = HOST_NONE,
						 .tunnel = t->handle};
	/* A tunnel's outbound SAs belong to the worker of its index. */
	if (worker_deliver(g->worker[t->index % g->workers], m))
		return 0;
	rte_pktmbuf_free(m);
	return -EAGAIN;
}

int gateway_send_dummy(struct gateway *g, struct tunnel *t, uint32_t count, uint16_t length,
		       struct fault *fault)
{
	uint16_t most = tunnel_mtu(t, outer_mtu(g));
	uint16_t room = (uint16_t)(rte_pktmbuf_data_room_size(g->pool) - RTE_PKTMBUF_HEADROOM);

	if (t->out == NULL)
		return fault_set(fault, ENOENT, "name", "tunnel \"%s\" has no outbound SA",
				 t->spec.name);
	if (t->spec.mtu != 0 && t->spec.mtu < most)
		most = t->spec.mtu;
	/* Room for padding, trailer and ICV behind the payload. */
	if (room < 64u || most > room - 64u)
		most = room < 64u ? 0 : (uint16_t)(room - 64u);
	if (length > most)
		return fault_set(fault, EINVAL, "length", "%u is too large; 0 to %u is possible",
				 length, most);
	if (count == 0 || count > GATEWAY_DUMMIES_MAX)
		return fault_set(fault, EINVAL, "count", "%u is out of range; 1 to %u is possible",
				 count, GATEWAY_DUMMIES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		int err = send_one(g, t, length);
		if (err != 0)
			return fault_set(fault, EAGAIN, "count",
					 "the worker is busy: %u of %u were sent", i, count);
	}
	return 0;
}
