/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <rte_cycles.h>

#include "control/rpc.h"
#include "control/server.h"
#include "control/state.h"
#include "control/wipe.h"

static char *copy_text(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void set_config(struct control *c, const struct control_config *config)
{
	c->config = *config;
	c->config.path = copy_text(config->path);
	c->config.group = copy_text(config->group);
	c->config.config_file = copy_text(config->config_file);
	if (c->config.mode == 0)
		c->config.mode = 0660;
	if (c->config.clients_max == 0)
		c->config.clients_max = 1024;
	if (c->config.output_max == 0)
		c->config.output_max = 8U << 20;
	if (c->config.stall_seconds == 0)
		c->config.stall_seconds = 30;
	if (c->config.events_max == 0)
		c->config.events_max = 1024;
}

uint64_t control_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static void clean_soon(struct control *c)
{
	const struct timeval next_turn = {.tv_usec = 1000};

	if (c->cleaning != NULL && !event_pending(c->cleaning, EV_TIMEOUT, NULL))
		event_add(c->cleaning, &next_turn);
}

static void on_ticking(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (sessions_tick(c->sessions, control_seconds()))
		clean_soon(c);
}

static void on_cleaning(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (sessions_clean(c->sessions))
		clean_soon(c);
}

void control_farewell(struct control *c, struct caller *caller)
{
	struct session *one = caller->session;

	caller->session = NULL;
	if (one != NULL)
		session_leave(c->sessions, one, control_seconds());
	spis_abandon(c->sessions, &caller->spis);
	clean_soon(c);
}

static bool make_sessions(struct control *c)
{
	const struct peer peer = {.pid = -1, .uid = geteuid(), .gid = getegid()};

	caller_init(&c->local, 0, &peer);
	c->sessions = sessions_create(c->g);
	return c->sessions != NULL;
}

static bool start_clock(struct control *c, struct event_base *base)
{
	const struct timeval second = {.tv_sec = 1};

	if (base == NULL)
		return true;
	c->ticking = event_new(base, -1, EV_PERSIST, on_ticking, c);
	c->cleaning = evtimer_new(base, on_cleaning, c);
	return c->ticking != NULL && c->cleaning != NULL && event_add(c->ticking, &second) == 0;
}

struct control *control_start(struct event_base *base, struct gateway *g,
			      const struct control_config *config, struct fault *fault)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		fault_set(fault, ENOMEM, "", "no memory");
		return NULL;
	}
	wipe_json();
	c->g = g;
	c->started_tsc = rte_rdtsc();
	set_config(c, config);
	c->aead = aead_create();
	if (c->aead == NULL) {
		fault_set(fault, ENOTSUP, "", "this CPU lacks what the cipher library needs");
		control_stop(c);
		return NULL;
	}
	if (!make_sessions(c)) {
		fault_set(fault, ENOMEM, "", "no memory for sessions");
		control_stop(c);
		return NULL;
	}
	if (c->config.path != NULL) {
		c->server = server_start(base, c, fault);
		if (c->server == NULL) {
			control_stop(c);
			return NULL;
		}
	}
	if (!start_clock(c, base)) {
		fault_set(fault, ENOMEM, "", "no memory for a timer");
		control_stop(c);
		return NULL;
	}
	return c;
}

void control_stop(struct control *c)
{
	if (c == NULL)
		return;
	if (c->server != NULL)
		server_stop(c->server);
	if (c->ticking != NULL)
		event_free(c->ticking);
	if (c->cleaning != NULL)
		event_free(c->cleaning);
	c->cleaning = NULL;
	if (c->sessions != NULL) {
		control_farewell(c, &c->local);
		sessions_destroy(c->sessions);
	}
	if (c->aead != NULL)
		aead_destroy(c->aead);
	changes_free(&c->changes);
	free((char *)(uintptr_t)c->config.path);
	free((char *)(uintptr_t)c->config.group);
	free((char *)(uintptr_t)c->config.config_file);
	free(c);
}

size_t control_handle_line(struct control *c, unsigned int rights, const char *text, size_t len,
			   char **answer)
{
	c->local.rights = rights;
	struct rpc_line *line = rpc_begin(c, &c->local, text, len);
	size_t size = 0;

	*answer = NULL;
	if (line == NULL)
		return 0;
	while (!rpc_step(line, UINT64_MAX))
		;
	*answer = rpc_finish(line, &size);
	return size;
}
