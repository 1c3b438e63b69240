/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"
#include "esp/failure.h"
#include "esp/watch_source.h"
#include "packet/bytes.h"
#include "sa/replay.h"

static void drop_replay(struct drops *d, struct packet *p, enum replay_verdict verdict,
			const struct esp_watch *watch)
{
	enum drop_reason reason = verdict == REPLAY_SEEN ? DROP_ESP_REPLAY : DROP_ESP_WINDOW;

	if (verdict == REPLAY_SEEN)
		p->in->replay++;
	else
		p->in->below_window++;
	failure_count(p->in, reason, watch);
	drop(d, p->m, reason);
}

static void drop_expired(struct drops *d, struct packet *p, const struct esp_watch *watch)
{
	p->in->expired++;
	sa_marks_retry(&p->in->marks, watch->notices);
	drop(d, p->m, DROP_SA_EXPIRED);
}

void esp_check_replay(struct vector *v, struct drops *d, const struct esp_watch *watch)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		if (unlikely(atomic_load_explicit(&p->in->end, memory_order_relaxed) != SA_LIVE)) {
			drop_expired(d, p, watch);
			continue;
		}
		p->seq = replay_sequence(p->in, load_be32(p->ip + p->esp_off + 4));
		enum replay_verdict verdict = replay_check(p->in, p->seq);
		if (unlikely(verdict != REPLAY_NEW)) {
			drop_replay(d, p, verdict, watch);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}

void esp_advance_replay(struct vector *v, struct drops *d, const struct esp_watch *watch)
{
	const struct packet *last = NULL;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_in *sa = p->in;

		enum replay_verdict verdict = replay_advance(sa, p->seq);
		if (unlikely(verdict != REPLAY_NEW)) {
			drop_replay(d, p, verdict, watch);
			continue;
		}
		/* The last of a run of packets of one SA is looked at closer. */
		if (last != NULL && unlikely(last->in != sa))
			watch_source(last, watch);
		last = p;
		sa->last_used = watch->now;
		v->p[kept++] = p;
	}
	v->n = kept;
	if (last != NULL)
		watch_source(last, watch);
}
