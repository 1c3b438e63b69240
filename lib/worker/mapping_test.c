/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <rte_ether.h>
#include <cmocka.h>

#include "packet/checksum.h"
#include "worker/pair.h"

/* RFC 7296 2.23, RFC 3948: what a peer behind NAT looks like after its mapping changed. */
#define IP RTE_ETHER_HDR_LEN

/* Give a sealed frame another source: the last byte of the address, the UDP port. */
static struct rte_mbuf *moved(struct rte_mbuf *m, uint8_t family, uint8_t address, uint16_t port)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, IP);

	ip[family == 4 ? 15 : 23] = address;
	if (family == 4)
		checksum_ipv4_write(ip, 20);
	if (port != 0)
		store_be16(ip + (family == 4 ? 20 : 40), port);
	return m;
}

static uint16_t take(struct pair *p, struct rte_mbuf *m)
{
	struct rte_mbuf *out;
	uint16_t n = pair_unseal(p, m, &out);

	rte_pktmbuf_free(out);
	return n;
}

static struct rte_mbuf *sealed(struct pair *p)
{
	return pair_seal(p, pair_frame(4, 60));
}

/* The SA may speak again: as if a second had passed. */
static void a_second_later(const struct pair *p)
{
	p->in->in->source_told_tsc = 0;
}

static void a_new_source_is_told_once(void **state)
{
	(void)state;
	for (unsigned int six = 0; six < 2; six++) {
		uint8_t family = six ? 6 : 4;
		struct pair_shape s = pair_usual;
		s.udp = true;
		s.outer = family;
		struct pair p = pair_open(&s, NULL);

		assert_int_equal(take(&p, sealed(&p)), 1);
		assert_no_notice(p.b);
		for (unsigned int i = 0; i < 5; i++)
			assert_int_equal(take(&p, moved(sealed(&p), family, 77, 31337)), 1);
		struct notice n = pair_one_notice(p.b, NOTICE_MAPPING);
		assert_int_equal(n.slot, p.in->slot);
		assert_int_equal(n.serial, p.in->serial);
		assert_int_equal(n.source.port, 31337);
		assert_int_equal(n.source.address.family, family);
		assert_int_equal(n.source.address.bytes[family == 4 ? 3 : 15], 77);
		/* A further change at once waits, later it is told. */
		assert_int_equal(take(&p, moved(sealed(&p), family, 78, 31337)), 1);
		assert_no_notice(p.b);
		a_second_later(&p);
		assert_int_equal(take(&p, moved(sealed(&p), family, 78, 31337)), 1);
		assert_int_equal(pair_one_notice(p.b, NOTICE_MAPPING).source.port, 31337);
		/* After the update it is where the SA says. */
		struct sa_update update = {.set_remote = true,
					   .remote = inprocess_outer(0, family),
					   .set_ports = true,
					   .local_port = 4500,
					   .remote_port = 31337};
		update.remote.bytes[family == 4 ? 3 : 15] = 78;
		assert_int_equal(sa_update(p.b->g.sadb, p.in, &update, NULL), 0);
		a_second_later(&p);
		assert_int_equal(take(&p, moved(sealed(&p), family, 78, 31337)), 1);
		assert_no_notice(p.b);
		pair_close(&p);
	}
}

static void the_port_alone(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.udp = true;
	struct pair p = pair_open(&s, NULL);

	assert_int_equal(take(&p, moved(sealed(&p), 4, 1, 999)), 1);
	assert_int_equal(pair_one_notice(p.b, NOTICE_MAPPING).source.port, 999);
	pair_close(&p);
}

/* ESP and ESP in UDP from the same address are one peer. */
static void the_other_form_is_no_move(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	struct pair p = pair_open(&s, NULL);
	struct sa_update update = {.set_udp = true,
				   .udp = true,
				   .set_ports = true,
				   .local_port = 20000,
				   .remote_port = 4500};

	gateway_encap_port_set(&p.b->g, 4500, true);
	assert_int_equal(sa_update(p.a->g.sadb, p.out, &update, NULL), 0);
	assert_int_equal(take(&p, sealed(&p)), 1);
	assert_no_notice(p.b);
	assert_int_equal(take(&p, moved(sealed(&p), 4, 99, 0)), 1);
	struct notice n = pair_one_notice(p.b, NOTICE_MAPPING);
	assert_int_equal(n.source.port, 20000);
	assert_int_equal(n.source.address.bytes[3], 99);
	pair_close(&p);
}

static void only_authentic_new_packets_speak(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.udp = true;
	struct pair p = pair_open(&s, NULL);
	struct rte_mbuf *early = sealed(&p), *first = sealed(&p), *forged = sealed(&p);

	*rte_pktmbuf_mtod_offset(forged, uint8_t *, forged->data_len - 1) ^= 1;
	assert_int_equal(take(&p, moved(forged, 4, 66, 1)), 0);
	assert_int_equal(take(&p, pair_copy(first)), 1);
	assert_int_equal(take(&p, moved(first, 4, 66, 1)), 0); /* a replay */
	assert_int_equal(take(&p, moved(early, 4, 66, 1)), 1); /* late, but not seen before */
	assert_no_notice(p.b);
	pair_close(&p);
}

static void never_without_a_window(void **state)
{
	(void)state;
	struct pair_shape s = pair_usual;
	s.udp = true;
	s.window = 0;
	struct pair p = pair_open(&s, NULL);

	assert_int_equal(take(&p, moved(sealed(&p), 4, 66, 1)), 1);
	assert_no_notice(p.b);
	pair_close(&p);
}

static void bursts_of_forgeries(void **state)
{
	(void)state;
	struct pair p = pair_open(&pair_usual, NULL);
	struct rte_mbuf *forged = sealed(&p);

	*rte_pktmbuf_mtod_offset(forged, uint8_t *, forged->data_len - 1) ^= 1;
	for (unsigned int i = 0; i < 15; i++)
		take(&p, pair_copy(forged));
	assert_no_notice(p.b);
	for (unsigned int i = 0; i < 100; i++)
		take(&p, pair_copy(forged));
	struct notice n = pair_one_notice(p.b, NOTICE_FAILURES);
	assert_int_equal(n.reason, DROP_ESP_ICV);
	assert_int_equal(n.slot, p.in->slot);
	/* The next second. */
	p.in->in->failures_tsc = 0;
	for (unsigned int i = 0; i < 15; i++)
		take(&p, pair_copy(forged));
	assert_no_notice(p.b);
	take(&p, forged);
	pair_one_notice(p.b, NOTICE_FAILURES);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_source_is_told_once),
	    cmocka_unit_test(the_port_alone),
	    cmocka_unit_test(the_other_form_is_no_move),
	    cmocka_unit_test(only_authentic_new_packets_speak),
	    cmocka_unit_test(never_without_a_window),
	    cmocka_unit_test(bursts_of_forgeries),
	};

	return cmocka_run_group_tests(tests, pair_setup, NULL);
}
