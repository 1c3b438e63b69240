/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_CONFIG_CONFIG_H
#define ESPALIER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/address.h"
#include "report/fault.h"
#include "spd/selector.h"

/*
 * The configuration file, read by libcyaml by the schema in schema.c, then
 * checked and converted: what stands here is valid by itself (ranges, syntax of
 * addresses, references between sections), though a device may still be missing
 * on this machine. Strings belong to the config.
 */
struct config_port {
	const char *name;
	const char *device;
	unsigned int role; /* enum port_role */
	uint16_t queues;
	uint16_t mtu; /* 0: the device's */
	const char *xdp_mode;
	bool mirror;
	struct ip_prefix *addresses; /* of a port without a kernel netdev */
	size_t addresses_count;
};

struct config_route {
	struct ip_prefix prefix;
	struct ip_addr via; /* family 0: on-link, or into a tunnel */
	const char *port;   /* NULL with tunnel */
	const char *tunnel; /* NULL with port */
};

struct config_neighbour {
	const char *port;
	struct ip_addr address;
	uint8_t mac[6];
};

/* Manual keying; only under `lab: true`. */
struct config_sa {
	uint32_t spi;
	uint8_t key[36];
	size_t key_len; /* 20 or 36, salt included */
};

struct config_tunnel {
	const char *name;
	const char *device; /* "" : policy-based */
	struct ip_addr local, remote;
	bool udp;
	uint16_t local_port, remote_port;
	uint16_t mtu;
	uint16_t keepalive;
	bool esn;
	uint32_t replay_window;
	unsigned int df;   /* enum sa_df */
	int dscp;          /* -1: copy */
	uint32_t priority; /* of the policies made from the selectors */
	struct selector *selectors;
	size_t selectors_count;
	bool keys; /* in and out below are set */
	struct config_sa in, out;
};

struct config_policy {
	const char *name;
	uint32_t priority;
	unsigned int action; /* enum policy_action */
	const char *tunnel;  /* PROTECT */
	struct selector selector;
};

struct config {
	char *file;
	const char **eal; /* raw EAL arguments */
	size_t eal_count;

	unsigned int *lcores; /* CPUs that workers run on, one worker each */
	size_t lcores_count;
	bool sleep; /* workers.idle: sleep */

	uint32_t buffers;      /* mbufs; 0: by the number of queues */
	uint16_t buffer_size;  /* data room without headroom */
	const char *hugepages; /* "auto", "yes", "no" */

	struct config_port *ports;
	size_t ports_count;
	struct config_route *routes;
	size_t routes_count;
	struct config_neighbour *neighbours;
	size_t neighbours_count;
	struct config_tunnel *tunnels;
	size_t tunnels_count;
	struct config_policy *policies;
	size_t policies_count;

	bool lab;
	const char *state_directory;
	const char *policy_device; /* name of the shared tun device */

	uint32_t sas_max, tunnels_max, routes_max, flows; /* limits */

	const char *socket;
	unsigned int socket_mode;
	const char *socket_group; /* NULL: the process's own */

	const char *tunnel_log;   /* NULL: none */
	uint64_t tunnel_log_size; /* bytes */
	unsigned int tunnel_log_keep;
};

/*
 * Read and check `file`. 0, or -errno with *fault: where = "line 12" (syntax,
 * type, enum, unknown key) or a key path such as "ports[1].mtu" (range, meaning).
 */
int config_load(const char *file, struct config **out, struct fault *fault);
/* The same from memory, for tests and fuzzing. */
int config_parse(const char *text, size_t len, struct config **out, struct fault *fault);
/* Wipes keys. */
void config_free(struct config *c);

/* Wipe the keys early, once the SAs are made. */
void config_wipe_keys(struct config *c);

/* Every key with type, default, range and meaning, as the reference text prints it (Markdown). */
void config_print_reference(void);

#endif
