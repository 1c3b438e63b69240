/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"
#include "packet/bytes.h"
#include "spd/selector.h"

static bool match_any(const struct sa_in *sa, const struct packet *p)
{
	struct flow f;

	flow_read(p, p->m->data_len, false, &f);
	for (uint32_t i = 0; i < sa->selectors; i++) {
		if (selector_match(&sa->selector[i], &f))
			return true;
	}
	return false;
}

static inline bool match_quick(const struct sa_in *sa, const struct packet *p)
{
	return p->family == 4 &&
	       (load_u32(p->ip + 12) & sa->quick.remote_mask) == sa->quick.remote_net &&
	       (load_u32(p->ip + 16) & sa->quick.local_mask) == sa->quick.local_net;
}

uint8_t esp_check_selectors(struct vector *v, struct drops *d)
{
	uint8_t flags = 0;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		struct sa_in *sa = p->in;
		bool match = true;

		if ((sa->flags & SA_IN_SELECT) != 0)
			match =
			    (sa->flags & SA_IN_QUICK4) != 0 ? match_quick(sa, p) : match_any(sa, p);
		if (unlikely(!match)) {
			sa->mismatch++;
			drop(d, p->m, DROP_ESP_SELECTOR);
			continue;
		}
		flags |= sa->flags;
		sa->packets++;
		sa->bytes += p->ip_len;
		v->p[kept++] = p;
	}
	v->n = kept;
	return flags;
}
