/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rcu/rcu.h"
#include "sa/sa_hot.h"
#include "sa/tunnel.h"

static struct sadb *db;
static uint32_t tunnel_index;

static struct sa_spec spec_for(enum sa_direction direction, uint32_t spi, uint8_t key_byte)
{
	struct sa_spec s = {.direction = direction,
			    .spi = spi,
			    .tunnel = tunnel_index,
			    .algorithm = AEAD_AES_256_GCM_16,
			    .esn = true,
			    .replay_window = 64,
			    .seq_first = 1};

	ip_addr_parse("192.0.2.1", &s.local);
	ip_addr_parse("192.0.2.2", &s.remote);
	memset(s.key, key_byte, sizeof(s.key));
	return s;
}

static int setup(void **state)
{
	(void)state;
	struct sadb_config config = {.sas_max = 8, .tunnels_max = 4, .workers = 2};
	struct tunnel_spec tunnel = {.name = "one"};
	struct tunnel *t;

	rcu_init(1);
	db = sadb_create(&config, NULL);
	if (db == NULL || tunnel_add(db, &tunnel, &t, NULL) != 0)
		return -1;
	tunnel_index = t->index;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sadb_destroy(db);
	rcu_fini();
	return 0;
}

static void wrong_fields_are_named(void **state)
{
	(void)state;
	struct {
		const char *where;
		struct sa_spec spec;
	} cases[7];
	unsigned int n = 0;

	cases[n].where = "spi";
	cases[n++].spec = spec_for(SA_INBOUND, 255, 1);
	cases[n].where = "tunnel";
	cases[n].spec = spec_for(SA_INBOUND, 256, 1);
	cases[n++].spec.tunnel = 3;
	cases[n].where = "replay_window";
	cases[n].spec = spec_for(SA_INBOUND, 256, 1);
	cases[n++].spec.replay_window = 31;
	cases[n].where = "replay_window";
	cases[n].spec = spec_for(SA_INBOUND, 256, 1);
	cases[n++].spec.replay_window = 32769;
	cases[n].where = "seq_first";
	cases[n].spec = spec_for(SA_OUTBOUND, 256, 1);
	cases[n++].spec.seq_first = 0;
	cases[n].where = "seq_limit";
	cases[n].spec = spec_for(SA_OUTBOUND, 256, 1);
	cases[n].spec.esn = false;
	cases[n++].spec.seq_limit = 1ull << 32;
	cases[n].where = "remote";
	cases[n].spec = spec_for(SA_OUTBOUND, 256, 1);
	ip_addr_parse("2001:db8::1", &cases[n++].spec.remote);
	for (unsigned int i = 0; i < n; i++) {
		struct fault fault = {0};
		assert_true(sa_add(db, &cases[i].spec, NULL, &fault) < 0);
		assert_string_equal(fault.where, cases[i].where);
	}
	assert_int_equal(sa_count(db, SA_INBOUND) + sa_count(db, SA_OUTBOUND), 0);
}

/* A key that was used to send is refused until seq_first lies beyond what was sent. */
static void a_key_never_sends_a_number_twice(void **state)
{
	(void)state;
	struct sa_spec out = spec_for(SA_OUTBOUND, 0x1001, 2), in = spec_for(SA_INBOUND, 0x2001, 2);
	struct fault fault = {0};
	struct sa *sa;

	assert_int_equal(sa_add(db, &out, &sa, &fault), 0);
	assert_int_equal(sa_add(db, &in, NULL, &fault), -EEXIST);
	assert_string_equal(fault.where, "key");
	out.spi = 0x1002;
	assert_int_equal(sa_add(db, &out, NULL, &fault), -EEXIST);

	sa->out->seq = 1000;
	sa_delete(db, sa);
	rcu_barrier();
	assert_int_equal(sa_add(db, &out, NULL, &fault), -EEXIST);
	out.seq_first = 1000;
	assert_int_equal(sa_add(db, &out, NULL, &fault), -EEXIST);
	out.seq_first = 1001;
	assert_int_equal(sa_add(db, &out, &sa, &fault), 0);
	sa_delete(db, sa);
	rcu_barrier();

	/* Deleted a moment ago: the numbers sent with it are known before it is used again. */
	out.seq_first = 2000;
	assert_int_equal(sa_add(db, &out, &sa, &fault), 0);
	sa_delete(db, sa);
	out.seq_first = 3000;
	assert_int_equal(sa_add(db, &out, &sa, &fault), 0);
	sa_delete(db, sa);
	rcu_barrier();

	/* An inbound key that only received may come back (a re-add after a sweep). */
	in = spec_for(SA_INBOUND, 0x2002, 3);
	assert_int_equal(sa_add(db, &in, &sa, &fault), 0);
	sa_delete(db, sa);
	rcu_barrier();
	assert_int_equal(sa_add(db, &in, &sa, &fault), 0);
	sa_delete(db, sa);
	rcu_barrier();
}

static void newest_outbound_sends_and_totals_survive(void **state)
{
	(void)state;
	const struct sad *sad = sadb_hot(db);
	struct tunnel *t = tunnel_get(db, tunnel_index);
	struct sa_spec a = spec_for(SA_OUTBOUND, 0x3001, 4), b = spec_for(SA_OUTBOUND, 0x3002, 5);
	struct sa *first, *second;
	struct tunnel_totals totals, before;

	tunnel_totals(t, &before);
	assert_int_equal(sa_add(db, &a, &first, NULL), 0);
	assert_ptr_equal(sad->tunnel[tunnel_index].out, first->out);
	assert_int_equal(sa_add(db, &b, &second, NULL), 0);
	assert_ptr_equal(sad->tunnel[tunnel_index].out, second->out);
	first->out->seq = 10;
	first->out->bytes = 1000;
	struct sa_out *held = first->out;
	rcu_worker_start(0); /* a worker still in its round */
	sa_delete(db, first);
	held->seq = 12;
	held->bytes = 1200;
	rcu_worker_stop(0);
	rcu_barrier();
	second->out->seq = 5;
	second->out->bytes = 50;
	tunnel_totals(t, &totals);
	assert_int_equal(totals.packets_out - before.packets_out, 17);
	assert_int_equal(totals.bytes_out - before.bytes_out, 1250);
	sa_delete(db, second);
	assert_null(sad->tunnel[tunnel_index].out);
	rcu_barrier();
	tunnel_totals(t, &totals);
	assert_int_equal(totals.packets_out - before.packets_out, 17);
}

static void lookup_by_spi_alone(void **state)
{
	(void)state;
	const struct sad *sad = sadb_hot(db);
	struct sa_spec in = spec_for(SA_INBOUND, 0, 6);
	struct sa *sa;

	in.spi = spi_alloc(db);
	assert_true(in.spi >= SA_SPI_MIN);
	assert_null(sad_find(sad, in.spi));
	assert_int_equal(sa_add(db, &in, &sa, NULL), 0);
	assert_ptr_equal(sad_find(sad, in.spi), sa->in);
	assert_ptr_equal(sa_find_in(db, in.spi), sa);
	assert_int_equal(spi_release(db, in.spi), -ENOENT);
	sa_delete(db, sa);
	assert_null(sad_find(sad, in.spi));
	rcu_barrier();
}

/* Two peers may choose one SPI; one peer may not use it twice. */
static void outbound_spi_belongs_to_the_peer(void **state)
{
	(void)state;
	struct sa_spec a = spec_for(SA_OUTBOUND, 0x4001, 7), b = spec_for(SA_OUTBOUND, 0x4001, 8);
	struct sa *first, *second;
	struct fault fault;

	assert_int_equal(sa_add(db, &a, &first, NULL), 0);
	assert_int_equal(sa_add(db, &b, &second, &fault), -EEXIST);
	ip_addr_parse("192.0.2.3", &b.remote);
	assert_int_equal(sa_add(db, &b, &second, NULL), 0);
	assert_ptr_equal(sa_find_out(db, 0x4001, &a.remote), first);
	assert_ptr_equal(sa_find_out(db, 0x4001, &b.remote), second);
	struct sa_update move = {.set_remote = true, .remote = a.remote};
	assert_int_equal(sa_update(db, second, &move, &fault), -EEXIST);
	sa_delete(db, first);
	sa_delete(db, second);
	rcu_barrier();
}

static void limits_hold(void **state)
{
	(void)state;
	struct fault fault;
	struct sa *sas[9];

	for (uint32_t i = 0; i < 8; i++) {
		struct sa_spec s = spec_for(SA_INBOUND, 0x5000 + i, (uint8_t)(20 + i));
		assert_int_equal(sa_add(db, &s, &sas[i], NULL), 0);
	}
	struct sa_spec s = spec_for(SA_INBOUND, 0x5008, 40);
	assert_int_equal(sa_add(db, &s, &sas[8], &fault), -ENOSPC);
	for (uint32_t i = 0; i < 8; i++)
		sa_delete(db, sas[i]);
	rcu_barrier();
}

static void keys_are_wiped(void **state)
{
	(void)state;
	struct sa_spec s = spec_for(SA_INBOUND, 0x6000, 99);
	struct sa *sa;

	assert_int_equal(sa_add(db, &s, &sa, NULL), 0);
	const uint8_t zero[AEAD_KEY_MAX] = {0};
	assert_memory_equal(sa->spec.key, zero, sizeof(zero));
	const struct sa_in *in = sa->in;
	sa_delete(db, sa);
	rcu_barrier();
	for (size_t i = 0; i < sizeof(*in); i++)
		assert_int_equal(((const uint8_t *)in)[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_fields_are_named),
	    cmocka_unit_test(a_key_never_sends_a_number_twice),
	    cmocka_unit_test(newest_outbound_sends_and_totals_survive),
	    cmocka_unit_test(lookup_by_spi_alone),
	    cmocka_unit_test(outbound_spi_belongs_to_the_peer),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(keys_are_wiped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
