/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "gateway/state.h"
#include "rcu/rcu.h"

void gateway_tick(struct gateway *g)
{
	struct provision *p = provision_of(g);

	if (p != NULL) {
		keepalive_tick(p, rte_rdtsc());
		manual_tick(p);
	}
	for (uint16_t i = 0; i < g->ports; i++)
		if (!g->port[i].af_xdp)
			port_link_update(&g->port[i]);
	if (g->mirror != NULL) {
		mirror_tick(g->mirror);
		gateway_settle(g);
	}
	rcu_poll();
}
