/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/steer_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "steer.skel.h"

#define ENCAP_PORT 4500

const struct steer_shared_map steer_shared_map[SHARED_MAPS] = {
    [SHARED_V4] = {"steer_v4", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct steer_v4_key),
		   STEER_PREFIXES_MAX, BPF_F_NO_PREALLOC},
    [SHARED_V6] = {"steer_v6", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct steer_v6_key),
		   STEER_PREFIXES_MAX, BPF_F_NO_PREALLOC},
    [SHARED_LOCAL] = {"steer_local", BPF_MAP_TYPE_HASH, sizeof(struct steer_addr), STEER_LOCALS_MAX,
		      0},
    [SHARED_ENCAP] = {"steer_encap", BPF_MAP_TYPE_HASH, sizeof(uint32_t), STEER_ENCAP_PORTS_MAX, 0},
};

/* Kernels before 5.11 charge maps to RLIMIT_MEMLOCK. */
static void raise_memlock(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

struct steer *steer_open(struct fault *fault)
{
	struct steer *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		fault_set(fault, ENOMEM, "", "no memory for the steering maps");
		return NULL;
	}
	for (int i = 0; i < SHARED_MAPS; i++)
		s->map[i] = -1;
	raise_memlock();
	for (int i = 0; i < SHARED_MAPS; i++) {
		const struct steer_shared_map *m = &steer_shared_map[i];
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = m->flags);

		s->map[i] = bpf_map_create(m->type, m->name, m->key_size, sizeof(uint32_t),
					   m->max_entries, &opts);
		if (s->map[i] < 0) {
			fault_set(fault, errno, "",
				  "cannot make the BPF map %s: %s; AF_XDP ports need "
				  "CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN",
				  m->name, strerror(errno));
			steer_close(s);
			return NULL;
		}
	}
	int err = steer_encap_port_set(s, ENCAP_PORT, true);
	if (err != 0) {
		fault_set(fault, -err, "", "cannot fill the BPF map steer_encap: %s",
			  strerror(-err));
		steer_close(s);
		return NULL;
	}
	return s;
}

void steer_close(struct steer *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < PORT_MAX; i++)
		steer_bpf__destroy(s->program[i].bpf);
	for (int i = 0; i < SHARED_MAPS; i++)
		if (s->map[i] >= 0)
			close(s->map[i]);
	free(s);
}

struct steer_program *steer_program_find(const struct steer *s, int ifindex)
{
	for (int i = 0; i < PORT_MAX; i++)
		if (s->program[i].ifindex == ifindex)
			return (struct steer_program *)&s->program[i];
	return NULL;
}

static int set(const struct steer *s, enum steer_shared map, const void *key, uint32_t value)
{
	return bpf_map_update_elem(s->map[map], key, &value, BPF_ANY) == 0 ? 0 : -errno;
}

static int clear(const struct steer *s, enum steer_shared map, const void *key)
{
	if (bpf_map_delete_elem(s->map[map], key) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

union prefix_key {
	struct steer_v4_key v4;
	struct steer_v6_key v6;
};

static enum steer_shared prefix_key(const struct ip_prefix *prefix, union prefix_key *key)
{
	memset(key, 0, sizeof(*key));
	if (prefix->addr.family == 4) {
		key->v4.prefixlen = prefix->len;
		memcpy(key->v4.addr, prefix->addr.bytes, sizeof(key->v4.addr));
		return SHARED_V4;
	}
	key->v6.prefixlen = prefix->len;
	memcpy(key->v6.addr, prefix->addr.bytes, sizeof(key->v6.addr));
	return SHARED_V6;
}

int steer_prefix_set(struct steer *s, const struct ip_prefix *prefix, bool take)
{
	union prefix_key key;
	enum steer_shared map = prefix_key(prefix, &key);

	return set(s, map, &key, take ? STEER_TAKE : 0);
}

int steer_prefix_remove(struct steer *s, const struct ip_prefix *prefix)
{
	union prefix_key key;
	enum steer_shared map = prefix_key(prefix, &key);

	return clear(s, map, &key);
}

int steer_local_set(struct steer *s, const struct ip_addr *addr, bool present)
{
	struct steer_addr key = {.family = addr->family};

	memcpy(key.addr, addr->bytes, ip_size(addr->family));
	return present ? set(s, SHARED_LOCAL, &key, STEER_TAKE) : clear(s, SHARED_LOCAL, &key);
}

int steer_encap_port_set(struct steer *s, uint16_t port, bool present)
{
	uint32_t key = port;

	return present ? set(s, SHARED_ENCAP, &key, STEER_TAKE) : clear(s, SHARED_ENCAP, &key);
}

size_t steer_verdict_count(void)
{
	return STEER_VERDICT_COUNT;
}

const char *steer_verdict_name(size_t verdict)
{
	static const char *const names[] = {
#define X(id, name) #name,
	    STEER_VERDICTS(X)
#undef X
	};
	return verdict < STEER_VERDICT_COUNT ? names[verdict] : NULL;
}

int steer_verdicts(const struct steer *s, int ifindex, uint64_t *count)
{
	const struct steer_program *p = steer_program_find(s, ifindex);
	int cpus = libbpf_num_possible_cpus();

	if (p == NULL || ifindex == 0)
		return -ENOENT;
	uint64_t *value = cpus > 0 ? calloc((size_t)cpus, sizeof(*value)) : NULL;
	if (value == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < STEER_VERDICT_COUNT; i++) {
		count[i] = 0;
		if (bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.steer_verdict), &i, value) != 0)
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			count[i] += value[cpu];
	}
	free(value);
	return 0;
}
