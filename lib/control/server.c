/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_cycles.h>

#include "control/server.h"
#include "control/state.h"
#include "report/log.h"

#define INTAKE_BUDGET (64U << 20)
#define ACCEPTS_PER_TURN 64
/* Of the control thread's time, before netlink and timers get their turn. */
#define TURN_US 4000
#define SLICE_US 1000

static uint64_t cycles(uint64_t us)
{
	return rte_get_tsc_hz() / 1000000 * us;
}

void server_ready(struct client *c)
{
	struct server *s = c->server;
	const struct timeval next_turn = {0};

	if (c->ready)
		return;
	c->ready = true;
	TAILQ_INSERT_TAIL(&s->ready, c, ready_link);
	if (!event_pending(s->serving, EV_TIMEOUT, NULL))
		event_add(s->serving, &next_turn);
}

static void drop_client(struct server *s, struct client *c)
{
	TAILQ_REMOVE(&s->clients, c, link);
	s->count--;
	client_free(c);
}

/* Round robin, a slice each, as long as this turn lasts. */
static void on_serving(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	const struct timeval next_turn = {0};
	uint64_t end = rte_rdtsc() + cycles(TURN_US);
	struct client *c;

	(void)fd;
	(void)what;
	while ((c = TAILQ_FIRST(&s->ready)) != NULL && rte_rdtsc() < end) {
		TAILQ_REMOVE(&s->ready, c, ready_link);
		c->ready = false;
		bool more = client_serve(c, rte_rdtsc() + cycles(SLICE_US));
		if (c->dead) {
			drop_client(s, c);
		} else if (more) {
			c->ready = true;
			TAILQ_INSERT_TAIL(&s->ready, c, ready_link);
		}
	}
	if (c != NULL)
		event_add(s->serving, &next_turn);
}

void server_farewell(struct server *s, struct caller *caller)
{
	control_farewell(s->control, caller);
}

/* A hang-up is seen at once, even behind bytes that have not been read. */
void server_bury(struct server *s, struct session *one)
{
	struct client *c;

	TAILQ_FOREACH (c, &s->clients, link) {
		struct pollfd p = {.fd = c->fd};
		if (c->caller.session != one || poll(&p, 1, 0) != 1 || (p.revents & POLLHUP) == 0)
			continue;
		server_farewell(s, &c->caller);
		c->dead = true;
		server_ready(c);
	}
}

static void turn_away(const struct server *s, int fd)
{
	char limit[32];
	size_t len;

	snprintf(limit, sizeof(limit), "%u clients", s->control->config.clients_max);
	char *text = rpc_error_line(RPC_TOO_MANY, "too many clients are connected", limit, &len);
	if (text != NULL && send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("control: a client that was turned away did not wait for the reason");
	free(text);
	close(fd);
}

static void welcome(struct server *s, int fd)
{
	struct peer peer;
	unsigned int rights = peer_rights(fd, s->file.gid, &peer);

	if (s->count >= s->control->config.clients_max) {
		turn_away(s, fd);
		return;
	}
	struct client *c = client_open(s, fd, rights, &peer);
	if (c == NULL)
		return;
	log_debug("control: pid %d (uid %u) connected", (int)peer.pid, peer.uid);
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->count++;
}

static void on_resuming(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	event_add(s->accepting, NULL);
}

/* Without descriptors a pause, or the waiting client would wake us in a loop. */
static void on_accepting(evutil_socket_t listener, short what, void *arg)
{
	struct server *s = arg;
	const struct timeval pause = {.tv_usec = 100000};

	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			s->short_of_files = false;
			welcome(s, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			if (!s->short_of_files)
				log_warning("control: cannot accept a client: %s", strerror(errno));
			s->short_of_files = true;
			event_del(s->accepting);
			event_add(s->resuming, &pause);
		}
		return;
	}
}

struct server *server_start(struct event_base *base, struct control *control, struct fault *fault)
{
	const struct control_config *config = &control->config;
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		fault_set(fault, ENOMEM, "socket", "no memory");
		return NULL;
	}
	s->base = base;
	s->control = control;
	s->intake_budget = INTAKE_BUDGET;
	TAILQ_INIT(&s->clients);
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->subscribers);
	if (socket_file_open(&s->file, config->path, config->mode, config->group, fault) != 0) {
		free(s);
		return NULL;
	}
	s->accepting = event_new(base, s->file.fd, EV_READ | EV_PERSIST, on_accepting, s);
	s->resuming = evtimer_new(base, on_resuming, s);
	s->serving = evtimer_new(base, on_serving, s);
	if (s->accepting == NULL || s->resuming == NULL || s->serving == NULL ||
	    event_add(s->accepting, NULL) != 0) {
		server_stop(s);
		fault_set(fault, ENOMEM, "socket", "no memory for its events");
		return NULL;
	}
	if (gateway_sink_add(control->g, subscription_event, s) != 0) {
		server_stop(s);
		fault_set(fault, ENOSPC, "socket", "the gateway has no place for another sink");
		return NULL;
	}
	return s;
}

void server_stop(struct server *s)
{
	struct client *c;

	gateway_sink_remove(s->control->g, subscription_event, s);
	while ((c = TAILQ_FIRST(&s->clients)) != NULL)
		drop_client(s, c);
	if (s->accepting != NULL)
		event_free(s->accepting);
	if (s->resuming != NULL)
		event_free(s->resuming);
	if (s->serving != NULL)
		event_free(s->serving);
	socket_file_close(&s->file);
	free(s);
}

uint32_t server_clients(const struct server *s)
{
	return s->count;
}
