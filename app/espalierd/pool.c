/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>

#include "daemon.h"
#include "packet/packet.h"

#define CACHE 256
#define SPARE_BUFFERS 16384 /* in rings, waiting for next hops, in hand */
#define PRIVATE (sizeof(struct rte_mbuf) + sizeof(struct packet_carry))

/*
 * DPDK keeps a buffer within one page, and its AF_XDP driver registers number
 * times size of them as one area: unless pages divide without a rest, that ends
 * before the last buffers do, and the kernel loses every one it is given from
 * there. So with AF_XDP a buffer is a page, without padding for memory channels.
 */
bool pool_is_for_af_xdp(const struct config *config)
{
	for (size_t i = 0; i < config->ports_count; i++)
		if (port_is_netdev(config->ports[i].device))
			return true;
	return false;
}

uint32_t pool_buffers(const struct config *config)
{
	uint32_t queues = 0;

	if (config->buffers != 0)
		return config->buffers;
	for (size_t i = 0; i < config->ports_count; i++)
		queues += config->ports[i].queues;
	return queues * PORT_XDP_BUFFERS + SPARE_BUFFERS;
}

static uint32_t data_room(const struct config *config)
{
	uint32_t wanted = (uint32_t)config->buffer_size + PORT_XDP_HEADROOM;

	if (!pool_is_for_af_xdp(config))
		return wanted;
	return (uint32_t)sysconf(_SC_PAGESIZE) -
	       rte_mempool_calc_obj_size(PRIVATE, RTE_MEMPOOL_F_NO_SPREAD, NULL);
}

uint32_t pool_buffer_bytes(const struct config *config)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);

	if (pool_is_for_af_xdp(config))
		return page;
	/* Never across a page where pages are small, and padded for memory channels. */
	return RTE_ALIGN_CEIL(
	    rte_mempool_calc_obj_size((uint32_t)PRIVATE + data_room(config), 0, NULL), page);
}

int pool_make(struct daemon *d, struct fault *fault)
{
	uint32_t n = pool_buffers(d->config), room = data_room(d->config);
	struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = (uint16_t)room,
						   .mbuf_priv_size = sizeof(struct packet_carry)};

	if (room < (uint32_t)d->config->buffer_size + PORT_XDP_HEADROOM)
		return fault_set(fault, EINVAL, "memory.buffer_size",
				 "%u is too large; with AF_XDP ports, whose buffers are a page "
				 "each, %u are possible",
				 d->config->buffer_size, room - PORT_XDP_HEADROOM);
	struct rte_mempool *pool =
	    rte_mempool_create_empty("packets", n, (uint32_t)PRIVATE + room, CACHE, sizeof(private),
				     SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_SPREAD);
	d->g->pool = pool;
	if (pool == NULL ||
	    rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0)
		return fault_set(fault, ENOMEM, "memory.buffers", "no memory for %u buffers", n);
	rte_pktmbuf_pool_init(pool, &private);
	if (rte_mempool_populate_default(pool) < (int)n)
		return fault_set(fault, ENOMEM, "memory.buffers", "no memory for %u buffers", n);
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return 0;
}
