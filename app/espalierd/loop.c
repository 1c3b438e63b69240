/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>

#include "daemon.h"
#include "gateway/event.h"
#include "notify.h"
#include "report/log.h"

/* What workers ask and tell waits so long at most: next hops, SAs, the ends of lifetimes. */
static const struct timeval workers_every = {.tv_usec = 10000};
static const struct timeval tick_every = {.tv_sec = 1};

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (number == SIGHUP) {
		log_notice("SIGHUP: the configuration is read at start only");
		return;
	}
	log_notice("%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(d->base);
}

static void on_mirror(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	mirror_read(d->g->mirror);
	gateway_settle(d->g);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	gateway_tick(d->g);
	if (d->watchdog)
		notify("WATCHDOG=1");
}

static void on_workers(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	struct worker_unresolved u;

	(void)fd;
	(void)what;
	for (uint16_t i = 0; i < d->g->workers; i++)
		while (worker_next_unresolved(d->g->worker[i], &u))
			mirror_resolve(d->g->mirror, u.port, &u.gateway);
	gateway_read_notices(d->g);
}

/* Signals are caught from here on, so that one during the start ends in a clean stop, too. */
int loop_make(struct daemon *d, struct fault *fault)
{
	d->base = event_base_new();
	if (d->base == NULL)
		return fault_set(fault, ENOMEM, "", "no event loop");
	d->on_term = evsignal_new(d->base, SIGTERM, on_signal, d);
	d->on_int = evsignal_new(d->base, SIGINT, on_signal, d);
	d->on_hup = evsignal_new(d->base, SIGHUP, on_signal, d);
	if (d->on_term == NULL || d->on_int == NULL || d->on_hup == NULL ||
	    evsignal_add(d->on_term, NULL) != 0 || evsignal_add(d->on_int, NULL) != 0 ||
	    evsignal_add(d->on_hup, NULL) != 0)
		return fault_set(fault, ENOMEM, "", "signals cannot be caught");
	d->watchdog = notify_watchdog_wanted();
	return 0;
}

int loop_follow(struct daemon *d, struct fault *fault)
{
	d->on_mirror =
	    event_new(d->base, mirror_fd(d->g->mirror), EV_READ | EV_PERSIST, on_mirror, d);
	d->on_tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	d->on_workers = event_new(d->base, -1, EV_PERSIST, on_workers, d);
	if (d->on_mirror == NULL || d->on_tick == NULL || d->on_workers == NULL ||
	    event_add(d->on_mirror, NULL) != 0 || event_add(d->on_tick, &tick_every) != 0 ||
	    event_add(d->on_workers, &workers_every) != 0)
		return fault_set(fault, ENOMEM, "", "no events");
	return 0;
}

void loop_free(struct daemon *d)
{
	struct event **all[] = {&d->on_mirror, &d->on_tick, &d->on_workers,
				&d->on_term,   &d->on_int,  &d->on_hup};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] != NULL)
			event_free(*all[i]);
		*all[i] = NULL;
	}
	if (d->base != NULL)
		event_base_free(d->base);
	d->base = NULL;
}
