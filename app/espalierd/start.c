/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "daemon.h"
#include "notify.h"
#include "packet/packet.h"
#include "rcu/rcu.h"
#include "report/log.h"

#define INBOX_SIZE 4096
#define TO_KERNEL_SIZE 4096

static int open_state(struct daemon *d, struct fault *fault)
{
	for (size_t i = 0; i < d->config->tunnels_count; i++) {
		if (!d->config->tunnels[i].keys)
			continue;
		d->reserve = reserve_open(d->config->state_directory, fault);
		return d->reserve != NULL ? 0 : -fault->err;
	}
	return 0;
}

static int make_tables(struct daemon *d, struct fault *fault)
{
	const struct config *c = d->config;
	struct fib_limits limits = {.routes4 = c->routes_max, .routes6 = c->routes_max};
	struct sadb_config sadb = {.sas_max = c->sas_max,
				   .tunnels_max = c->tunnels_max,
				   .workers = (uint16_t)c->lcores_count};

	int err = rcu_init((unsigned int)c->lcores_count);
	if (err != 0)
		return fault_set(fault, -err, "", "no memory");
	d->rcu = true;
	d->g->fib = fib_create(&limits, fault);
	if (d->g->fib == NULL)
		return -fault->err;
	d->g->sadb = sadb_create(&sadb, fault);
	if (d->g->sadb == NULL)
		return -fault->err;
	d->g->spd = spd_create(fault);
	return d->g->spd != NULL ? 0 : -fault->err;
}

static int open_life_log(struct daemon *d, struct fault *fault)
{
	struct life_log_config config = {.path = d->config->tunnel_log,
					 .size = d->config->tunnel_log_size,
					 .keep = d->config->tunnel_log_keep};

	if (config.path == NULL)
		return 0;
	d->life_log = life_log_open(&config, fault);
	if (d->life_log == NULL)
		return fault_under(fault, "log.tunnels");
	int err = gateway_sink_add(d->g, life_log_event, d->life_log);
	return err == 0 ? 0 : fault_set(fault, -err, "log.tunnels", "no memory");
}

static int make_workers(struct daemon *d, struct fault *fault)
{
	d->g->workers = (uint16_t)d->config->lcores_count;
	for (uint16_t i = 0; i < d->g->workers; i++) {
		struct worker_config config = {.index = i,
					       .sleep = d->config->sleep,
					       .flows = d->config->flows,
					       .inbox_size = INBOX_SIZE};
		d->g->worker[i] = worker_create(d->g, &config, fault);
		if (d->g->worker[i] == NULL)
			return -fault->err;
	}
	return 0;
}

/* Host thread: to the worker that owns the tunnel's SAs or the port's first queue. */
static bool deliver(void *arg, struct rte_mbuf *m)
{
	struct gateway *g = arg;
	const struct packet_carry *carry = packet_carry(m);
	uint32_t owner = 0;

	if (carry->tunnel != TUNNEL_NONE)
		owner = tunnel_handle_index(carry->tunnel);
	else if (carry->port != PORT_NONE)
		owner = carry->port;
	return worker_deliver(g->worker[owner % g->workers], m);
}

static int say_where(struct fault *fault, const char *where)
{
	snprintf(fault->where, sizeof(fault->where), "%s", where);
	return -fault->err;
}

/* The kernel's side, complete before the first port opens. */
static int join_kernel(struct daemon *d, struct fault *fault)
{
	struct host_config host = {
	    .pool = d->g->pool, .deliver = deliver, .arg = d->g, .ring_size = TO_KERNEL_SIZE};
	struct mirror_events events;

	d->g->host = host_start(&host, fault);
	if (d->g->host == NULL)
		return -fault->err;
	if (pool_is_for_af_xdp(d->config)) {
		d->g->steer = steer_open(fault);
		if (d->g->steer == NULL)
			return -fault->err;
	}
	gateway_follow(d->g, &events);
	d->g->mirror = mirror_open(d->g->fib, &events, fault);
	if (d->g->mirror == NULL)
		return -fault->err;
	gateway_settle(d->g);
	if (gateway_policy_device_add(d->g, d->config->policy_device, fault) != 0)
		return say_where(fault, "policy_device");
	return 0;
}

/*
 * The forwarding table must hold the routes into tunnels before a port is open:
 * a packet that finds only the default route would leave in the clear.
 */
static int follow_kernel(struct daemon *d, struct fault *fault)
{
	struct pollfd pending = {.fd = mirror_fd(d->g->mirror), .events = POLLIN};

	(void)fault;
	while (poll(&pending, 1, 0) > 0)
		mirror_read(d->g->mirror);
	gateway_settle(d->g);
	return 0;
}

static int launch_workers(struct daemon *d, struct fault *fault)
{
	for (uint16_t i = 0; i < d->g->workers; i++) {
		int err = rte_eal_remote_launch(worker_run, d->g->worker[i], i + 1u);
		if (err != 0)
			return fault_set(fault, -err, "", "worker %u did not start: %s", i,
					 rte_strerror(-err));
		d->running = true;
	}
	return 0;
}

/* /run/espalier, where no service manager has made it. */
static void make_parent(const char *path)
{
	char parent[256];
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (len == 0 || len >= sizeof(parent))
		return;
	memcpy(parent, path, len);
	parent[len] = '\0';
	mkdir(parent, 0755);
}

static int open_control(struct daemon *d, struct fault *fault)
{
	const struct config *c = d->config;
	const char *path = d->options->socket != NULL ? d->options->socket : c->socket;
	struct control_config config = {.path = path,
					.mode = c->socket_mode,
					.group = c->socket_group,
					.config_file = c->file,
					.lab = c->lab,
					.sleep = c->sleep,
					.life_log = d->life_log,
					.sas_max = c->sas_max,
					.tunnels_max = c->tunnels_max};

	make_parent(path);
	d->control = control_start(d->base, d->g, &config, fault);
	if (d->control == NULL)
		return say_where(fault, d->options->socket != NULL ? "--socket" : "control.socket");
	log_info("control socket: %s", path);
	return 0;
}

int daemon_start(struct daemon *d, struct fault *fault)
{
	static int (*const steps[])(struct daemon *, struct fault *) = {
	    loop_make,      open_state,   pool_make,     make_tables,   make_workers,
	    open_life_log,  join_kernel,  apply_tunnels, follow_kernel, apply_ports,
	    launch_workers, open_control, loop_follow,
	};

	voices_quiet();
	int err = eal_start(d->config, fault);
	if (err != 0)
		return err;
	d->eal = true;
	d->g =
	    aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*d->g), RTE_CACHE_LINE_SIZE));
	if (d->g == NULL)
		return fault_set(fault, ENOMEM, "", "out of memory");
	memset(d->g, 0, sizeof(*d->g));
	d->g->policy_device = HOST_NONE;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == 0; i++)
		err = steps[i](d, fault);
	config_wipe_keys(d->config);
	if (err != 0)
		return err;
	log_notice("ready: %u worker%s, %u port%s, %u tunnel%s", d->g->workers,
		   d->g->workers == 1 ? "" : "s", d->g->ports, d->g->ports == 1 ? "" : "s",
		   tunnel_count(d->g->sadb), tunnel_count(d->g->sadb) == 1 ? "" : "s");
	notify("READY=1\nSTATUS=carrying packets");
	return 0;
}
