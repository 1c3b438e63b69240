/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_mempool.h>

#include "daemon.h"
#include "rcu/rcu.h"

static void stop_workers(struct daemon *d)
{
	for (uint16_t i = 0; i < d->g->workers; i++)
		if (d->g->worker[i] != NULL)
			worker_stop(d->g->worker[i]);
	if (d->running)
		rte_eal_mp_wait_lcore();
	d->running = false;
}

/*
 * Blackholes stand while XDP programs are detached and devices go, and are the
 * last to leave; from then on only the guard (conf/espalier-guard.nft) is there.
 */
static void leave_kernel(struct gateway *g)
{
	for (uint16_t i = 0; i < g->ports; i++)
		port_close(&g->port[i], g->steer, g->host);
	if (g->sadb != NULL)
		gateway_provision_stop(g);
	if (g->mirror != NULL) {
		mirror_own_routes_sweep(g->mirror);
		mirror_close(g->mirror);
	}
	if (g->steer != NULL)
		steer_close(g->steer);
	if (g->host != NULL)
		host_stop(g->host);
}

static void free_tables(struct daemon *d)
{
	struct gateway *g = d->g;

	for (uint16_t i = 0; i < g->workers; i++)
		worker_destroy(g->worker[i]);
	if (g->spd != NULL)
		spd_destroy(g->spd);
	if (g->sadb != NULL)
		sadb_destroy(g->sadb);
	if (g->fib != NULL)
		fib_destroy(g->fib);
	if (d->rcu)
		rcu_fini();
	rte_mempool_free(g->pool);
}

void daemon_stop(struct daemon *d)
{
	if (d->control != NULL)
		control_stop(d->control);
	if (d->g != NULL) {
		stop_workers(d);
		leave_kernel(d->g);
		life_log_close(d->life_log);
		free_tables(d);
		free(d->g);
	}
	loop_free(d);
	reserve_close(d->reserve);
	if (d->eal)
		rte_eal_cleanup();
}
