/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/server.h"
#include "control_empty.h"
#include "report/log.h"

/*
 * Input: what several clients of the socket do, on real connections. A byte below
 * OPERATIONS is something that happens, others are sent to the gateway: lines in
 * pieces of any size, with hang-ups, slow readers and events in between.
 */
enum operation {
	FIRST, /* the client that acts from now on */
	SECOND,
	THIRD,
	TURN,  /* what was written so far is sent, and the gateway has its turn */
	READ,  /* the client reads what is there */
	LEAVE, /* it closes its connection, and is back */
	END,   /* it sends no more */
	EVENT,
	EVENTS, /* many */
	OPERATIONS
};

#define CLIENTS 3

struct fuzzed {
	int fd;
	char *text; /* read, and no whole line yet */
	size_t len;
	json_int_t seq; /* of its last event */
};

static struct inprocess *gateway;
static struct control *control;
static struct event_base *base;
static struct fuzzed fuzzed[CLIENTS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64];
	struct fault fault = {0};
	struct control_config config = {
	    .path = path, .sas_max = 16, .tunnels_max = 4, .events_max = 4};

	(void)argc;
	(void)argv;
	log_set_level(LOG_ERROR);
	snprintf(path, sizeof(path), "/tmp/fuzz-socket-%d", (int)getpid());
	gateway = fuzz_gateway();
	base = event_base_new();
	control = control_start(base, &gateway->g, &config, &fault);
	must(control != NULL);
	/* Connections are made without it. */
	unlink(path);
	return 0;
}

static void turn(void)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void come(struct fuzzed *f)
{
	const struct peer peer = {.pid = getpid(), .uid = 0, .gid = 0};
	struct server *s = control->server;
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	struct client *c = client_open(s, pair[1], CONTROL_ALL, &peer);
	must(c != NULL);
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->count++;
	*f = (struct fuzzed){.fd = pair[0]};
}

static void leave(struct fuzzed *f)
{
	close(f->fd);
	free(f->text);
}

static void write_some(const struct fuzzed *f, const uint8_t *bytes, size_t len)
{
	/* What does not fit is lost, as with a client that gives up. */
	if (len > 0 && send(f->fd, bytes, len, MSG_NOSIGNAL) < 0)
		must(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
}

/* Every line is JSON, and events come in order. */
static void understand(struct fuzzed *f, const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, 0, NULL);

	must(json_is_object(json) || json_is_array(json));
	const json_t *seq = json_object_get(json_object_get(json, "params"), "seq");
	if (seq != NULL) {
		json_int_t n = json_integer_value(seq);
		must(n == f->seq + 1 || n == 1);
		f->seq = n;
	}
	json_decref(json);
}

/* False at the end of the connection. */
static bool read_some(struct fuzzed *f)
{
	char bytes[65536];
	ssize_t n;

	while ((n = recv(f->fd, bytes, sizeof(bytes), 0)) > 0) {
		f->text = realloc(f->text, f->len + (size_t)n);
		must(f->text != NULL);
		memcpy(f->text + f->len, bytes, (size_t)n);
		f->len += (size_t)n;
		char *newline;
		while (f->len > 0 && (newline = memchr(f->text, '\n', f->len)) != NULL) {
			size_t len = (size_t)(newline - f->text);
			understand(f, f->text, len);
			f->len -= len + 1;
			memmove(f->text, newline + 1, f->len);
		}
	}
	return n < 0 && errno == EAGAIN;
}

static bool first_tunnel(void *arg, struct tunnel *t)
{
	*(struct tunnel **)arg = t;
	return false;
}

static void raise_events(int count)
{
	struct tunnel *t = NULL;
	struct event e = {.kind = EVENT_PORT_LINK, .port = &gateway->g.port[0]};

	tunnel_each(gateway->g.sadb, first_tunnel, &t);
	if (t != NULL)
		e = (struct event){
		    .kind = EVENT_TUNNEL_STATE, .tunnel = t, .was = "up", .reason = "a reason"};
	for (int i = 0; i < count; i++)
		subscription_event(control->server, &e);
}

static struct fuzzed *act(struct fuzzed *f, enum operation operation)
{
	switch (operation) {
	case FIRST:
	case SECOND:
	case THIRD:
		return &fuzzed[operation - FIRST];
	case READ:
		read_some(f);
		break;
	case LEAVE:
		leave(f);
		come(f);
		break;
	case END:
		shutdown(f->fd, SHUT_WR);
		break;
	case EVENT:
		raise_events(1);
		break;
	case EVENTS:
		raise_events(100);
		break;
	case TURN:
	case OPERATIONS:
		turn();
		break;
	}
	return f;
}

/* Everybody gets all of the answers that are due, and then an end. */
static void finish(void)
{
	struct server *s = control->server;

	for (int i = 0; i < CLIENTS; i++) {
		struct fuzzed *f = &fuzzed[i];
		int tries = 0;
		shutdown(f->fd, SHUT_WR);
		do {
			turn();
			must(++tries < 100000);
		} while (read_some(f));
		must(f->len == 0);
		leave(f);
	}
	for (int tries = 0; s->count > 0; tries++) {
		must(tries < 100000);
		turn();
	}
	must(s->events == 0 && TAILQ_EMPTY(&s->subscribers) && TAILQ_EMPTY(&s->ready));
	must(s->intake_budget == 64U << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzzed *f = &fuzzed[0];
	size_t begin = 0;

	for (int i = 0; i < CLIENTS; i++)
		come(&fuzzed[i]);
	for (size_t i = 0; i < size; i++) {
		if (data[i] >= OPERATIONS)
			continue;
		write_some(f, data + begin, i - begin);
		f = act(f, (enum operation)data[i]);
		begin = i + 1;
	}
	write_some(f, data + begin, size - begin);
	finish();
	control_empty(control, gateway);
	return 0;
}
