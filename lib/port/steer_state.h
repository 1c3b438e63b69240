/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_STEER_STATE_H
#define ESPALIER_PORT_STEER_STATE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/port.h"
#include "port/steer.h"
#include "port/steer_map.h"

/* Inside of steer.h, for steer*.c alone. */

enum steer_shared { SHARED_V4, SHARED_V6, SHARED_LOCAL, SHARED_ENCAP, SHARED_MAPS };

struct steer_shared_map {
	const char *name;
	uint32_t type, key_size, max_entries, flags;
};
extern const struct steer_shared_map steer_shared_map[SHARED_MAPS];

struct steer_bpf;

struct steer_program {
	int ifindex; /* 0: unused */
	uint32_t xdp_flags;
	struct steer_bpf *bpf;
};

struct steer {
	int map[SHARED_MAPS]; /* fds */
	struct steer_program program[PORT_MAX];
};

struct steer_program *steer_program_find(const struct steer *s, int ifindex);

/*
 * What is attached to a netdev before us. `fd` is the program's (owned by the
 * caller), or -1 where nothing is attached.
 */
struct steer_found {
	int fd;
	uint32_t id;
	bool attached;
	bool native;
	bool several; /* more than one program, or one in hardware: never ours */
	bool ours;
	char name[16];
	struct steer_port port; /* where it is ours */
};
int steer_find(int ifindex, struct steer_found *out);

/* The process that attached it still runs. */
bool steer_owner_runs(const struct steer_port *port);
/* Start time of a process, field 22 of its stat; 0 where it does not run. */
uint64_t steer_start_time(uint32_t pid);

/* Copy the shared maps of a program of ours into those of `s`, as stale. 0 or -errno. */
int steer_inherit(struct steer *s, int prog_fd);

#endif
