/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_CHECK_H
#define ESPALIER_CONFIG_CHECK_H

#include "config/config.h"
#include "config/raw.h"
#include "config/secret.h"

/*
 * From struct raw_config to struct config: ranges and meaning. A path such as
 * "tunnels[].selectors[].local" names the key in the table of keys.c; its []
 * are filled with at[0] and at[1] where a fault is reported.
 */
struct check {
	struct config *config;
	const struct raw_config *raw;
	const struct secrets *secrets;
	struct fault *fault;
	size_t at[2];
	const struct config_tunnel **tunnels_sorted; /* by name; from check_tunnels() */
};

/* All of it. 0 or -errno and *fault. */
int check_config(struct check *c);

/* Its parts, in the order in which they run. */
int check_machine(struct check *c); /* eal, workers, memory, limits, control */
int check_ports(struct check *c);
int check_tunnels(struct check *c);
int check_keys(struct check *c); /* manual keys of all tunnels */
int check_policies(struct check *c);
int check_routes(struct check *c);  /* routes, neighbours */
int check_devices(struct check *c); /* names of netdevs to be made */

int check_fault(struct check *c, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The value, or the table's default; within the table's range. */
int check_number(struct check *c, const char *path, const uint64_t *given, uint64_t *out);
/* The value, or the table's default. libcyaml has checked the word. */
int check_word(const char *path, const int *given);
/* The value, or `absent`; a fault where there is neither or the value is empty. */
int check_text(struct check *c, const char *path, const char *given, const char *absent,
	       const char **out);
/* A name by which people and the control socket speak of something. */
int check_name(struct check *c, const char *path, const char *given, size_t max, const char **out);
/* A name that the kernel takes for a netdev. */
int check_device_name(struct check *c, const char *path, const char *name);

int check_address(struct check *c, const char *path, const char *text, struct ip_addr *out);
int check_prefix(struct check *c, const char *path, const char *text, struct ip_prefix *out);
/* 1 or 2 selectors (any to any is one of each family) into out[2]; `path`: of the mapping. */
int check_selector(struct check *c, const char *path, const struct raw_selector *raw,
		   struct selector out[2]);

/*
 * Names that stand twice: at[0] is set to the later one. `get` returns name i, or
 * NULL to leave it out.
 */
int check_unique(struct check *c, const char *path, size_t n,
		 const char *(*get)(const struct check *c, size_t i));
const struct config_port *check_port_find(const struct check *c, const char *name);
const struct config_tunnel *check_tunnel_find(const struct check *c, const char *name);

#endif
