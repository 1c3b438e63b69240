/* SPDX-License-Identifier: BSD-3-Clause */
#include "aead/aead.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct aead {
	IMB_MGR *mgr;
	IMB_ARCH arch;
};

struct aead *aead_create(void)
{
	struct aead *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->mgr = alloc_mb_mgr(0);
	if (a->mgr == NULL) {
		free(a);
		return NULL;
	}
	init_mb_mgr_auto(a->mgr, &a->arch);
	if (a->arch == IMB_ARCH_NONE || imb_get_errno(a->mgr) != 0) {
		aead_destroy(a);
		return NULL;
	}
	return a;
}

void aead_destroy(struct aead *a)
{
	if (a == NULL)
		return;
	free_mb_mgr(a->mgr);
	free(a);
}

const char *aead_isa(const struct aead *a)
{
	static const char *const names[] = {[IMB_ARCH_NOAESNI] = "noaesni",
					    [IMB_ARCH_SSE] = "sse",
					    [IMB_ARCH_AVX] = "avx",
					    [IMB_ARCH_AVX2] = "avx2",
					    [IMB_ARCH_AVX512] = "avx512"};

	return (size_t)a->arch < RTE_DIM(names) && names[a->arch] ? names[a->arch] : "unknown";
}

static const struct {
	const char *name;
	size_t key_size;
} algorithms[] = {
    [AEAD_AES_128_GCM_16] = {"aes128gcm16", 16 + AEAD_SALT_SIZE},
    [AEAD_AES_256_GCM_16] = {"aes256gcm16", 32 + AEAD_SALT_SIZE},
};

const char *aead_name(enum aead_algorithm algorithm)
{
	return (size_t)algorithm < RTE_DIM(algorithms) ? algorithms[algorithm].name : NULL;
}

int aead_from_name(const char *name, enum aead_algorithm *out)
{
	for (size_t i = 1; i < RTE_DIM(algorithms); i++) {
		if (strcmp(name, algorithms[i].name) == 0) {
			*out = (enum aead_algorithm)i;
			return 0;
		}
	}
	return -EINVAL;
}

size_t aead_key_size(enum aead_algorithm algorithm)
{
	return algorithms[algorithm].key_size;
}

void aead_expand(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key,
		 struct aead_key *out)
{
	if (algorithm == AEAD_AES_128_GCM_16)
		IMB_AES128_GCM_PRE(a->mgr, key, &out->gcm);
	else
		IMB_AES256_GCM_PRE(a->mgr, key, &out->gcm);
}

void aead_digest(struct aead *a, const void *data, size_t len, uint8_t out[32])
{
	IMB_SHA256(a->mgr, data, len, out);
}

struct span {
	uint8_t *at;
	uint32_t len;
};

/* The part of the remaining text that lies in *m; moves on to the next segment. */
static struct span next_span(struct rte_mbuf **m, uint32_t *offset, uint32_t remaining)
{
	while (*offset >= (*m)->data_len) {
		*offset -= (*m)->data_len;
		*m = (*m)->next;
	}
	uint32_t here = (*m)->data_len - *offset;
	struct span s = {rte_pktmbuf_mtod_offset(*m, uint8_t *, *offset), RTE_MIN(here, remaining)};

	*offset += s.len;
	return s;
}

static void seal_chain(IMB_MGR *mgr, struct aead_op *op)
{
	const struct gcm_key_data *key = &op->key->gcm;
	struct gcm_context_data ctx;
	struct rte_mbuf *m = op->chain;
	uint32_t offset = op->text_off;
	bool small = op->algorithm == AEAD_AES_128_GCM_16;

	if (small)
		IMB_AES128_GCM_INIT(mgr, key, &ctx, op->nonce, op->aad, op->aad_len);
	else
		IMB_AES256_GCM_INIT(mgr, key, &ctx, op->nonce, op->aad, op->aad_len);
	for (uint32_t done = 0; done < op->len;) {
		struct span s = next_span(&m, &offset, op->len - done);
		if (small)
			IMB_AES128_GCM_ENC_UPDATE(mgr, key, &ctx, s.at, s.at, s.len);
		else
			IMB_AES256_GCM_ENC_UPDATE(mgr, key, &ctx, s.at, s.at, s.len);
		done += s.len;
	}
	if (small)
		IMB_AES128_GCM_ENC_FINALIZE(mgr, key, &ctx, op->icv, AEAD_ICV_SIZE);
	else
		IMB_AES256_GCM_ENC_FINALIZE(mgr, key, &ctx, op->icv, AEAD_ICV_SIZE);
}

static void open_chain(IMB_MGR *mgr, struct aead_op *op)
{
	const struct gcm_key_data *key = &op->key->gcm;
	struct gcm_context_data ctx;
	struct rte_mbuf *m = op->chain;
	uint32_t offset = op->text_off;
	bool small = op->algorithm == AEAD_AES_128_GCM_16;

	if (small)
		IMB_AES128_GCM_INIT(mgr, key, &ctx, op->nonce, op->aad, op->aad_len);
	else
		IMB_AES256_GCM_INIT(mgr, key, &ctx, op->nonce, op->aad, op->aad_len);
	for (uint32_t done = 0; done < op->len;) {
		struct span s = next_span(&m, &offset, op->len - done);
		if (small)
			IMB_AES128_GCM_DEC_UPDATE(mgr, key, &ctx, s.at, s.at, s.len);
		else
			IMB_AES256_GCM_DEC_UPDATE(mgr, key, &ctx, s.at, s.at, s.len);
		done += s.len;
	}
	if (small)
		IMB_AES128_GCM_DEC_FINALIZE(mgr, key, &ctx, op->icv, AEAD_ICV_SIZE);
	else
		IMB_AES256_GCM_DEC_FINALIZE(mgr, key, &ctx, op->icv, AEAD_ICV_SIZE);
}

void aead_seal(struct aead *a, struct aead_op *ops, unsigned int n)
{
	IMB_MGR *mgr = a->mgr;
	struct gcm_context_data ctx;

	for (unsigned int i = 0; i < n; i++) {
		struct aead_op *op = &ops[i];

		if (unlikely(op->chain != NULL))
			seal_chain(mgr, op);
		else if (likely(op->algorithm == AEAD_AES_256_GCM_16))
			IMB_AES256_GCM_ENC(mgr, &op->key->gcm, &ctx, op->text, op->text, op->len,
					   op->nonce, op->aad, op->aad_len, op->icv, AEAD_ICV_SIZE);
		else
			IMB_AES128_GCM_ENC(mgr, &op->key->gcm, &ctx, op->text, op->text, op->len,
					   op->nonce, op->aad, op->aad_len, op->icv, AEAD_ICV_SIZE);
	}
}

void aead_open(struct aead *a, struct aead_op *ops, unsigned int n)
{
	IMB_MGR *mgr = a->mgr;
	struct gcm_context_data ctx;

	for (unsigned int i = 0; i < n; i++) {
		struct aead_op *op = &ops[i];

		if (unlikely(op->chain != NULL))
			open_chain(mgr, op);
		else if (likely(op->algorithm == AEAD_AES_256_GCM_16))
			IMB_AES256_GCM_DEC(mgr, &op->key->gcm, &ctx, op->text, op->text, op->len,
					   op->nonce, op->aad, op->aad_len, op->icv, AEAD_ICV_SIZE);
		else
			IMB_AES128_GCM_DEC(mgr, &op->key->gcm, &ctx, op->text, op->text, op->len,
					   op->nonce, op->aad, op->aad_len, op->icv, AEAD_ICV_SIZE);
	}
}
