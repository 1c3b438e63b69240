/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "aead/aead.h"

/* ESP cases of draft-mcgrew-gcm-test-01: AES-128 and AES-256, AAD of 8 and of 12 bytes (ESN). */
struct vector_case {
	enum aead_algorithm algorithm;
	const char *key, *salt, *iv, *aad, *plain, *sealed; /* sealed: ciphertext, ICV */
};

static const struct vector_case cases[] = {
    {AEAD_AES_256_GCM_16, "ABBCCDDEF00112233445566778899AABABBCCDDEF00112233445566778899AAB",
     "11223344", "0102030405060708", "4A2CBFE300000002",
     "4500003069A6400080062690C0A801029389155E0A9E008B2DC57EE000000000"
     "7002400020BF0000020405B40101040201020201",
     "FF425C9B724599DF7A3BCD510194E00D6A78107F1B0B1CBF06EFAE9D65A5D763"
     "748A637985771D347F0545659F14E99DEF842D8EB335F4EECFDBF831824B4C49"
     "15956C96"},
    {AEAD_AES_128_GCM_16, "4C80CDEFBB5D10DA906AC73C3613A634", "2E443B68", "4956ED7E3B244CFE",
     "000043218765432100000000",
     "45000048699A000080114DB7C0A80102C0A801010A9BF15638D3010000010000"
     "00000000045F736970045F756470037369700963796265726369747902646B00"
     "0021000101020201",
     "FECF537E729D5B07DC30DF528DD22B768D1B98736696A6FD348509FA13CEAC34"
     "CFA2436F14A3F3CF65925BF1F4A13C5D15B21E1884F5FF6247AEABB786B93BCE"
     "61BC17D768FD9732459018148F6CBE722FD04796562DFDB4"},
    {AEAD_AES_128_GCM_16, "FEFFE9928665731C6D6A8F9467308308", "CAFEBABE", "FACEDBADDECAF888",
     "0000A5F80000000A",
     "4500003E698F000080114DCCC0A80102C0A801010A980035002A2343B2D00100"
     "00010000000000000373697009637962657263697479026"
     "46B0000010001"
     "0001",
     "DEB22CD9B07C72C16E3A65BEEB8DF304A5A5897D33AE530F1BA76D5D114D2A5C"
     "3DE81827C10E9A4F51330D0EEC416642CFBB85A5B47E48A4EC3B9BA95D918BD1"
     "83B70D3AA8BC6EE4C309E9D85A41AD4A"},
};

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		char byte[3] = {text[2 * i], text[2 * i + 1], 0};
		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static struct aead_op op_for(const struct vector_case *c, const struct aead_key *key, uint8_t *text,
			     size_t len, uint8_t *icv)
{
	struct aead_op op = {.text = text,
			     .len = (uint32_t)len,
			     .algorithm = (uint8_t)c->algorithm,
			     .key = key,
			     .icv = icv};

	unhex(c->salt, op.nonce);
	unhex(c->iv, op.nonce + AEAD_SALT_SIZE);
	op.aad_len = (uint8_t)unhex(c->aad, op.aad);
	return op;
}

static void published_vectors(void **state)
{
	struct aead *a = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct aead_key key;
		uint8_t raw[32], plain[256], text[256], sealed[256], icv[AEAD_ICV_SIZE];

		size_t key_len = unhex(cases[i].key, raw);
		assert_int_equal(key_len + AEAD_SALT_SIZE, aead_key_size(cases[i].algorithm));
		aead_expand(a, cases[i].algorithm, raw, &key);
		size_t len = unhex(cases[i].plain, plain);
		assert_int_equal(unhex(cases[i].sealed, sealed), len + AEAD_ICV_SIZE);

		memcpy(text, plain, len);
		struct aead_op op = op_for(&cases[i], &key, text, len, icv);
		aead_seal(a, &op, 1);
		assert_memory_equal(text, sealed, len);
		assert_memory_equal(icv, sealed + len, AEAD_ICV_SIZE);

		memset(icv, 0, sizeof(icv));
		aead_open(a, &op, 1);
		assert_memory_equal(text, plain, len);
		assert_memory_equal(icv, sealed + len, AEAD_ICV_SIZE);
	}
}

/* A text cut into segments anywhere must give what the same text gives in one piece. */
static void chains_equal_contiguous(void **state)
{
	struct aead *a = *state;
	static uint8_t segment[4][1024 + sizeof(struct rte_mbuf)];
	const struct vector_case *c = &cases[0];
	struct aead_key key;
	uint8_t raw[32];

	unhex(c->key, raw);
	aead_expand(a, c->algorithm, raw, &key);
	srand(7);
	for (int round = 0; round < 2000; round++) {
		uint8_t plain[2048], whole[2048], icv[AEAD_ICV_SIZE], chain_icv[AEAD_ICV_SIZE];
		struct rte_mbuf m[4];
		uint32_t lead = (uint32_t)rand() % 60, len = 0;

		memset(m, 0, sizeof(m));
		for (unsigned int s = 0; s < RTE_DIM(m); s++) {
			m[s].buf_addr = segment[s];
			m[s].data_len = (uint16_t)(rand() % 500);
			m[s].next = s + 1 < RTE_DIM(m) ? &m[s + 1] : NULL;
			for (uint32_t b = 0; b < m[s].data_len; b++)
				segment[s][b] = plain[len++] = (uint8_t)rand();
		}
		if (len <= lead)
			continue;
		memcpy(whole, plain, len);
		struct aead_op op = op_for(c, &key, whole + lead, len - lead, icv);
		aead_seal(a, &op, 1);

		struct aead_op chained = op_for(c, &key, NULL, len - lead, chain_icv);
		chained.chain = m;
		chained.text_off = (uint16_t)lead;
		aead_seal(a, &chained, 1);
		assert_memory_equal(icv, chain_icv, AEAD_ICV_SIZE);
		uint32_t at = 0;
		for (unsigned int s = 0; s < RTE_DIM(m); at += m[s].data_len, s++)
			assert_memory_equal(segment[s], whole + at, m[s].data_len);

		aead_open(a, &chained, 1);
		assert_memory_equal(icv, chain_icv, AEAD_ICV_SIZE);
		at = 0;
		for (unsigned int s = 0; s < RTE_DIM(m); at += m[s].data_len, s++)
			assert_memory_equal(segment[s], plain + at, m[s].data_len);
	}
}

static void names(void **state)
{
	(void)state;
	enum aead_algorithm found;

	assert_int_equal(aead_from_name("aes256gcm16", &found), 0);
	assert_int_equal(found, AEAD_AES_256_GCM_16);
	assert_int_equal(aead_key_size(found), 36);
	assert_true(aead_from_name("aes256cbc", &found) < 0);
}

/* FIPS 180-2: the digest of "abc". */
static void digest(void **state)
{
	uint8_t out[32], expected[32];

	aead_digest(*state, "abc", 3, out);
	unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected);
	assert_memory_equal(out, expected, 32);
}

static int setup(void **state)
{
	*state = aead_create();
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	aead_destroy(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_vectors),
	    cmocka_unit_test(chains_equal_contiguous),
	    cmocka_unit_test(names),
	    cmocka_unit_test(digest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
