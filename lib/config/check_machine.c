/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config/check.h"
#include "config/keys.h"
#include "config/schema.h"

#define WORKERS_MOST 64

static int check_eal(struct check *c)
{
	struct config *config = c->config;

	config->eal = (const char **)c->raw->eal;
	config->eal_count = c->raw->eal_count;
	for (c->at[0] = 0; c->at[0] < config->eal_count; c->at[0]++)
		if (config->eal[c->at[0]] == NULL || config->eal[c->at[0]][0] == '\0')
			return check_fault(c, "eal[]", "empty; an EAL argument is needed");
	return 0;
}

static int check_lcores(struct check *c)
{
	static const uint64_t one[] = {1};
	const struct config_key *key = config_key_find("workers.lcores");
	const uint64_t *given = c->raw->workers.lcores;
	size_t n = c->raw->workers.lcores_count;

	if (given == NULL) {
		given = one;
		n = 1;
	}
	if (n > WORKERS_MOST)
		return check_fault(c, "workers.lcores", "%zu CPUs; at most %u are possible", n,
				   WORKERS_MOST);
	c->config->lcores = calloc(n, sizeof(*c->config->lcores));
	if (c->config->lcores == NULL)
		return fault_set(c->fault, ENOMEM, "", "out of memory");
	c->config->lcores_count = n;
	for (size_t i = 0; i < n; i++) {
		c->at[0] = i;
		if (given[i] > key->max)
			return check_fault(c, "workers.lcores[]",
					   "%lu is too large; %lu to %lu is "
					   "possible",
					   given[i], key->min, key->max);
		for (size_t j = 0; j < i; j++)
			if (given[i] == given[j])
				return check_fault(c, "workers.lcores[]",
						   "CPU %lu stands twice; each runs one worker",
						   given[i]);
		c->config->lcores[i] = (unsigned int)given[i];
	}
	return 0;
}

static int check_memory(struct check *c)
{
	static const char *const pages[] = {
	    [WORD_NO] = "no", [WORD_YES] = "yes", [WORD_AUTO] = "auto"};
	const struct raw_memory *raw = &c->raw->memory;
	uint64_t buffers = 0, size;

	if ((raw->buffers != NULL &&
	     check_number(c, "memory.buffers", raw->buffers, &buffers) != 0) ||
	    check_number(c, "memory.buffer_size", raw->buffer_size, &size) != 0)
		return -EINVAL;
	c->config->buffers = (uint32_t)buffers;
	c->config->buffer_size = (uint16_t)size;
	c->config->hugepages = pages[check_word("memory.hugepages", raw->hugepages)];
	return 0;
}

static int check_limits(struct check *c)
{
	const struct raw_limits *raw = &c->raw->limits;
	uint64_t sas, tunnels, routes, flows;

	if (check_number(c, "limits.sas", raw->sas, &sas) != 0 ||
	    check_number(c, "limits.tunnels", raw->tunnels, &tunnels) != 0 ||
	    check_number(c, "limits.routes", raw->routes, &routes) != 0 ||
	    check_number(c, "limits.flows", raw->flows, &flows) != 0)
		return -EINVAL;
	if ((flows & (flows - 1)) != 0)
		return check_fault(c, "limits.flows", "%lu is no power of two; %lu is the next one",
				   flows, 1UL << (64 - __builtin_clzl(flows)));
	c->config->sas_max = (uint32_t)sas;
	c->config->tunnels_max = (uint32_t)tunnels;
	c->config->routes_max = (uint32_t)routes;
	c->config->flows = (uint32_t)flows;
	return 0;
}

static int check_control(struct check *c)
{
	const struct raw_control *raw = &c->raw->control;
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	const char *mode;
	char *end;

	if (check_text(c, "control.socket", raw->socket,
		       config_key_find("control.socket")->fallback, &c->config->socket) != 0 ||
	    check_text(c, "control.mode", raw->mode, "0660", &mode) != 0)
		return -EINVAL;
	if (c->config->socket[0] != '/' || strlen(c->config->socket) > most)
		return check_fault(c, "control.socket",
				   "\"%.100s\" must begin with / and have at most %zu bytes",
				   c->config->socket, most);
	unsigned long bits = strtoul(mode, &end, 8);
	if (mode[0] < '0' || mode[0] > '7' || *end != '\0' || bits > 0777)
		return check_fault(
		    c, "control.mode",
		    "\"%.20s\" is no permission; \"0600\" to \"0777\" in octal is needed", mode);
	if ((bits & 0600) != 0600)
		return check_fault(c, "control.mode",
				   "\"%.20s\" shuts out the daemon's own user; \"0660\" is usual",
				   mode);
	c->config->socket_mode = (unsigned int)bits;
	if (raw->group == NULL)
		return 0;
	return check_text(c, "control.group", raw->group, NULL, &c->config->socket_group);
}

static int check_log(struct check *c)
{
	const struct raw_log *raw = &c->raw->log;
	uint64_t megabytes, keep;

	if (check_text(c, "log.tunnels", raw->tunnels, config_key_find("log.tunnels")->fallback,
		       &c->config->tunnel_log) != 0 ||
	    check_number(c, "log.size", raw->size, &megabytes) != 0 ||
	    check_number(c, "log.keep", raw->keep, &keep) != 0)
		return -EINVAL;
	if (strcmp(c->config->tunnel_log, "none") == 0)
		c->config->tunnel_log = NULL;
	else if (c->config->tunnel_log[0] != '/')
		return check_fault(c, "log.tunnels", "\"%.100s\" must begin with /, or be none",
				   c->config->tunnel_log);
	c->config->tunnel_log_size = megabytes << 20;
	c->config->tunnel_log_keep = (unsigned int)keep;
	return 0;
}

int check_machine(struct check *c)
{
	const struct raw_config *raw = c->raw;
	const char *fallback = config_key_find("state_directory")->fallback;

	if (check_eal(c) != 0 || check_lcores(c) != 0 || check_memory(c) != 0 ||
	    check_limits(c) != 0 || check_control(c) != 0 || check_log(c) != 0)
		return -c->fault->err;
	c->config->sleep = check_word("workers.idle", raw->workers.idle) == WORD_SLEEP;
	c->config->lab = check_word("lab", raw->lab) != 0;
	if (check_text(c, "state_directory", raw->state_directory, fallback,
		       &c->config->state_directory) != 0)
		return -EINVAL;
	if (c->config->state_directory[0] != '/')
		return check_fault(c, "state_directory", "\"%.100s\" must begin with /",
				   c->config->state_directory);
	return check_text(c, "policy_device", raw->policy_device,
			  config_key_find("policy_device")->fallback, &c->config->policy_device);
}
