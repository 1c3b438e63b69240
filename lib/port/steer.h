/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_STEER_H
#define ESPALIER_PORT_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/address.h"
#include "report/fault.h"

/*
 * What the XDP program (steer.bpf.c) takes from the kernel, shared by all
 * AF_XDP ports of this process. The contents of a stale program of ours are
 * taken over, so nothing that was steered before a crash is let through in
 * between. Control thread.
 */
struct steer;

struct steer *steer_open(struct fault *fault);
/* Frees what this process holds. Programs still attached stay, and drop what they took. */
void steer_close(struct steer *s);

/*
 * Attach to `ifindex` with `role` (enum port_role). mode: "auto", "native", "generic".
 * A program of ours that nobody owns any more is replaced in one step and
 * *taken_over set; a foreign one, or one of a running daemon, is EBUSY.
 */
struct steer_attached {
	bool native;
	bool taken_over;
	char reason[128]; /* why native mode was not possible, where "auto" fell back */
};
int steer_attach(struct steer *s, int ifindex, unsigned int role, const char *mode,
		 struct steer_attached *out, struct fault *fault);
void steer_detach(struct steer *s, int ifindex);

/*
 * Destinations (on protected ports) and sources (on unprotected ports) that go
 * to the datapath. A superset is fine: the worker decides exactly. `take` false
 * carves a hole: a longer prefix that stays with the kernel. Not counted: one
 * remove undoes any number of sets. 0 or -errno; ENOSPC past 2^20 prefixes.
 */
int steer_prefix_set(struct steer *s, const struct ip_prefix *prefix, bool take);
int steer_prefix_remove(struct steer *s, const struct ip_prefix *prefix);

/* Addresses of this machine: ESP and ESP-in-UDP to them are taken. At most 4,096. */
int steer_local_set(struct steer *s, const struct ip_addr *addr, bool present);

/* UDP ports on which ESP-in-UDP arrives; 4500 is there from the start. */
int steer_encap_port_set(struct steer *s, uint16_t port, bool present);

/*
 * Remove what came from stale programs and was not set again since. To be called
 * once everything of the configuration stands.
 */
void steer_sweep(struct steer *s);

/* What the program of `ifindex` has decided so far, by enum steer_verdict. */
size_t steer_verdict_count(void);
const char *steer_verdict_name(size_t verdict);
int steer_verdicts(const struct steer *s, int ifindex, uint64_t *count);

#endif
