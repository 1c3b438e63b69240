/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_RAW_H
#define ESPALIER_CONFIG_RAW_H

#include <stdint.h>

/*
 * The file as libcyaml reads it by schema.c: NULL is a key that is not there.
 * Addresses, port ranges and the like are still text; check.c reads them.
 */
struct raw_workers {
	uint64_t *lcores;
	uint32_t lcores_count;
	int *idle;
};

struct raw_memory {
	uint64_t *buffers, *buffer_size;
	int *hugepages;
};

struct raw_port {
	char *name, *device;
	int *role;
	uint64_t *queues, *mtu;
	int *xdp, *mirror;
	char **addresses;
	uint32_t addresses_count;
};

struct raw_route {
	char *prefix, *via, *port, *tunnel;
};

struct raw_neighbour {
	char *port, *address, *mac;
};

struct raw_limits {
	uint64_t *sas, *tunnels, *routes, *flows;
};

struct raw_selector {
	char *local, *remote, *protocol, *local_ports, *remote_ports;
};

struct raw_sa {
	uint64_t *spi;
	char *key;
};

struct raw_tunnel {
	char *name, *device, *local, *remote;
	int *encapsulation;
	uint64_t *local_port, *remote_port, *mtu, *keepalive;
	int *esn;
	uint64_t *replay_window;
	int *df;
	char *dscp;
	struct raw_selector *selectors;
	uint32_t selectors_count;
	uint64_t *priority;
	struct raw_sa *in, *out;
};

struct raw_policy {
	char *name;
	uint64_t *priority;
	int *action;
	char *tunnel;
	struct raw_selector selector;
};

struct raw_control {
	char *socket, *mode, *group;
};

struct raw_log {
	char *tunnels;
	uint64_t *size, *keep;
};

struct raw_config {
	char **eal;
	uint32_t eal_count;
	struct raw_workers workers;
	struct raw_memory memory;
	struct raw_port *ports;
	uint32_t ports_count;
	struct raw_route *routes;
	uint32_t routes_count;
	struct raw_neighbour *neighbours;
	uint32_t neighbours_count;
	int *lab;
	char *state_directory, *policy_device;
	struct raw_limits limits;
	struct raw_tunnel *tunnels;
	uint32_t tunnels_count;
	struct raw_policy *policies;
	uint32_t policies_count;
	struct raw_control control;
	struct raw_log log;
};

#endif
