/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>

#include "packet/cut.h"
#include "worker/state.h"

static void give(struct worker *w, uint16_t device, struct rte_mbuf *m)
{
	if (unlikely(w->g->host == NULL || device == HOST_NONE)) {
		drop(&w->drops, m, DROP_KERNEL_REFUSED);
		return;
	}
	if (likely(host_to_kernel(w->g->host, device, &m, 1) == 1))
		w->count.to_kernel++;
	else
		drop(&w->drops, m, DROP_KERNEL_FULL);
}

/*
 * Out of a tunnel: into that tunnel's device. From the wire: to the port's mirror
 * tap as the frame it was, or, where the kernel owns the netdev, as an IP packet.
 */
void kernel_packet(struct worker *w, struct packet *p)
{
	if (p->port != PORT_NONE && (p->flags & PACKET_DECAPSULATED) == 0 &&
	    w->g->port[p->port].device != HOST_NONE) {
		give(w, w->g->port[p->port].device, p->m);
		return;
	}
	uint16_t device = HOST_NONE;
	if (p->tunnel != TUNNEL_NONE)
		device =
		    atomic_load_explicit(&w->sad->tunnel[p->tunnel].device, memory_order_relaxed);
	packet_cut(p->m, p->ip, p->ip_len);
	give(w, device != HOST_NONE ? device : w->g->policy_device, p->m);
}

/* Not IP: ARP, LLDP and the like. */
void kernel_frame(struct worker *w, uint16_t port, struct rte_mbuf *m)
{
	give(w, w->g->port[port].device, m);
}
