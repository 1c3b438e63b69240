/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "gateway/state.h"
#include "rcu/rcu.h"

/* Netdevs tell by themselves (follow.c). */
static void update_link(struct gateway *g, struct port *port)
{
	bool before = atomic_load(&port->up);

	port_link_update(port);
	if (atomic_load(&port->up) != before)
		port_link_changed(g, port);
}

void gateway_tick(struct gateway *g)
{
	struct provision *p = provision_of(g);

	if (p != NULL) {
		keepalive_tick(p, rte_rdtsc());
		manual_tick(p);
	}
	for (uint16_t i = 0; i < g->ports; i++)
		if (!g->port[i].af_xdp)
			update_link(g, &g->port[i]);
	if (g->mirror != NULL) {
		mirror_tick(g->mirror);
		gateway_settle(g);
	}
	rcu_poll();
}
