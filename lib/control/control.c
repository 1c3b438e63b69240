/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>

#include "control/rpc.h"
#include "control/server.h"
#include "control/state.h"
#include "control/wipe.h"

static char *copy_text(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void set_config(struct control *c, const struct control_config *config)
{
	c->config = *config;
	c->config.path = copy_text(config->path);
	c->config.group = copy_text(config->group);
	c->config.config_file = copy_text(config->config_file);
	if (c->config.mode == 0)
		c->config.mode = 0660;
	if (c->config.clients_max == 0)
		c->config.clients_max = 1024;
	if (c->config.output_max == 0)
		c->config.output_max = 8U << 20;
	if (c->config.stall_seconds == 0)
		c->config.stall_seconds = 30;
}

struct control *control_start(struct event_base *base, struct gateway *g,
			      const struct control_config *config, struct fault *fault)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		fault_set(fault, ENOMEM, "", "no memory");
		return NULL;
	}
	wipe_json();
	c->g = g;
	c->started_tsc = rte_rdtsc();
	set_config(c, config);
	c->aead = aead_create();
	if (c->aead == NULL) {
		fault_set(fault, ENOTSUP, "", "this CPU lacks what the cipher library needs");
		control_stop(c);
		return NULL;
	}
	if (c->config.path != NULL) {
		c->server = server_start(base, c, fault);
		if (c->server == NULL) {
			control_stop(c);
			return NULL;
		}
	}
	return c;
}

void control_stop(struct control *c)
{
	if (c == NULL)
		return;
	if (c->server != NULL)
		server_stop(c->server);
	if (c->aead != NULL)
		aead_destroy(c->aead);
	changes_free(&c->changes);
	free((char *)(uintptr_t)c->config.path);
	free((char *)(uintptr_t)c->config.group);
	free((char *)(uintptr_t)c->config.config_file);
	free(c);
}

size_t control_handle_line(struct control *c, unsigned int rights, const char *text, size_t len,
			   char **answer)
{
	struct rpc_line *line = rpc_begin(c, rights, text, len);
	size_t size = 0;

	*answer = NULL;
	if (line == NULL)
		return 0;
	while (!rpc_step(line, UINT64_MAX))
		;
	*answer = rpc_finish(line, &size);
	return size;
}
