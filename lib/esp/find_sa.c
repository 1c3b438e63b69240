/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp/esp.h"
#include "packet/bytes.h"
#include "sa/sa.h"

/* The lines of an SA that the next steps read; the key's first ones with it. */
static inline void prefetch_sa(const struct sa_in *sa)
{
	const uint8_t *at = (const uint8_t *)sa;

	rte_prefetch0(at);
	rte_prefetch0(at + 64);
	for (unsigned int line = 0; line < 6; line++)
		rte_prefetch0((const uint8_t *)&sa->key + line * 64);
}

void esp_find_sa(struct vector *v, struct drops *d, const struct sad *sad)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		p->spi = load_be32(p->ip + p->esp_off);
		sad_prefetch(sad, p->spi);
	}
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];

		p->in = sad_find(sad, p->spi);
		if (unlikely(p->in == NULL)) {
			drop(d, p->m, p->spi < SA_SPI_MIN ? DROP_ESP_SPI_RESERVED : DROP_ESP_NO_SA);
			continue;
		}
		prefetch_sa(p->in);
		v->p[kept++] = p;
	}
	v->n = kept;
}
