/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/steer_state.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define PROGRAM_NAME "xsk_def_prog"
#define MAPS_MAX 64
#define KEY_MAX sizeof(struct steer_addr)

/* A program that ended without detaching, and what its maps still hold. */

uint64_t steer_start_time(uint32_t pid)
{
	char path[32], line[1024];
	unsigned long long start = 0;
	char state = 'X';

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* The name, field 2, may hold blanks and parentheses: count from its end. */
	if (fgets(line, sizeof(line), f) != NULL) {
		const char *end = strrchr(line, ')');

		if (end == NULL ||
		    sscanf(end + 1,
			   " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			   "%*s %*s %*s %llu",
			   &state, &start) != 2)
			start = 0;
	}
	fclose(f);
	return state == 'Z' || state == 'X' ? 0 : start;
}

bool steer_owner_runs(const struct steer_port *port)
{
	uint64_t start = steer_start_time(port->owner_pid);

	return start != 0 && start == port->owner_start;
}

/* The fd of the map called `name` that the program uses, or -errno. */
static int map_of(int prog_fd, const char *name, struct bpf_map_info *info)
{
	uint32_t ids[MAPS_MAX];
	struct bpf_prog_info prog = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids};
	uint32_t len = sizeof(prog);

	if (bpf_obj_get_info_by_fd(prog_fd, &prog, &len) != 0)
		return -errno;
	for (uint32_t i = 0; i < prog.nr_map_ids && i < MAPS_MAX; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		memset(info, 0, sizeof(*info));
		len = sizeof(*info);
		if (bpf_obj_get_info_by_fd(fd, info, &len) == 0 && strcmp(info->name, name) == 0)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static bool read_port(int prog_fd, struct steer_port *port)
{
	struct bpf_map_info info;
	uint32_t zero = 0;
	int fd = map_of(prog_fd, "steer_port", &info);

	if (fd < 0)
		return false;
	bool ok = info.value_size == sizeof(*port) && info.key_size == sizeof(zero) &&
		  bpf_map_lookup_elem(fd, &zero, port) == 0 && port->magic == STEER_MAGIC;
	close(fd);
	return ok;
}

int steer_find(int ifindex, struct steer_found *out)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	int err = bpf_xdp_query(ifindex, 0, &query);
	if (err != 0)
		return err;
	if (query.attach_mode == XDP_ATTACHED_NONE)
		return 0;

	out->attached = true;
	out->native = query.attach_mode == XDP_ATTACHED_DRV;
	out->several =
	    query.attach_mode == XDP_ATTACHED_MULTI || query.attach_mode == XDP_ATTACHED_HW;
	out->id = query.prog_id;
	if (out->several)
		return 0;
	out->fd = bpf_prog_get_fd_by_id(out->id);
	if (out->fd < 0)
		return -errno;

	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	if (bpf_obj_get_info_by_fd(out->fd, &info, &len) != 0) {
		err = -errno;
		close(out->fd);
		out->fd = -1;
		return err;
	}
	snprintf(out->name, sizeof(out->name), "%s", info.name);
	out->ours = strcmp(info.name, PROGRAM_NAME) == 0 && read_port(out->fd, &out->port);
	return 0;
}

static int inherit_map(int from, int to)
{
	unsigned char key[KEY_MAX], next[KEY_MAX];
	void *previous = NULL;
	uint32_t value;

	while (bpf_map_get_next_key(from, previous, next) == 0) {
		memcpy(key, next, sizeof(key));
		previous = key;
		if (bpf_map_lookup_elem(from, key, &value) != 0)
			continue;
		value |= STEER_STALE;
		if (bpf_map_update_elem(to, key, &value, BPF_NOEXIST) != 0 && errno != EEXIST)
			return -errno;
	}
	return errno == ENOENT ? 0 : -errno;
}

int steer_inherit(struct steer *s, int prog_fd)
{
	for (int i = 0; i < SHARED_MAPS; i++) {
		const struct steer_shared_map *m = &steer_shared_map[i];
		struct bpf_map_info info;
		int fd = map_of(prog_fd, m->name, &info);

		if (fd < 0)
			return fd;
		int err = -EPROTO;
		if (info.key_size == m->key_size && info.value_size == sizeof(uint32_t))
			err = inherit_map(fd, s->map[i]);
		close(fd);
		if (err != 0)
			return err;
	}
	return 0;
}

/* Deleting while walking would start the walk again: gather keys first. */
static void sweep_map(int fd, uint32_t key_size)
{
	unsigned char key[KEY_MAX], next[KEY_MAX];
	unsigned char *stale = NULL;
	size_t n = 0, room = 0;
	void *previous = NULL;
	uint32_t value;

	while (bpf_map_get_next_key(fd, previous, next) == 0) {
		memcpy(key, next, sizeof(key));
		previous = key;
		if (bpf_map_lookup_elem(fd, key, &value) != 0 || !(value & STEER_STALE))
			continue;
		if (n == room) {
			size_t wider = room == 0 ? 64 : room * 2;
			void *grown = realloc(stale, wider * key_size);

			if (grown == NULL)
				break; /* what stays is a superset: harmless */
			stale = grown;
			room = wider;
		}
		memcpy(stale + n++ * key_size, key, key_size);
	}
	for (size_t i = 0; i < n; i++)
		bpf_map_delete_elem(fd, stale + i * key_size);
	free(stale);
}

void steer_sweep(struct steer *s)
{
	for (int i = 0; i < SHARED_MAPS; i++)
		sweep_map(s->map[i], steer_shared_map[i].key_size);
}
