/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_CONTROL_H
#define ESPALIER_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <event2/event.h>

#include "control/class.h"
#include "report/fault.h"
#include "worker/gateway.h"

/*
 * The control socket: JSON-RPC 2.0 on a Unix stream, one object or one batch
 * array a line. Everything runs in the thread of the event loop, which is the
 * gateway's control thread. docs/control.md lists the methods.
 */
struct control;
struct life_log;

/* Strings are copied. A zero limit means the default in parentheses. */
struct control_config {
	const char *path;       /* of the socket; NULL: none, only control_handle_line() */
	unsigned int mode;      /* of the socket file (0660) */
	const char *group;      /* its group; NULL: the process's own */
	uint32_t clients_max;   /* connected at once (1024) */
	size_t output_max;      /* bytes of answers to one line (8 MiB) */
	uint32_t stall_seconds; /* a client that reads nothing for so long is cut off (30) */
	uint32_t events_max;    /* events that a client may leave unread for a second (1024) */

	struct life_log *life_log; /* for tunnel.log; NULL: none. Outlives the control */

	/* What gateway.info tells besides. */
	const char *config_file; /* NULL: none */
	bool lab;
	bool sleep; /* workers sleep when idle */
	uint32_t sas_max, tunnels_max;
};

#define CONTROL_LINE_MAX (1U << 20) /* bytes of one request line */
#define CONTROL_BATCH_MAX 1024      /* requests in one line */
#define CONTROL_NESTING_MAX 16      /* depth of a request's JSON */
#define CONTROL_VALUES_MAX 32768    /* members and elements in one line */
#define CONTROL_STRING_MAX 4096     /* bytes of one string, as it is written */
/* With so many bytes unread, requests wait: who does not read is not served. */
#define CONTROL_UNREAD_MAX (256U << 10)
#define CONTROL_EVENT_BYTES_MAX (1U << 20) /* of events that a client leaves unread */
/*
 * Thousands of events may happen at once (gateway.reset, lifetimes that end
 * together). A client that has just read all before, or some of them, may have so
 * many times as much unread, as long as all clients together have not too many.
 */
#define CONTROL_EVENT_BURST 16
#define CONTROL_EVENTS_ALL_MAX (256U << 10)
/* Requests of one client in flight: about so many bytes of them are read ahead. */
#define CONTROL_AHEAD_MAX CONTROL_LINE_MAX

/*
 * Listen on config->path. The file appears with its mode and group already set;
 * one that a dead process left behind is replaced, one that answers is EADDRINUSE.
 * jansson's allocator is replaced by one that wipes what it frees (json_set_alloc_funcs).
 * NULL with *fault on failure. Control thread.
 */
struct control *control_start(struct event_base *base, struct gateway *g,
			      const struct control_config *config, struct fault *fault);

/* Close every client, remove the socket file. To be called before the gateway is taken apart. */
void control_stop(struct control *c);

/*
 * Serve one line (without its newline) for a caller with `rights` (control_class
 * bits); to sessions, all calls together are one connection. Returns the length of the answer and
 * sets *answer, which the caller passes to free(); 0 and NULL where none is due (notifications).
 * Any bytes are allowed. The caller wipes the line.
 */
size_t control_handle_line(struct control *c, unsigned int rights, const char *line, size_t len,
			   char **answer);

#endif
