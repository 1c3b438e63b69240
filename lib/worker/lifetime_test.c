/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "worker/pair.h"

/* Send `n` packets of `len` bytes through a in vectors of `burst`; how many came out. */
static unsigned int send_out(struct pair *p, unsigned int n, uint16_t len, uint16_t burst)
{
	struct rte_mbuf *m[VECTOR_MAX], *sent[2 * VECTOR_MAX];
	unsigned int came = 0;

	while (n > 0) {
		uint16_t now = (uint16_t)RTE_MIN(n, burst);
		for (uint16_t i = 0; i < now; i++)
			m[i] = pair_frame(4, len);
		inprocess_run(p->a, 0, INPROCESS_LAN, m, now);
		uint16_t out = inprocess_take(p->a, 0, INPROCESS_WAN, sent);
		rte_pktmbuf_free_bulk(sent, out);
		came += out;
		n -= now;
	}
	return came;
}

/* Through a and b, one by one; how many came out. */
static unsigned int carry(struct pair *p, unsigned int n, uint16_t len)
{
	unsigned int came = 0;

	while (n-- > 0) {
		struct rte_mbuf *out;
		uint16_t got = pair_unseal(p, pair_seal(p, pair_frame(4, len)), &out);
		rte_pktmbuf_free(out);
		came += got;
	}
	return came;
}

static void expect(const struct inprocess *ip, const struct sa *sa, enum notice_kind kind,
		   enum notice_limit limit)
{
	struct notice n = pair_one_notice(ip, kind);

	assert_int_equal(n.limit, limit);
	assert_int_equal(n.direction, sa->direction);
	assert_int_equal(n.slot, sa->slot);
	assert_int_equal(n.serial, sa->serial);
}

static void packets_outbound_end_exactly(void **state)
{
	(void)state;
	for (uint16_t burst = 1; burst <= VECTOR_MAX; burst = (uint16_t)(burst * 4)) {
		struct pair_shape s = pair_usual;
		s.out_life = (struct sa_lifetime){.soft_packets = 70, .hard_packets = 150};
		struct pair p = pair_open(&s, NULL);

		assert_int_equal(send_out(&p, 69, 60, burst), 69);
		assert_no_notice(p.a);
		assert_int_equal(send_out(&p, 1, 60, burst), 1);
		expect(p.a, p.out, NOTICE_SOFT, LIMIT_PACKETS);
		assert_int_equal(send_out(&p, 100, 60, burst), 80);
		expect(p.a, p.out, NOTICE_HARD, LIMIT_PACKETS);
		assert_true(sa_expired(p.out));
		assert_int_equal(send_out(&p, 3, 60, burst), 0);
		assert_no_notice(p.a);
		assert_int_equal(pair_dropped(p.a, DROP_SA_EXPIRED), 23);
		assert_conserved(p.a);
		pair_close(&p);
	}
}

static void bytes_outbound(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.out_life = (struct sa_lifetime){.soft_bytes = 10000, .hard_bytes = 20000};
	struct pair p = pair_open(&s, NULL);

	assert_int_equal(send_out(&p, 99, 100, 32), 99);
	assert_no_notice(p.a);
	assert_int_equal(send_out(&p, 1, 100, 32), 1);
	expect(p.a, p.out, NOTICE_SOFT, LIMIT_BYTES);
	unsigned int came = send_out(&p, 500, 100, VECTOR_MAX);
	assert_in_range(came, 100, 100 + VECTOR_MAX);
	expect(p.a, p.out, NOTICE_HARD, LIMIT_BYTES);
	assert_int_equal(pair_dropped(p.a, DROP_SA_EXPIRED), 500 - came);
	struct sa_counters c;
	sa_counters(p.out, &c);
	assert_int_equal(c.expired, 500 - came);
	assert_int_equal(c.exhausted, 0);
	pair_close(&p);
}

static void inbound(void **state)
{
	(void)state;
	for (unsigned int by_bytes = 0; by_bytes < 2; by_bytes++) {
		struct pair_shape s = pair_usual;
		s.in_life = by_bytes ? (struct sa_lifetime){.soft_bytes = 1000, .hard_bytes = 2000}
				     : (struct sa_lifetime){.soft_packets = 10, .hard_packets = 20};
		enum notice_limit limit = by_bytes ? LIMIT_BYTES : LIMIT_PACKETS;
		struct pair p = pair_open(&s, NULL);

		assert_int_equal(carry(&p, 9, 100), 9);
		assert_no_notice(p.b);
		assert_int_equal(carry(&p, 1, 100), 1);
		expect(p.b, p.in, NOTICE_SOFT, limit);
		assert_int_equal(carry(&p, 30, 100), 10);
		expect(p.b, p.in, NOTICE_HARD, limit);
		assert_int_equal(pair_dropped(p.b, DROP_SA_EXPIRED), 20);
		assert_true(p.in->in->top == 20);
		assert_conserved(p.b);
		pair_close(&p);
	}
}

/* Nothing that is not authentic uses anything up, or says a word. */
static void forgeries_use_nothing_up(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.in_life = (struct sa_lifetime){.soft_packets = 1, .hard_packets = 2, .soft_use = 1};
	struct pair p = pair_open(&s, NULL);
	struct rte_mbuf *sealed = pair_seal(&p, pair_frame(4, 60)), *out;

	for (unsigned int i = 0; i < 10; i++) {
		struct rte_mbuf *m = pair_copy(sealed);
		*rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len - 1) ^= 1;
		assert_int_equal(pair_unseal(&p, m, &out), 0);
	}
	assert_no_notice(p.b);
	rte_pktmbuf_free(sealed);
	pair_close(&p);
}

static void the_first_use_is_told_once(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.in_life = (struct sa_lifetime){.hard_use = 100};
	s.out_life = (struct sa_lifetime){.soft_use = 100};
	struct pair p = pair_open(&s, NULL);

	assert_no_notice(p.a);
	assert_int_equal(carry(&p, 5, 60), 5);
	expect(p.a, p.out, NOTICE_FIRST_USE, 0);
	expect(p.b, p.in, NOTICE_FIRST_USE, 0);
	pair_close(&p);
}

static void the_sequence_space(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.esn = false;
	struct pair p = pair_open(&s, NULL);

	/* Seven eighths of 2^32. */
	p.out->out->seq = UINT64_C(7) << 29;
	assert_int_equal(send_out(&p, 2, 60, 1), 2);
	expect(p.a, p.out, NOTICE_SOFT, LIMIT_SEQUENCE);
	p.out->out->seq = UINT32_MAX - 10;
	assert_int_equal(send_out(&p, 64, 60, 64), 10);
	expect(p.a, p.out, NOTICE_EXHAUSTED, LIMIT_SEQUENCE);
	assert_int_equal(send_out(&p, 5, 60, 1), 0);
	assert_no_notice(p.a);
	assert_int_equal(pair_dropped(p.a, DROP_SEQ_EXHAUSTED), 59);
	pair_close(&p);
}

/* A full ring delays a notice and loses none, though the SA stops at once. */
static void a_full_ring_loses_nothing(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.in_life = (struct sa_lifetime){.soft_packets = 2, .hard_packets = 3, .hard_use = 9};
	struct pair p = pair_open(&s, NULL);
	struct notices *ring = &p.b->g.worker[0]->notices;
	const struct notice filler = {.kind = NOTICE_FAILURES};
	struct notice n;

	while (notice_put(ring, &filler))
		;
	assert_int_equal(carry(&p, 5, 60), 3);
	for (unsigned int i = 0; i < NOTICES_MAX; i++) {
		assert_true(pair_notice(p.b, &n));
		assert_int_equal(n.kind, NOTICE_FAILURES);
	}
	assert_no_notice(p.b);
	assert_int_equal(carry(&p, 1, 60), 0);
	expect(p.b, p.in, NOTICE_HARD, LIMIT_PACKETS);
	assert_int_equal(carry(&p, 1, 60), 0);
	assert_no_notice(p.b);
	assert_int_equal(p.b->g.worker[0]->notices.lost > 0, 1);
	pair_close(&p);
}

/* By the control thread, at a limit in seconds: it stops for good. */
static void expired_by_time(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);

	assert_int_equal(carry(&p, 2, 60), 2);
	sa_expire(p.b->g.sadb, p.in);
	assert_int_equal(carry(&p, 2, 60), 0);
	assert_int_equal(pair_dropped(p.b, DROP_SA_EXPIRED), 2);
	sa_expire(p.a->g.sadb, p.out);
	sa_extend(p.out, 1000);
	assert_int_equal(send_out(&p, 2, 60, 1), 0);
	assert_int_equal(pair_dropped(p.a, DROP_SA_EXPIRED), 2);
	assert_string_equal(tunnel_state(p.to_b), "down");
	assert_no_notice(p.a);
	assert_no_notice(p.b);
	assert_conserved(p.a);
	pair_close(&p);
}

/* Where an older SA still lives, it sends again. */
static void the_newest_that_lives_sends(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct sa_spec spec = p.out->spec;
	struct sa *newer;

	spec.spi = 0x5555;
	memset(spec.key, 0x77, sizeof(spec.key));
	assert_int_equal(sa_add(p.a->g.sadb, &spec, &newer, NULL), 0);
	assert_int_equal(send_out(&p, 3, 60, 1), 3);
	assert_true(newer->out->seq == 3);
	assert_ptr_equal(tunnel_sender(p.to_b), newer);
	sa_expire(p.a->g.sadb, newer);
	assert_ptr_equal(tunnel_sender(p.to_b), p.out);
	assert_int_equal(send_out(&p, 4, 60, 1), 4);
	assert_true(p.out->out->seq == 4);
	pair_close(&p);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		enum sa_direction direction;
		struct sa_lifetime life;
		const char *field;
	} wrongs[] = {
	    {SA_OUTBOUND, {.soft_bytes = 2, .hard_bytes = 1}, "soft_bytes"},
	    {SA_INBOUND, {.soft_packets = 2, .hard_packets = 1}, "soft_packets"},
	    {SA_OUTBOUND, {.soft_add = 2, .hard_add = 1}, "soft_add_time"},
	    {SA_INBOUND, {.soft_use = 2, .hard_use = 1}, "soft_use_time"},
	    {SA_INBOUND, {.soft_seq = 7}, "soft_seq"},
	    {SA_OUTBOUND, {.soft_seq = UINT64_C(1) << 32}, "soft_seq"},
	};
	struct pair p = pair_open(&pair_usual, NULL);

	(void)state;
	for (size_t i = 0; i < RTE_DIM(wrongs); i++) {
		struct inprocess *ip = wrongs[i].direction == SA_OUTBOUND ? p.a : p.b;
		struct sa_spec spec = wrongs[i].direction == SA_OUTBOUND ? p.out->spec : p.in->spec;
		struct fault fault = {0};

		spec.esn = false;
		spec.spi = 0x7777;
		spec.lifetime = wrongs[i].life;
		memset(spec.key, 0x11, sizeof(spec.key));
		assert_int_equal(sa_add(ip->g.sadb, &spec, NULL, &fault), -EINVAL);
		assert_string_equal(fault.where, wrongs[i].field);
	}
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(packets_outbound_end_exactly),
	    cmocka_unit_test(bytes_outbound),
	    cmocka_unit_test(inbound),
	    cmocka_unit_test(forgeries_use_nothing_up),
	    cmocka_unit_test(the_first_use_is_told_once),
	    cmocka_unit_test(the_sequence_space),
	    cmocka_unit_test(a_full_ring_loses_nothing),
	    cmocka_unit_test(expired_by_time),
	    cmocka_unit_test(the_newest_that_lives_sends),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
