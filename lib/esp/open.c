/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <rte_byteorder.h>

#include "esp/esp.h"
#include "esp/failure.h"
#include "packet/bytes.h"

#define ESP_AND_IV (8 + AEAD_IV_SIZE)
#define ESP_MIN (ESP_AND_IV + 4 + AEAD_ICV_SIZE) /* pad length and next header, aligned */

static inline void prepare_op(struct aead_op *op, const struct packet *p, const struct sa_in *sa,
			      uint8_t *icv)
{
	const uint8_t *esp = p->ip + p->esp_off;

	op->text = p->ip + p->esp_off + ESP_AND_IV;
	op->len = (uint32_t)(p->ip_len - p->esp_off) - ESP_AND_IV - AEAD_ICV_SIZE;
	op->algorithm = sa->algorithm;
	op->key = &sa->key;
	op->icv = icv;
	op->chain = NULL;
	if (unlikely(p->m->next != NULL)) {
		op->chain = p->m;
		op->text_off = (uint16_t)(op->text - rte_pktmbuf_mtod(p->m, uint8_t *));
	}
	memcpy(op->nonce, sa->salt, AEAD_SALT_SIZE);
	memcpy(op->nonce + AEAD_SALT_SIZE, esp + 8, AEAD_IV_SIZE);
	memcpy(op->aad, esp, 4);
	if (likely((sa->flags & SA_IN_ESN) != 0)) {
		store_be32(op->aad + 4, (uint32_t)(p->seq >> 32));
		memcpy(op->aad + 8, esp + 4, 4);
		op->aad_len = 12;
	} else {
		memcpy(op->aad + 4, esp + 4, 4);
		op->aad_len = 8;
	}
}

/* Equal or not in a time that does not tell where they differ. */
static inline bool icv_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static inline const uint8_t *received_icv(const struct packet *p, const struct aead_op *op,
					  uint8_t *copy)
{
	if (likely(op->chain == NULL))
		return op->text + op->len;
	return rte_pktmbuf_read(p->m, op->text_off + op->len, AEAD_ICV_SIZE, copy);
}

void esp_open(struct vector *v, struct drops *d, struct esp_ops *ops, struct aead *aead,
	      const struct esp_watch *watch)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		uint16_t len = (uint16_t)(p->ip_len - p->esp_off);

		if (unlikely(len < ESP_MIN || (len & 3) != 0)) {
			p->in->malformed++;
			drop(d, p->m, DROP_ESP_SHORT);
			continue;
		}
		prepare_op(&ops->op[kept], p, p->in, ops->icv[kept]);
		v->p[kept++] = p;
	}
	v->n = kept;

	aead_open(aead, ops->op, v->n);

	kept = 0;
	for (uint16_t i = 0; i < v->n; i++) {
		struct packet *p = v->p[i];
		uint8_t copy[AEAD_ICV_SIZE];
		const uint8_t *icv = received_icv(p, &ops->op[i], copy);

		if (unlikely(icv == NULL || !icv_equal(icv, ops->icv[i]))) {
			p->in->icv++;
			failure_count(p->in, DROP_ESP_ICV, watch);
			drop(d, p->m, DROP_ESP_ICV);
			continue;
		}
		v->p[kept++] = p;
	}
	v->n = kept;
}
