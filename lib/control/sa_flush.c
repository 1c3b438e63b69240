/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_cycles.h>

#include "control/caller.h"
#include "control/sa_find.h"
#include "gateway/provision.h"

/* Some ten thousand SAs; where there are more, others have their turn in between. */
#define SLICES_A_SECOND 50

struct flushing {
	struct gateway *g;
	enum sa_direction only; /* 0: both */
	const char *reason;
	uint32_t count;
	uint64_t until; /* TSC */
	bool late;      /* there may be more */
};

/* From the front of the list, where sa_delete() finds them at once. */
static void flush_list(struct flushing *f, struct sa *const *list)
{
	while (*list != NULL && !f->late) {
		gateway_sa_delete(f->g, *list, f->reason);
		f->count++;
		f->late = rte_rdtsc() >= f->until;
	}
}

static bool flush_tunnel(void *arg, struct tunnel *t)
{
	struct flushing *f = arg;

	if (f->only != SA_OUTBOUND)
		flush_list(f, &t->in);
	if (f->only != SA_INBOUND)
		flush_list(f, &t->out);
	return !f->late;
}

int call_sa_flush(struct call *call)
{
	struct session_walk *walk = &call->caller->walk;
	struct tunnel *t = NULL;

	if (call_has(call, "tunnel")) {
		t = call_tunnel(call, "tunnel");
		if (t == NULL && !call->resumed)
			return -ENOENT;
		/* Where it was deleted in between, so are its SAs. */
		call->error = (struct rpc_error){0};
	}
	if (!call->resumed)
		*walk = (struct session_walk){0};
	struct flushing f = {.g = call->g,
			     .only = call_direction(call),
			     .reason = call_text(call, "reason"),
			     .count = walk->count.sas,
			     .until = rte_rdtsc() + rte_get_tsc_hz() / SLICES_A_SECOND};
	if (t != NULL)
		flush_tunnel(&f, t);
	else if (!call_has(call, "tunnel"))
		tunnel_each(call->g->sadb, flush_tunnel, &f);
	walk->count.sas = f.count;
	call->again = f.late;
	if (!f.late)
		call->result = json_pack("{s:I}", "deleted", (json_int_t)f.count);
	return 0;
}
