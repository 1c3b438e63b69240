/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_PORT_STEER_H
#define ESPALIER_PORT_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/address.h"
#include "report/fault.h"

/*
 * What the XDP program (steer.bpf.c) takes from the kernel, shared by all
 * AF_XDP ports of this process. The maps of a stale program of ours are taken
 * over, so nothing that was steered before a crash is let through in between.
 * Control thread.
 */
struct steer;

struct steer *steer_open(struct fault *fault);
void steer_close(struct steer *s);

/* Attach to `ifindex` with `role` (enum port_role). mode: "auto", "native", "generic". */
int steer_attach(struct steer *s, int ifindex, unsigned int role, const char *mode, bool *native,
		 struct fault *fault);
void steer_detach(struct steer *s, int ifindex);

/*
 * Destinations (on protected ports) and sources (on unprotected ports) that go
 * to the datapath. A superset is fine: the worker decides exactly. `take` false
 * carves a hole: a longer prefix that stays with the kernel.
 */
int steer_prefix_set(struct steer *s, const struct ip_prefix *prefix, bool take);
int steer_prefix_remove(struct steer *s, const struct ip_prefix *prefix);

/* Addresses of this machine: ESP and ESP-in-UDP to them are taken. */
int steer_local_set(struct steer *s, const struct ip_addr *addr, bool present);

/* UDP ports on which ESP-in-UDP arrives; 4500 is there from the start. */
int steer_encap_port_set(struct steer *s, uint16_t port, bool present);

#endif
