/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CLIENT_H
#define ESPALIER_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A client of espalierd's control socket (JSON-RPC 2.0, docs/control.md), for IKE
 * daemons, monitoring and espctl. Every function may be called from any thread;
 * calls of several threads on one connection are answered independently of each
 * other. No function waits longer than its timeout (milliseconds; below 0: none),
 * whatever the gateway does, and none raises SIGPIPE. Keys are wiped from the buffers
 * that they pass through (the JSON values are the caller's: see espalier_wipe_json()).
 * There are no threads behind it; after fork() the child must make a client of its own.
 */
struct espalier;

#define ESPALIER_SOCKET "/run/espalier/control.sock"

/* What went wrong. `code` below ESPALIER_LOCAL is the gateway's own (docs/control.md). */
enum {
	ESPALIER_OK = 0,
	ESPALIER_LOCAL = 1000,
	ESPALIER_UNREACHABLE, /* no connection, or it broke before the answer was there */
	ESPALIER_TIMEOUT,     /* the request may have been carried out nevertheless */
	ESPALIER_PROTOCOL,    /* the answer is not what it should be */
	ESPALIER_NO_MEMORY,
	ESPALIER_CUT_OFF, /* the gateway ended the connection and said why */
	ESPALIER_CLOSED,  /* espalier_close() or espalier_events_close() was called meanwhile */
};

struct espalier_error {
	int code;
	char field[96];    /* the parameter that is wrong; "" if none is */
	char message[512]; /* a sentence, without a final full stop */
};

/*
 * Nothing is connected before the first call, and a broken connection is made
 * anew by the next call. `socket` NULL: $ESPALIER_SOCKET, else ESPALIER_SOCKET.
 * NULL without memory.
 */
struct espalier *espalier_open(const char *socket);
/* Calls that wait return ESPALIER_CLOSED; returns when the last of them has. */
void espalier_close(struct espalier *e);

/*
 * Introduce every connection with session.open, so that the gateway knows what
 * this program has installed and keeps it for `grace` seconds after the program
 * vanished (0: for ever). To be called before the first call.
 */
void espalier_session(struct espalier *e, const char *name, uint32_t grace);

/*
 * Call `method`. `params` (may be NULL) is borrowed and not changed. 0, with a new
 * reference in *result where result is not NULL; or the code that *error says.
 */
int espalier_call(struct espalier *e, const char *method, const json_t *params, int timeout_ms,
		  json_t **result, struct espalier_error *error);

/*
 * Call `method` with each element of the array `params`, in order, in as few
 * batches as the gateway's limits allow. *results has an element for each: {"result": …}
 * or {"error": …}. Not 0 where the connection failed; what was answered is there nevertheless,
 * and null for the rest.
 */
int espalier_call_many(struct espalier *e, const char *method, const json_t *params, int timeout_ms,
		       json_t **results, struct espalier_error *error);

/* How often this client has connected: a change says that the gateway may have restarted. */
uint64_t espalier_connections(struct espalier *e);

/* ---- Typed helpers. Strings of addresses are as inet_pton(3) takes them. ---- */

enum espalier_direction { ESPALIER_IN, ESPALIER_OUT };

struct espalier_lifetime { /* 0: no limit */
	uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets;
	uint32_t soft_seconds, hard_seconds;         /* since it was added */
	uint32_t soft_use_seconds, hard_use_seconds; /* since its first use */
};

struct espalier_sa {
	enum espalier_direction direction;
	uint32_t spi; /* host order */
	const char *tunnel;
	const char *algorithm; /* NULL: "aes256gcm16" */
	const uint8_t *key;    /* key, then salt; wiped copies only are made of it */
	size_t key_len;
	bool esn, udp;
	uint16_t local_port, remote_port; /* with udp; 0: 4500 */
	const char *local, *remote;       /* NULL: the tunnel's */
	int64_t replay_window;            /* inbound; < 0: the gateway's default */
	struct espalier_lifetime lifetime;
	const json_t *selectors; /* array as in docs/control.md; NULL: anything */
	bool exist_ok;
};

/* Which SA, for update, query and delete. An outbound one needs `remote` or `tunnel`. */
struct espalier_sa_id {
	enum espalier_direction direction;
	uint32_t spi;
	const char *remote, *tunnel;
};

struct espalier_sa_use {
	uint64_t packets, bytes;
	int64_t last_used_ms; /* CLOCK_MONOTONIC; -1: never */
};

struct espalier_tunnel {
	const char *name;
	const char *device;         /* NULL: the name; "": policy-based, without one */
	const char *local, *remote; /* NULL: not known yet */
	uint16_t mtu;               /* 0: computed */
	int keepalive;              /* seconds; < 0: the gateway's default */
	bool trap;                  /* traffic without an SA raises "acquire" */
	bool exist_ok;
};

struct espalier_policy {
	const char *name, *action; /* "protect", "bypass", "discard" */
	const char *tunnel;        /* with protect */
	int64_t priority;          /* < 0: the gateway's default */
	bool trap;                 /* with protect: traffic without an SA raises "acquire" */
	const json_t *selector;    /* object as in docs/control.md */
	bool exist_ok;
};

int espalier_spi_alloc(struct espalier *e, int timeout_ms, uint32_t *spi,
		       struct espalier_error *error);
int espalier_sa_add(struct espalier *e, const struct espalier_sa *sa, int timeout_ms,
		    struct espalier_error *error);
/* New addresses and encapsulation: NULL and 0 keep what is there, but `udp` is always set. */
int espalier_sa_update(struct espalier *e, const struct espalier_sa_id *id, const char *local,
		       const char *remote, bool udp, uint16_t local_port, uint16_t remote_port,
		       int timeout_ms, struct espalier_error *error);
int espalier_sa_query(struct espalier *e, const struct espalier_sa_id *id, int timeout_ms,
		      struct espalier_sa_use *use, struct espalier_error *error);
/* `reason` (may be NULL) becomes the tunnel's, such as "peer does not answer". Missing is no error.
 */
int espalier_sa_delete(struct espalier *e, const struct espalier_sa_id *id, const char *reason,
		       int timeout_ms, struct espalier_error *error);
int espalier_tunnel_add(struct espalier *e, const struct espalier_tunnel *tunnel, int timeout_ms,
			struct espalier_error *error);
/* Missing is no error. */
int espalier_tunnel_delete(struct espalier *e, const char *name, int timeout_ms,
			   struct espalier_error *error);
int espalier_policy_add(struct espalier *e, const struct espalier_policy *policy, int timeout_ms,
			struct espalier_error *error);
/* Missing is no error. */
int espalier_policy_delete(struct espalier *e, const char *name, int timeout_ms,
			   struct espalier_error *error);

/* ---- Events: a stream on a connection of its own. ---- */

struct espalier_events;

/*
 * Parameters as events.subscribe takes them (NULL: everything). Connects in
 * espalier_events_next(), and again after the connection was lost. NULL without
 * memory.
 */
struct espalier_events *espalier_events_open(const char *socket, const json_t *params);
void espalier_events_close(struct espalier_events *s);

/*
 * The next event, a new reference: the object `params` of a notification "event".
 * Blocks at most timeout_ms; ESPALIER_TIMEOUT where none came. A gateway that cannot be
 * reached is said at once the first time; later it is waited for, and ESPALIER_UNREACHABLE
 * comes after timeout_ms. After the stream was interrupted and subscribed anew, first
 * {"event": "client.resumed"} comes: what happened meanwhile is unknown, and state has to
 * be read again. Any error may be followed by another call. One thread at a time.
 */
int espalier_events_next(struct espalier_events *s, int timeout_ms, json_t **event,
			 struct espalier_error *error);

/*
 * Make jansson wipe what it frees, for programs that put keys into JSON values.
 * Process-wide (json_set_alloc_funcs), to be called before any JSON value exists.
 */
void espalier_wipe_json(void);

#ifdef __cplusplus
}
#endif

#endif
