/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_version.h>

#include "control/server.h"
#include "control/state.h"
#include "control/view.h"
#include "gateway/provision.h"

static json_t *limits_view(const struct control_config *config)
{
	return json_pack(
	    "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "sas", (json_int_t)config->sas_max, "tunnels", (json_int_t)config->tunnels_max,
	    "clients", (json_int_t)config->clients_max, "line", (json_int_t)CONTROL_LINE_MAX,
	    "batch", (json_int_t)CONTROL_BATCH_MAX, "rows", (json_int_t)CONTROL_ROWS_MAX, "nesting",
	    (json_int_t)CONTROL_NESTING_MAX, "values", (json_int_t)CONTROL_VALUES_MAX, "string",
	    (json_int_t)CONTROL_STRING_MAX, "answers", (json_int_t)config->output_max, "in_flight",
	    (json_int_t)CONTROL_AHEAD_MAX, "unread", (json_int_t)CONTROL_UNREAD_MAX, "stall",
	    (json_int_t)config->stall_seconds, "events", (json_int_t)config->events_max,
	    "event_bytes", (json_int_t)CONTROL_EVENT_BYTES_MAX, "sessions",
	    (json_int_t)SESSIONS_MAX);
}

int call_gateway_reset(struct call *call)
{
	uint32_t tunnels = gateway_reset(call->g, call_text(call, "reason"));

	call->result = json_pack("{s:I}", "tunnels", (json_int_t)tunnels);
	return 0;
}

int call_gateway_info(struct call *call)
{
	const struct control *c = call->control;
	const struct gateway *g = call->g;
	json_t *info = json_pack("{s:s, s:s, s:I, s:I}", "version", ESPALIER_VERSION, "dpdk",
				 rte_version(), "pid", (json_int_t)getpid(), "uptime",
				 (json_int_t)call_seconds_since(c->started_tsc));

	if (c->config.config_file != NULL)
		json_object_set_new(info, "config", json_string(c->config.config_file));
	json_t *rest = json_pack(
	    "{s:b, s:i, s:s, s:s, s:I, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "lab",
	    (int)c->config.lab, "workers", (int)g->workers, "idle",
	    c->config.sleep ? "sleep" : "spin", "isa", c->aead != NULL ? aead_isa(c->aead) : "none",
	    "tsc_hz", (json_int_t)rte_get_tsc_hz(), "hugepages", rte_eal_has_hugepages(), "ports",
	    (int)g->ports, "tunnels", (json_int_t)tunnel_count(g->sadb), "sas_in",
	    (json_int_t)sa_count(g->sadb, SA_INBOUND), "sas_out",
	    (json_int_t)sa_count(g->sadb, SA_OUTBOUND), "policies",
	    (json_int_t)policy_count(g->spd), "clients",
	    (json_int_t)(c->server != NULL ? server_clients(c->server) : 0), "limits",
	    limits_view(&c->config));
	json_object_update_new(info, rest);
	call->result = info;
	return 0;
}
