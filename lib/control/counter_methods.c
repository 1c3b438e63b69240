/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "control/view.h"
#include "worker/worker.h"

static void add(struct worker_counters *sum, const struct worker_counters *c)
{
	sum->rx += c->rx;
	sum->from_kernel += c->from_kernel;
	sum->from_workers += c->from_workers;
	sum->made += c->made;
	sum->tx += c->tx;
	sum->to_kernel += c->to_kernel;
	sum->to_workers += c->to_workers;
	sum->held += c->held;
	for (int i = 0; i < DROP_REASONS; i++)
		sum->drops[i] += c->drops[i];
}

/* The account of worker.h, with its difference: 0 when no packet is being worked on. */
static json_t *flow_view(const struct worker_counters *c)
{
	uint64_t in = c->rx + c->from_kernel + c->from_workers + c->made;
	uint64_t out = c->tx + c->to_kernel + c->to_workers;
	uint64_t drops = 0;

	for (int i = 0; i < DROP_REASONS; i++)
		drops += c->drops[i];
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "in",
			 (json_int_t)in, "out", (json_int_t)out, "drops", (json_int_t)drops, "held",
			 (json_int_t)c->held, "difference",
			 (json_int_t)(in - out - drops - c->held), "rx", (json_int_t)c->rx, "tx",
			 (json_int_t)c->tx, "from_kernel", (json_int_t)c->from_kernel, "to_kernel",
			 (json_int_t)c->to_kernel, "from_workers", (json_int_t)c->from_workers,
			 "to_workers", (json_int_t)c->to_workers, "made", (json_int_t)c->made);
}

static json_t *worker_view(uint16_t index, const struct worker_counters *c)
{
	json_t *view = json_pack("{s:i}", "worker", (int)index);

	json_object_update_new(view, flow_view(c));
	json_object_update_new(
	    view, json_pack("{s:I, s:I, s:I, s:I}", "rounds", (json_int_t)c->rounds, "idle_rounds",
			    (json_int_t)c->idle_rounds, "vectors", (json_int_t)c->vectors,
			    "busy_cycles", (json_int_t)c->busy_cycles));
	return view;
}

static json_t *port_view(const struct gateway *g, uint16_t port)
{
	uint64_t rx = 0, tx = 0;

	for (uint16_t w = 0; w < g->workers; w++) {
		uint64_t r = 0, t = 0;
		worker_port_counters(g->worker[w], port, &r, &t);
		rx += r;
		tx += t;
	}
	return json_pack("{s:s, s:I, s:I}", "port", g->port[port].name, "rx", (json_int_t)rx, "tx",
			 (json_int_t)tx);
}

static json_t *host_view(const struct host *host)
{
	struct host_counters c;

	host_counters(host, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "to_kernel", (json_int_t)c.to_kernel,
			 "from_kernel", (json_int_t)c.from_kernel, "refused", (json_int_t)c.refused,
			 "no_buffer", (json_int_t)c.no_buffer, "undelivered",
			 (json_int_t)c.undelivered);
}

int call_counters_get(struct call *call)
{
	const struct gateway *g = call->g;
	struct worker_counters sum = {0};
	json_t *workers = json_array(), *ports = json_array();

	for (uint16_t w = 0; w < g->workers; w++) {
		struct worker_counters c;
		worker_counters(g->worker[w], &c);
		add(&sum, &c);
		json_array_append_new(workers, worker_view(w, &c));
	}
	for (uint16_t p = 0; p < g->ports; p++)
		json_array_append_new(ports, port_view(g, p));
	call->result = json_pack("{s:o, s:o, s:o}", "workers", workers, "ports", ports, "total",
				 flow_view(&sum));
	if (g->host != NULL)
		json_object_set_new(call->result, "host", host_view(g->host));
	return 0;
}

/* What the thread between the workers and the kernel dropped, under the same reasons. */
static void host_drops(const struct gateway *g, uint64_t *drops)
{
	struct host_counters c;

	if (g->host == NULL)
		return;
	host_counters(g->host, &c);
	drops[DROP_KERNEL_REFUSED] += c.refused;
	drops[DROP_NO_BUFFER] += c.no_buffer;
	drops[DROP_HANDOFF_FULL] += c.undelivered;
}

int call_drops_get(struct call *call)
{
	const struct gateway *g = call->g;
	bool zeros = call_boolean(call, "zeros"), by_worker = call_boolean(call, "workers");
	json_t *items = json_array(), *each[DROP_REASONS] = {NULL};
	uint64_t sum[DROP_REASONS] = {0}, kinds[2] = {0};

	for (int i = 0; i < DROP_REASONS && by_worker; i++)
		each[i] = json_array();
	for (uint16_t w = 0; w < g->workers; w++) {
		struct worker_counters c;
		worker_counters(g->worker[w], &c);
		for (int i = 0; i < DROP_REASONS; i++) {
			sum[i] += c.drops[i];
			if (by_worker)
				json_array_append_new(each[i],
						      json_integer((json_int_t)c.drops[i]));
		}
	}
	host_drops(g, sum);
	for (enum drop_reason i = 0; i < DROP_REASONS; i++) {
		kinds[drop_kind(i)] += sum[i];
		json_t *item = json_pack(
		    "{s:s, s:I, s:s, s:s}", "reason", drop_name(i), "count", (json_int_t)sum[i],
		    "kind", drop_kind(i) == DROP_END ? "end" : "loss", "text", drop_text(i));
		if (by_worker)
			json_object_set_new(item, "workers", each[i]);
		if (zeros || sum[i] > 0)
			json_array_append(items, item);
		json_decref(item);
	}
	call->result = json_pack("{s:o, s:I, s:I}", "items", items, "losses",
				 (json_int_t)kinds[DROP_LOSS], "ends", (json_int_t)kinds[DROP_END]);
	return 0;
}
