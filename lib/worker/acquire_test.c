/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "worker/pair.h"

/* A pair whose a has no outbound SA yet; `spec` is that of the one to come. */
struct waiting_pair {
	struct pair p;
	struct sa_spec spec;
};

static struct waiting_pair open_waiting(bool trap)
{
	struct waiting_pair w = {.p = pair_open(&pair_usual, NULL)};

	w.spec = w.p.out->spec;
	w.spec.spi = 0x99999;
	memset(w.spec.key, 0x42, sizeof(w.spec.key));
	sa_delete(w.p.a->g.sadb, w.p.out);
	w.p.out = NULL;
	tunnel_set_trap(w.p.a->g.sadb, w.p.to_b, trap);
	return w;
}

/* Frames of growing length, `first` bytes of IP and up: so each can be told from the others. */
static void send_out(struct pair *p, uint16_t first, uint16_t n)
{
	struct rte_mbuf *m[VECTOR_MAX];

	for (uint16_t i = 0; i < n; i++)
		m[i] = pair_frame(4, (uint16_t)(first + 4 * i));
	inprocess_run(p->a, 0, INPROCESS_LAN, m, n);
}

/* What comes out are packets of these lengths, in order. */
static void expect_sent(struct pair *p, uint16_t first, uint16_t n)
{
	struct rte_mbuf *sent[2 * VECTOR_MAX];

	assert_int_equal(inprocess_take(p->a, 0, INPROCESS_WAN, sent), n);
	for (uint16_t i = 1; i < n; i++)
		assert_int_equal(sent[i]->pkt_len, sent[i - 1]->pkt_len + 4);
	/* Ethernet, IP, ESP, IV, padding to 4 bytes, trailer, ICV. */
	if (n > 0)
		assert_int_equal(sent[0]->pkt_len,
				 14 + 20 + 16 + RTE_ALIGN_CEIL(first + 2, 4) + 16);
	rte_pktmbuf_free_bulk(sent, n);
}

static uint64_t held(const struct pair *p)
{
	struct worker_counters c;

	worker_counters(p->a->g.worker[0], &c);
	return c.held;
}

static void the_first_packets_wait_and_go_in_order(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(true);
	struct pair *p = &w.p;

	send_out(p, 60, 3);
	struct notice n = pair_one_notice(p->a, NOTICE_ACQUIRE);
	assert_int_equal(n.tunnel, p->to_b->handle);
	assert_int_equal(n.flow.family, 4);
	assert_int_equal(n.flow.proto, 253);
	assert_int_equal(n.flow.local[3], 5);
	assert_int_equal(n.flow.remote[3], 9);
	send_out(p, 72, 2);
	assert_no_notice(p->a);
	expect_sent(p, 0, 0);
	assert_int_equal(held(p), 5);
	assert_conserved(p->a);
	assert_int_equal(sa_add(p->a->g.sadb, &w.spec, &p->out, NULL), 0);
	/* Even before the worker has looked, later packets stay behind. */
	send_out(p, 80, 1);
	expect_sent(p, 0, 0);
	pipeline_waiting(p->a->g.worker[0]);
	expect_sent(p, 60, 6);
	send_out(p, 60, 1);
	expect_sent(p, 60, 1);
	assert_int_equal(held(p), 0);
	/* TTL 64 was lowered once; a sequence number each. */
	assert_true(p->out->out->seq == 7);
	/* When the SA goes, the next packet asks at once. */
	sa_delete(p->a->g.sadb, p->out);
	send_out(p, 60, 1);
	pair_one_notice(p->a, NOTICE_ACQUIRE);
	assert_conserved(p->a);
	pair_close(p);
}

static void the_inner_packet_is_what_it_was(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(true);
	struct pair *p = &w.p;
	struct rte_mbuf *m = pair_frame(4, 100), *before = pair_copy(m), *sent[2 * VECTOR_MAX],
			*out;
	struct sa_spec in = p->in->spec;
	struct sa *sa;

	inprocess_run(p->a, 0, INPROCESS_LAN, &m, 1);
	assert_int_equal(sa_add(p->a->g.sadb, &w.spec, &p->out, NULL), 0);
	in.spi = w.spec.spi;
	memcpy(in.key, w.spec.key, sizeof(in.key));
	assert_int_equal(sa_add(p->b->g.sadb, &in, &sa, NULL), 0);
	pipeline_waiting(p->a->g.worker[0]);
	assert_int_equal(inprocess_take(p->a, 0, INPROCESS_WAN, sent), 1);
	assert_int_equal(pair_unseal(p, sent[0], &out), 1);
	assert_same_packet(before, out);
	rte_pktmbuf_free(before);
	rte_pktmbuf_free(out);
	pair_close(p);
}

static void bounds(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(true);
	struct pair *p = &w.p;

	send_out(p, 60, 60);
	assert_int_equal(held(p), ACQUIRE_PER_TUNNEL);
	assert_int_equal(pair_dropped(p->a, DROP_ACQUIRE_QUEUE), 60 - ACQUIRE_PER_TUNNEL);
	assert_conserved(p->a);
	/* The first ones were kept. */
	assert_int_equal(sa_add(p->a->g.sadb, &w.spec, &p->out, NULL), 0);
	pipeline_waiting(p->a->g.worker[0]);
	expect_sent(p, 60, ACQUIRE_PER_TUNNEL);
	pair_close(p);
}

static void time_passes(struct pair *p)
{
	struct acquire *a = &p->a->g.worker[0]->acquire;

	for (uint16_t i = 0; i < a->n; i++)
		a->entry[i].deadline = 0;
	for (unsigned int i = 0; i < ACQUIRE_ASKED; i++)
		if (a->asked[i].tsc != 0)
			a->asked[i].tsc = 1;
}

static void nobody_answers(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(true);
	struct pair *p = &w.p;

	send_out(p, 60, 2);
	pair_one_notice(p->a, NOTICE_ACQUIRE);
	time_passes(p);
	pipeline_waiting(p->a->g.worker[0]);
	assert_int_equal(pair_dropped(p->a, DROP_ACQUIRE_TIMEOUT), 2);
	assert_int_equal(held(p), 0);
	send_out(p, 60, 1);
	pair_one_notice(p->a, NOTICE_ACQUIRE);
	assert_conserved(p->a);
	pair_close(p);
}

static void the_tunnel_goes_or_traps_no_more(void **state)
{
	(void)state;
	for (unsigned int gone = 0; gone < 2; gone++) {
		struct waiting_pair w = open_waiting(true);
		struct pair *p = &w.p;

		send_out(p, 60, 2);
		if (gone)
			tunnel_delete(p->a->g.sadb, p->to_b);
		else
			tunnel_set_trap(p->a->g.sadb, p->to_b, false);
		pipeline_waiting(p->a->g.worker[0]);
		assert_int_equal(held(p), 0);
		assert_int_equal(pair_dropped(p->a, DROP_TUNNEL_NO_SA), 2);
		assert_conserved(p->a);
		pair_close(p);
	}
}

static void without_a_trap_nothing_waits(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(false);

	send_out(&w.p, 60, 2);
	assert_no_notice(w.p.a);
	assert_int_equal(held(&w.p), 0);
	assert_int_equal(pair_dropped(w.p.a, DROP_TUNNEL_NO_SA), 2);
	pair_close(&w.p);
}

/* Packets that wait when the worker ends are freed; pair_close() looks. */
static void the_end(void **state)
{
	(void)state;
	struct waiting_pair w = open_waiting(true);

	send_out(&w.p, 60, 2);
	assert_int_equal(held(&w.p), 2);
	pair_close(&w.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_packets_wait_and_go_in_order),
	    cmocka_unit_test(the_inner_packet_is_what_it_was),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(nobody_answers),
	    cmocka_unit_test(the_tunnel_goes_or_traps_no_more),
	    cmocka_unit_test(without_a_trap_nothing_waits),
	    cmocka_unit_test(the_end),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
