/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONTROL_MODEL_H
#define ESPALIER_CONTROL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the control socket's documentation says that requests do, in lists and
 * loops: tunnels, SAs, policies and which keys have been in use. Names, addresses,
 * SPIs and keys are numbers from small ranges, so that requests meet each other.
 */
#define MODEL_SAS_MAX 12 /* of each direction */
#define MODEL_TUNNELS_MAX 5
#define MODEL_NAMES 7
#define MODEL_KEYS 32768
#define MODEL_ROWS_MAX 6
#define ABSENT (-1)

enum model_op {
	OP_TUNNEL_ADD,
	OP_TUNNEL_UPDATE,
	OP_TUNNEL_DELETE,
	OP_TUNNEL_RESET,
	OP_SA_ADD,
	OP_SA_ADD_MANY,
	OP_SA_UPDATE,
	OP_SA_DELETE,
	OP_SA_FLUSH,
	OP_POLICY_ADD,
	OP_POLICY_DELETE,
	OP_POLICY_FLUSH,
	OPS
};

enum model_direction { MODEL_IN, MODEL_OUT };
enum model_action { MODEL_PROTECT, MODEL_BYPASS, MODEL_DISCARD };

/* ABSENT: the parameter is left out. */
struct request {
	enum model_op op;
	bool broken; /* an unknown parameter besides */
	bool ok;     /* exist_ok, missing_ok */
	int tunnel, mtu, keepalive, trap;
	int direction, spi, key, remote, new_remote, udp, local_port, hard_packets;
	int name, action, priority, selector;
	size_t rows;
	struct {
		int spi, key;
	} row[MODEL_ROWS_MAX];
};

struct model_tunnel {
	bool used, trap;
	int mtu, keepalive, remote;
};

struct model_sa {
	int direction, spi, key, tunnel, remote, udp, local_port, hard_packets;
};

struct model_policy {
	int name, action, priority, tunnel, selector, trap;
};

struct model {
	struct model_tunnel tunnel[MODEL_NAMES];
	struct model_sa sa[2 * MODEL_SAS_MAX]; /* oldest first */
	size_t sas;
	struct model_policy policy[MODEL_NAMES]; /* in the order in which they are asked */
	size_t policies;
	/* Nonce safety: what a peer has sent with is never used for sending. */
	bool key_received[MODEL_KEYS];
};

/*
 * Apply a request. The code of its error, or 0 with what its result counts:
 * created, deleted (a boolean is 0 or 1).
 */
int model_apply(struct model *m, const struct request *r, int *count);

/* How many SAs of a tunnel, and the newest one or NULL. */
size_t model_sas_of(const struct model *m, int tunnel, enum model_direction direction,
		    const struct model_sa **newest);

#endif
