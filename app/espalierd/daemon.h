/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPALIERD_DAEMON_H
#define ESPALIER_ESPALIERD_DAEMON_H

#include <stdbool.h>
#include <event2/event.h>

#include "config/config.h"
#include "control/control.h"
#include "gateway/life_log.h"
#include "gateway/provision.h"
#include "gateway/reserve.h"
#include "options.h"
#include "worker/worker.h"

/* The process. What is NULL or false is not there yet, or no more. */
struct daemon {
	const struct options *options;
	struct config *config;
	struct gateway *g;
	struct reserve *reserve;   /* with manual keys */
	struct life_log *life_log; /* NULL: none is wanted */
	struct control *control;

	struct event_base *base;
	struct event *on_mirror, *on_tick, *on_workers, *on_term, *on_int, *on_hup;
	bool watchdog;

	bool eal, rcu;
	bool running;   /* workers are */
	bool took_over; /* a crashed process's XDP program: a failed start must leave it */
};

/* voices.c: what libraries print goes to our log, at level debug. */
void voices_quiet(void);

/* eal.c: start DPDK. The configuration decides about CPUs, memory and devices. */
int eal_start(const struct config *config, struct fault *fault);

/* pool.c: the packet buffers of all ports; how many, and what each takes of memory. */
int pool_make(struct daemon *d, struct fault *fault);
uint32_t pool_buffers(const struct config *config);
uint32_t pool_buffer_bytes(const struct config *config);
bool pool_is_for_af_xdp(const struct config *config);

/* cpus.c: the --lcores argument: lcore 0 for control, 1 … N for the workers. */
int cpus_argument(const struct config *config, char *out, size_t size, struct fault *fault);

/* apply.c: the configuration's tunnels, policies, routes into tunnels; before ports. */
int apply_tunnels(struct daemon *d, struct fault *fault);
/* The configuration's ports, with their addresses, neighbours and routes. */
int apply_ports(struct daemon *d, struct fault *fault);

/* start.c: everything up to READY=1. On failure the caller stops what is there. */
int daemon_start(struct daemon *d, struct fault *fault);

/* loop.c */
int loop_make(struct daemon *d, struct fault *fault);
int loop_follow(struct daemon *d, struct fault *fault);
void loop_free(struct daemon *d);

/* stop.c: undo whatever daemon_start() did, in an order that leaves nothing behind. */
void daemon_stop(struct daemon *d);

#endif
