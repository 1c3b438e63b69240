/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "worker/pair.h"

/* RFC 4303 3.4.3: a forged or damaged packet moves no state at all. */
static void forgeries_change_nothing(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct rte_mbuf *sealed = pair_seal(&p, pair_frame(4, 100)), *out;
	uint32_t esp = RTE_ETHER_HDR_LEN + 20;

	for (uint32_t at = esp; at < sealed->pkt_len; at++) {
		struct rte_mbuf *m = pair_copy(sealed);
		*rte_pktmbuf_mtod_offset(m, uint8_t *, at) ^= 0x40;
		assert_int_equal(pair_unseal(&p, m, &out), 0);
		assert_int_equal(p.in->in->top, 0);
		assert_int_equal(p.in->in->packets, 0);
	}
	/* 4 bytes of SPI: no SA. All the others: the ICV. */
	assert_int_equal(pair_dropped(p.b, DROP_ESP_NO_SA), 4);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_ICV), sealed->pkt_len - esp - 4);
	assert_int_equal(pair_unseal(&p, sealed, &out), 1);
	rte_pktmbuf_free(out);
	assert_conserved(p.b);
	pair_close(&p);
}

static void truncated_at_every_byte(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 4; c++) {
		struct pair_shape s = pair_usual;
		s.udp = c & 1;
		s.outer = c & 2 ? 4 : 6;
		struct pair p = pair_open(&s, NULL);
		struct rte_mbuf *sealed = pair_seal(&p, pair_frame(4, 100)), *out;

		for (uint32_t len = 0; len < sealed->pkt_len; len++) {
			/* As it is, and with lengths that claim to be right. */
			for (int honest = 0; honest < 2; honest++) {
				struct rte_mbuf *m = pair_copy(sealed);
				uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
				rte_pktmbuf_trim(m, (uint16_t)(m->pkt_len - len));
				if (honest && s.outer == 4 && len >= 34) {
					store_be16(ip + 2, (uint16_t)(len - 14));
					checksum_ipv4_write(ip, 20);
					if (s.udp && len >= 42)
						store_be16(ip + 24, (uint16_t)(len - 34));
				} else if (honest && len >= 54) {
					store_be16(ip + 4, (uint16_t)(len - 54));
					if (s.udp && len >= 62)
						store_be16(ip + 44, (uint16_t)(len - 54));
				}
				assert_int_equal(pair_unseal(&p, m, &out), 0);
			}
		}
		assert_int_equal(pair_dropped_in_all(p.b), 2 * sealed->pkt_len);
		assert_int_equal(p.in->in->top, 0);
		assert_int_equal(pair_unseal(&p, sealed, &out), 1);
		rte_pktmbuf_free(out);
		assert_conserved(p.b);
		pair_close(&p);
	}
}

static void replays_are_dropped(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct rte_mbuf *first = pair_seal(&p, pair_frame(4, 100)), *out;
	struct rte_mbuf *twice[2] = {pair_copy(first), pair_copy(first)}, *got[2 * VECTOR_MAX];

	/* Twice in one vector: one passes, whatever was checked before the ICV. */
	inprocess_run(p.b, 0, INPROCESS_WAN, twice, 2);
	assert_int_equal(inprocess_take(p.b, 0, INPROCESS_LAN, got), 1);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_REPLAY), 1);
	assert_int_equal(pair_unseal(&p, pair_copy(first), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_REPLAY), 2);

	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	/* 65 numbers on, the first is below a window of 64. With ESN it is another number. */
	assert_int_equal(pair_unseal(&p, first, &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_WINDOW) + pair_dropped(p.b, DROP_ESP_ICV), 1);
	assert_int_equal(p.in->in->replay, 2);
	assert_conserved(p.b);
	pair_close(&p);
}

static void sequence_space_ends(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.esn = false;
	struct pair p = pair_open(&s, NULL);
	struct rte_mbuf *m, *sent[2 * VECTOR_MAX], *out;

	p.out->out->seq = UINT32_MAX - 2;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	for (unsigned int i = 0; i < 3; i++) {
		m = pair_frame(4, 60);
		inprocess_run(p.a, 0, INPROCESS_LAN, &m, 1);
		assert_int_equal(inprocess_take(p.a, 0, INPROCESS_WAN, sent), 0);
	}
	assert_int_equal(pair_dropped(p.a, DROP_SEQ_EXHAUSTED), 3);
	assert_true(p.out->out->seq == UINT32_MAX);
	assert_conserved(p.a);
	pair_close(&p);
}

/* ESN crosses 2^32 without a gap: the high half is never sent, but inferred. */
static void extended_numbers_cross_32_bits(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct rte_mbuf *out;

	p.out->out->seq = UINT32_MAX - 5;
	p.in->in->top = UINT32_MAX - 5;
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 60)), &out), 1);
		rte_pktmbuf_free(out);
	}
	assert_true(p.in->in->top == UINT32_MAX + 5ull);
	pair_close(&p);
}

static void selectors_are_checked_after_decryption(void **state)
{
	(void)state;
	struct selector s = selector_any(4);
	struct rte_mbuf *out;

	ip_range_parse("10.128.0.0/24", 4, &s.local_first, &s.local_last);
	ip_range_parse("10.0.1.0/24", 4, &s.remote_first, &s.remote_last);
	struct pair p = pair_open(&pair_usual, &s);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 60)), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_SELECTOR), 1);
	assert_int_equal(p.in->in->top, 1); /* it was authentic */
	pair_close(&p);

	ip_range_parse("10.0.0.0/24", 4, &s.remote_first, &s.remote_last);
	p = pair_open(&pair_usual, &s);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(4, 60)), &out), 1);
	rte_pktmbuf_free(out);
	assert_int_equal(pair_unseal(&p, pair_seal(&p, pair_frame(6, 60)), &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_ESP_SELECTOR), 1);
	pair_close(&p);
}

/* RFC 4301 5.2: from a prefix behind a tunnel nothing may arrive in the clear. */
static void plaintext_is_refused(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct rte_mbuf *m = pair_frame(4, 60), *out;

	memcpy(rte_pktmbuf_mtod(m, uint8_t *), inprocess_mac(INPROCESS_WAN), 6);
	assert_int_equal(pair_unseal(&p, m, &out), 0);
	assert_int_equal(pair_dropped(p.b, DROP_PLAINTEXT), 1);
	assert_conserved(p.b);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forgeries_change_nothing),
	    cmocka_unit_test(truncated_at_every_byte),
	    cmocka_unit_test(replays_are_dropped),
	    cmocka_unit_test(sequence_space_ends),
	    cmocka_unit_test(extended_numbers_cross_32_bits),
	    cmocka_unit_test(selectors_are_checked_after_decryption),
	    cmocka_unit_test(plaintext_is_refused),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
