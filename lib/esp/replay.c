/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"
#include "packet/bytes.h"
#include "sa/replay.h"

static void drop_replay(struct drops *d, struct packet *p, enum replay_verdict verdict)
{
	if (verdict == REPLAY_SEEN) {
		p->in->replay++;
		drop(d, p->m, DROP_ESP_REPLAY);
	} else {
		p->in->below_window++;
		drop(d, p->m, DROP_ESP_WINDOW);
	}
}

void esp_check_replay(struct vector *v, struct drops *d)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		p->seq = replay_sequence(p->in, load_be32(p->ip + p->esp_off + 4));
		enum replay_verdict verdict = replay_check(p->in, p->seq);
		if (unlikely(verdict != REPLAY_NEW)) {
			drop_replay(d, p, verdict);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}

void esp_advance_replay(struct vector *v, struct drops *d, uint64_t now)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_in *sa = p->in;

		enum replay_verdict verdict = replay_advance(sa, p->seq);
		if (unlikely(verdict != REPLAY_NEW)) {
			drop_replay(d, p, verdict);
			continue;
		}
		sa->last_used = now;
		v->p[kept++] = p;
	}
	v->n = kept;
}
