/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_AEAD_AEAD_H
#define ESPALIER_AEAD_AEAD_H

#include <stddef.h>
#include <stdint.h>
#include <intel-ipsec-mb.h>
#include <rte_mbuf.h>

/*
 * AES-GCM for ESP (RFC 4106) over intel-ipsec-mb: one manager per thread, keys
 * expanded once, a whole vector of operations prepared before the first call.
 */
enum aead_algorithm { AEAD_AES_128_GCM_16 = 1, AEAD_AES_256_GCM_16 = 2 };

#define AEAD_SALT_SIZE 4
#define AEAD_IV_SIZE 8
#define AEAD_NONCE_SIZE 12 /* salt, IV */
#define AEAD_AAD_MAX 12    /* SPI and 64-bit ESN; 8 without ESN */
#define AEAD_ICV_SIZE 16
#define AEAD_KEY_MAX 36 /* key material as IKE gives it: key, then salt */

/* The library's expanded key: 64-byte aligned, read-only while in use. */
struct aead_key {
	struct gcm_key_data gcm;
};

/* One thread's library instance. */
struct aead;

/* NULL if the CPU lacks what the library needs. Any thread; each its own. */
struct aead *aead_create(void);
void aead_destroy(struct aead *a);
/* "avx512" and the like, for gateway.info. */
const char *aead_isa(const struct aead *a);

/* "aes256gcm16" and "aes128gcm16" (the IKE proposal keywords); NULL or -EINVAL if unknown. */
const char *aead_name(enum aead_algorithm algorithm);
int aead_from_name(const char *name, enum aead_algorithm *out);
/* Key material in bytes, salt included: 20 or 36. */
size_t aead_key_size(enum aead_algorithm algorithm);

/* Expand key material (without the salt) into *out; the caller wipes both. */
void aead_expand(struct aead *a, enum aead_algorithm algorithm, const uint8_t *key,
		 struct aead_key *out);

/* SHA-256, for telling keys apart without keeping them. */
void aead_digest(struct aead *a, const void *data, size_t len, uint8_t out[32]);

/*
 * One in-place operation on contiguous text. For a chained mbuf set `chain` and
 * `text_off`: the text is then `len` bytes from that offset across segments.
 * Seal writes the ICV to `icv`; open writes the computed ICV there, to be
 * compared (in constant time) by the caller.
 */
struct aead_op {
	uint8_t *text;
	uint32_t len;
	uint8_t algorithm; /* enum aead_algorithm */
	uint8_t aad_len;   /* 8 or 12 */
	uint16_t text_off;
	const struct aead_key *key;
	struct rte_mbuf *chain; /* NULL: contiguous */
	uint8_t *icv;
	uint8_t nonce[AEAD_NONCE_SIZE];
	uint8_t aad[AEAD_AAD_MAX];
};

/*
 * Nonces and AADs must have been written well before (that is, for the whole
 * vector first): a load right behind a narrower store costs about 50 cycles.
 */
void aead_seal(struct aead *a, struct aead_op *ops, unsigned int n);
void aead_open(struct aead *a, struct aead_op *ops, unsigned int n);

#endif
