/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "packet/cut.h"
#include "worker/state.h"

#define WAIT_SECONDS 10
#define ASK_SECONDS 10

/* One question a tunnel, and again only after a while without an answer. */
static void ask(struct worker *w, const struct packet *p, uint32_t handle)
{
	struct notice n = {.kind = NOTICE_ACQUIRE, .tunnel = handle};
	unsigned int at = p->tunnel & (ACQUIRE_ASKED - 1);

	if (w->acquire.asked[at].tunnel == handle && w->acquire.asked[at].tsc != 0 &&
	    w->now - w->acquire.asked[at].tsc < ASK_SECONDS * w->hz)
		return;
	flow_read(p, p->m->data_len, true, &n.flow);
	if (!notice_put(&w->notices, &n))
		return;
	w->acquire.asked[at].tunnel = handle;
	w->acquire.asked[at].tsc = w->now;
}

static unsigned int count_of(const struct acquire *a, uint32_t handle)
{
	unsigned int n = 0;

	for (uint16_t i = 0; i < a->n; i++)
		n += a->entry[i].tunnel == handle;
	return n;
}

bool acquire_waits(const struct worker *w, uint32_t tunnel)
{
	return w->acquire.n > 0 && count_of(&w->acquire, sad_tunnel_handle(w->sad, tunnel)) > 0;
}

void acquire_packet(struct worker *w, struct packet *p)
{
	struct acquire *a = &w->acquire;
	uint32_t handle = sad_tunnel_handle(w->sad, p->tunnel);

	if ((p->flags & PACKET_DUMMY) != 0 ||
	    !atomic_load_explicit(&w->sad->tunnel[p->tunnel].trap, memory_order_relaxed)) {
		drop(&w->drops, p->m, DROP_TUNNEL_NO_SA);
		return;
	}
	packet_cut(p->m, p->ip, p->ip_len);
	ask(w, p, handle);
	if (a->n == ACQUIRE_MAX || count_of(a, handle) >= ACQUIRE_PER_TUNNEL) {
		drop(&w->drops, p->m, DROP_ACQUIRE_QUEUE);
		return;
	}
	a->entry[a->n++] = (struct waiting){.m = p->m,
					    .deadline = w->now + WAIT_SECONDS * w->hz,
					    .tunnel = handle,
					    .flags = p->flags};
}

/* DROP_REASONS: it goes on waiting. */
static enum drop_reason end_of(const struct worker *w, const struct waiting *e, uint32_t index)
{
	if (index == TUNNEL_NONE ||
	    !atomic_load_explicit(&w->sad->tunnel[index].trap, memory_order_relaxed))
		return DROP_TUNNEL_NO_SA;
	return w->now > e->deadline ? DROP_ACQUIRE_TIMEOUT : DROP_REASONS;
}

static void forget_question(struct acquire *a, uint32_t handle, uint32_t index)
{
	if (a->asked[index & (ACQUIRE_ASKED - 1)].tunnel == handle)
		a->asked[index & (ACQUIRE_ASKED - 1)].tsc = 0;
}

bool acquire_next(struct worker *w, struct packet *store, struct vector *v)
{
	struct acquire *a = &w->acquire;
	uint32_t found = TUNNEL_NONE;
	uint16_t kept = 0;

	v->n = 0;
	for (uint16_t i = 0; i < a->n; i++) {
		struct waiting e = a->entry[i];
		uint32_t index = sad_tunnel_index(w->sad, e.tunnel);
		bool ready =
		    index != TUNNEL_NONE &&
		    atomic_load_explicit(&w->sad->tunnel[index].out, memory_order_acquire) != NULL;

		if (ready && (found == TUNNEL_NONE || found == index)) {
			struct packet *p = &store[v->n];
			found = index;
			forget_question(a, e.tunnel, index);
			*p = (struct packet){.m = e.m,
					     .ip = rte_pktmbuf_mtod(e.m, uint8_t *),
					     .port = PORT_NONE,
					     .tunnel = index,
					     .flags = e.flags};
			/* It was parsed when it came. */
			if (packet_parse_ip(p, e.m->data_len, e.m->pkt_len) == 0)
				vector_add(v, p);
			else
				drop(&w->drops, e.m, DROP_BAD_IP);
			continue;
		}
		enum drop_reason reason = ready ? DROP_REASONS : end_of(w, &e, index);
		if (reason == DROP_REASONS)
			a->entry[kept++] = e;
		else
			drop(&w->drops, e.m, reason);
	}
	a->n = kept;
	return v->n > 0;
}

void acquire_drop_all(struct worker *w)
{
	for (uint16_t i = 0; i < w->acquire.n; i++)
		drop(&w->drops, w->acquire.entry[i].m, DROP_ACQUIRE_TIMEOUT);
	w->acquire.n = 0;
}
