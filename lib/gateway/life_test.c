/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <rte_cycles.h>
#include <cmocka.h>

#include "gateway/state.h"
#include "rcu/rcu.h"
#include "worker/inprocess.h"

/* A gateway in memory, and the events that it raises, a line each. */
static struct rte_mempool *pool;
static struct inprocess *ip;
static struct gateway *g;
static struct tunnel *paris;
static char told[8192];

static void hear(void *arg, const struct event *e)
{
	static const char *const names[EVENT_KINDS] = {
	    [EVENT_SA_SOFT] = "soft",           [EVENT_SA_HARD] = "hard",
	    [EVENT_SA_EXHAUSTED] = "exhausted", [EVENT_SA_MAPPING] = "mapping",
	    [EVENT_SA_FAILURES] = "failures",   [EVENT_ACQUIRE] = "acquire",
	    [EVENT_TUNNEL_STATE] = "state",     [EVENT_TUNNEL_REKEY] = "rekey",
	    [EVENT_TUNNEL_RESET] = "reset",     [EVENT_TUNNEL_GONE] = "gone",
	    [EVENT_PORT_LINK] = "link"};
	char line[256];
	size_t at = strlen(told);

	(void)arg;
	snprintf(line, sizeof(line), "%s", names[e->kind]);
#define ADD(...) snprintf(line + strlen(line), sizeof(line) - strlen(line), __VA_ARGS__)
	if (e->sa != NULL)
		ADD(" %u", e->sa->spi);
	if (e->limit != 0)
		ADD(" %s", limit_name(e->limit));
	if (e->kind == EVENT_TUNNEL_STATE)
		ADD(" %s>%s", e->was, tunnel_state(e->tunnel));
	if (e->reason != NULL)
		ADD(" \"%s\"", e->reason);
	if (e->actor != NULL)
		ADD(" by %s", e->actor);
	if (e->policy != NULL)
		ADD(" %s", e->policy->name);
	if (e->port != NULL)
		ADD(" %s %s", e->port->name, e->up ? "up" : "down");
#undef ADD
	snprintf(told + at, sizeof(told) - at, "%s\n", line);
}

static void expect(const char *lines)
{
	assert_string_equal(told, lines);
	told[0] = '\0';
}

static int setup(void **state)
{
	struct inprocess_config config = {
	    .workers = 1, .sas = 200000, .tunnels = 8, .routes = 16, .flows = 1024, .pool = pool};
	struct tunnel_spec spec = {.name = "paris"};

	(void)state;
	ip = inprocess_create(&config);
	g = &ip->g;
	if (gateway_sink_add(g, hear, NULL) != 0 || gateway_tunnel_add(g, &spec, &paris, NULL) != 0)
		return -1;
	told[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gateway_provision_stop(g);
	inprocess_destroy(ip);
	return 0;
}

static struct sa *add(enum sa_direction direction, uint32_t spi, struct sa_lifetime life)
{
	static uint32_t keys;
	struct sa_spec spec = {.direction = direction,
			       .spi = spi,
			       .tunnel = paris->index,
			       .algorithm = AEAD_AES_256_GCM_16,
			       .esn = true,
			       .replay_window = direction == SA_INBOUND ? 64 : 0,
			       .seq_first = 1,
			       .local = inprocess_outer(0, 4),
			       .remote = inprocess_outer(1, 4),
			       .lifetime = life};
	struct fault fault = {0};
	struct sa *sa;

	keys++;
	memcpy(spec.key, &keys, sizeof(keys));
	if (gateway_sa_add(g, &spec, &sa, &fault) != 0)
		fail_msg("%s: %s", fault.where, fault.what);
	return sa;
}

static const struct sa_lifetime no_limit;

static void a_tunnel_says_why_it_changes(void **state)
{
	(void)state;
	struct sa *in = add(SA_INBOUND, 1000, no_limit);

	expect("state down>half \"SA added\"\n");
	gateway_actor(g, "charon (pid 7, uid 0)");
	struct sa *out = add(SA_OUTBOUND, 2000, no_limit);
	expect("state half>up \"SA added\" by charon (pid 7, uid 0)\n");
	struct sa *newer = add(SA_OUTBOUND, 2001, no_limit);
	expect("rekey 2001 by charon (pid 7, uid 0)\n");
	gateway_sa_delete(g, out, "rekeyed");
	expect("");
	gateway_sa_delete(g, newer, "peer does not answer");
	expect("state up>half \"peer does not answer\" by charon (pid 7, uid 0)\n");
	assert_string_equal(paris->reason, "peer does not answer");
	gateway_actor(g, NULL);
	gateway_sa_delete(g, in, "SA deleted");
	expect("state half>down \"SA deleted\"\n");
	assert_int_equal(gateway_tunnel_delete(g, paris, NULL), 0);
	expect("gone \"tunnel deleted\"\n");
}

static void soft_then_hard_since_it_was_added(void **state)
{
	(void)state;
	uint64_t start = lifetime_clock();

	add(SA_INBOUND, 1000, no_limit);
	struct sa *sa =
	    add(SA_OUTBOUND, 2000, (struct sa_lifetime){.soft_add = 60, .hard_add = 90});
	told[0] = '\0';
	lifetimes_run(g->provision, start + 59000);
	expect("");
	lifetimes_run(g->provision, start + 61000);
	expect("soft 2000 add_time\n");
	lifetimes_run(g->provision, start + 89000);
	expect("");
	assert_false(sa_expired(sa));
	lifetimes_run(g->provision, start + 91000);
	expect("hard 2000 add_time\nstate up>half \"hard lifetime (add_time)\"\n");
	assert_true(sa_expired(sa));
	lifetimes_run(g->provision, start + 100000000);
	expect("");
}

static void first_use_starts_the_other_clock(void **state)
{
	(void)state;
	uint64_t start = lifetime_clock();
	struct sa *sa = add(SA_INBOUND, 1000, (struct sa_lifetime){.soft_use = 10, .hard_use = 20});
	struct notice n = {.kind = NOTICE_FIRST_USE,
			   .direction = SA_INBOUND,
			   .slot = sa->slot,
			   .serial = sa->serial};

	told[0] = '\0';
	/* A day unused. */
	lifetimes_run(g->provision, start + 86400000);
	expect("");
	notice_handle(g->provision, &n, start + 86400000);
	/* Told again, the clock does not begin anew. */
	notice_handle(g->provision, &n, start + 86405000);
	lifetimes_run(g->provision, start + 86409000);
	expect("");
	lifetimes_run(g->provision, start + 86411000);
	expect("soft 1000 use_time\n");
	lifetimes_run(g->provision, start + 86421000);
	expect("hard 1000 use_time\nstate half>down \"hard lifetime (use_time)\"\n");
}

/* Soft is raised once, whichever limit comes first. */
static void one_soft_event(void **state)
{
	(void)state;
	uint64_t start = lifetime_clock();
	struct sa *sa =
	    add(SA_INBOUND, 1000, (struct sa_lifetime){.soft_add = 10, .soft_packets = 5});
	struct notice n = {.kind = NOTICE_SOFT,
			   .limit = LIMIT_PACKETS,
			   .direction = SA_INBOUND,
			   .slot = sa->slot,
			   .serial = sa->serial};

	told[0] = '\0';
	notice_handle(g->provision, &n, start);
	expect("soft 1000 packets\n");
	lifetimes_run(g->provision, start + 20000);
	expect("");
	sa = add(SA_INBOUND, 1001, (struct sa_lifetime){.soft_add = 10, .soft_packets = 5});
	n.slot = sa->slot;
	n.serial = sa->serial;
	lifetimes_run(g->provision, start + 40000);
	expect("soft 1001 add_time\n");
	notice_handle(g->provision, &n, start);
	expect("");
}

static void notices_of_workers(void **state)
{
	(void)state;
	add(SA_INBOUND, 1000, no_limit);
	struct sa *old = add(SA_OUTBOUND, 2000, no_limit);
	struct sa *sa = add(SA_OUTBOUND, 2001, no_limit);
	struct notice n = {.kind = NOTICE_EXHAUSTED,
			   .limit = LIMIT_SEQUENCE,
			   .direction = SA_OUTBOUND,
			   .slot = sa->slot,
			   .serial = sa->serial};

	told[0] = '\0';
	/* The one before still lives and sends. */
	notice_handle(g->provision, &n, 1);
	expect("exhausted 2001 sequence\n");
	assert_ptr_equal(tunnel_sender(paris), old);
	n = (struct notice){.kind = NOTICE_HARD,
			    .limit = LIMIT_BYTES,
			    .direction = SA_OUTBOUND,
			    .slot = old->slot,
			    .serial = old->serial};
	notice_handle(g->provision, &n, 1);
	expect("hard 2000 bytes\nstate up>half \"hard lifetime (bytes)\"\n");
}

static void notices_of_what_is_gone_are_ignored(void **state)
{
	(void)state;
	struct sa *sa = add(SA_INBOUND, 1000, no_limit);
	struct notice n = {.kind = NOTICE_HARD,
			   .limit = LIMIT_BYTES,
			   .direction = SA_INBOUND,
			   .slot = sa->slot,
			   .serial = sa->serial};

	gateway_sa_delete(g, sa, "SA deleted");
	rcu_barrier();
	told[0] = '\0';
	notice_handle(g->provision, &n, 1);
	expect("");
	/* The slot has another SA now, with the same SPI even. */
	struct sa *other = add(SA_INBOUND, 1000, no_limit);
	assert_int_equal(other->slot, n.slot);
	told[0] = '\0';
	notice_handle(g->provision, &n, 1);
	expect("");
	assert_false(sa_expired(other));
	n.slot = UINT32_MAX;
	notice_handle(g->provision, &n, 1);
	n = (struct notice){.kind = NOTICE_ACQUIRE, .tunnel = tunnel_handle(7, 3)};
	notice_handle(g->provision, &n, 1);
	n.tunnel = UINT32_MAX;
	notice_handle(g->provision, &n, 1);
	expect("");
}

static struct policy trap_policy(const char *name, bool trap)
{
	struct policy policy = {.priority = 100,
				.action = POLICY_PROTECT,
				.tunnel = paris->index,
				.trap = trap,
				.selector = selector_any(4)};

	snprintf(policy.name, sizeof(policy.name), "%s", name);
	return policy;
}

static bool traps(void)
{
	return atomic_load(&sadb_hot(g->sadb)->tunnel[paris->index].trap);
}

static void a_trap_asks_with_its_policy(void **state)
{
	(void)state;
	struct policy first = trap_policy("branch", true), second = trap_policy("other", true);
	struct notice n = {.kind = NOTICE_ACQUIRE, .tunnel = paris->handle, .flow = {.family = 4}};

	assert_false(traps());
	assert_int_equal(gateway_policy_add(g, &first, NULL), 0);
	assert_int_equal(gateway_policy_add(g, &second, NULL), 0);
	assert_int_equal(gateway_commit(g, NULL), 0);
	assert_true(traps());
	notice_handle(g->provision, &n, 1);
	expect("acquire branch\n");
	assert_int_equal(gateway_policy_delete(g, first.id, NULL), 0);
	assert_true(traps());
	assert_int_equal(gateway_policy_delete(g, second.id, NULL), 0);
	assert_int_equal(gateway_commit(g, NULL), 0);
	assert_false(traps());
	struct tunnel_update update = {.set_trap = true, .trap = true};
	gateway_tunnel_update(g, paris, &update);
	assert_true(traps());
	notice_handle(g->provision, &n, 1);
	expect("acquire\n");
	/* It has come meanwhile. */
	add(SA_OUTBOUND, 2000, no_limit);
	told[0] = '\0';
	notice_handle(g->provision, &n, 1);
	expect("");
}

static void updates(void **state)
{
	struct tunnel_update update = {.set_mtu = true, .mtu = 1300, .keepalive = 7, .trap = true};

	(void)state;
	paris->spec.keepalive = 20;
	gateway_tunnel_update(g, paris, &update);
	assert_int_equal(paris->spec.mtu, 1300);
	assert_int_equal(paris->spec.keepalive, 20);
	assert_false(paris->spec.trap);
	update = (struct tunnel_update){.set_keepalive = true, .keepalive = 7};
	gateway_tunnel_update(g, paris, &update);
	assert_int_equal(paris->spec.mtu, 1300);
	assert_int_equal(paris->spec.keepalive, 7);
}

static void resets(void **state)
{
	(void)state;
	add(SA_INBOUND, 1000, no_limit);
	add(SA_OUTBOUND, 2000, no_limit);
	told[0] = '\0';
	gateway_actor(g, "espctl (pid 9, uid 0)");
	assert_int_equal(gateway_tunnel_reset(g, paris, "customer called", NULL), 0);
	expect("reset \"reset: customer called\" by espctl (pid 9, uid 0)\n"
	       "state up>half \"reset: customer called\" by espctl (pid 9, uid 0)\n"
	       "state half>down \"reset: customer called\" by espctl (pid 9, uid 0)\n");
	gateway_actor(g, NULL);
	assert_int_equal(sa_count(g->sadb, SA_INBOUND) + sa_count(g->sadb, SA_OUTBOUND), 0);
	assert_int_equal(gateway_reset(g, NULL), 1);
	expect("reset \"reset\"\n");
}

static void links(void **state)
{
	struct mirror_events events;

	(void)state;
	snprintf(g->port[0].name, sizeof(g->port[0].name), "lan");
	gateway_follow(g, &events);
	events.link(events.arg, 0, false);
	events.link(events.arg, 0, false);
	events.link(events.arg, 0, true);
	events.link(events.arg, 999, true);
	expect("link lan down\nlink lan up\n");
}

static void a_sink_that_is_removed_hears_nothing(void **state)
{
	(void)state;
	gateway_sink_remove(g, hear, NULL);
	add(SA_INBOUND, 1000, no_limit);
	expect("");
}

/* All at the same moment, in slices that leave the control thread time. */
static void a_hundred_thousand_end_together(void **state)
{
	const uint32_t count = 100000;
	uint64_t start = lifetime_clock(), longest = 0;
	unsigned int slices = 0;

	(void)state;
	gateway_sink_remove(g, hear, NULL);
	for (uint32_t i = 0; i < count; i++)
		add(SA_INBOUND, 1000 + i, (struct sa_lifetime){.hard_add = 100});
	lifetimes_run(g->provision, start + 99000);
	assert_false(sa_expired(sa_find_in(g->sadb, 1000)));
	uint64_t end = lifetime_clock() + 101000;
	do {
		uint64_t before = rte_rdtsc();
		lifetimes_run(g->provision, end);
		longest = RTE_MAX(longest, rte_rdtsc() - before);
		slices++;
		uint32_t live = 0;
		for (uint32_t i = 0; i < count && live == 0; i++)
			live += !sa_expired(sa_find_in(g->sadb, 1000 + count - 1 - i)) ||
				!sa_expired(sa_find_in(g->sadb, 1000 + i));
		if (live == 0)
			break;
	} while (slices < 1000);
	assert_in_range(slices, 50, 999);
	print_message("%u ends in %u slices, the longest %.2f ms\n", count, slices,
		      (double)longest * 1000 / (double)rte_get_tsc_hz());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_tunnel_says_why_it_changes),
	    TEST(soft_then_hard_since_it_was_added),
	    TEST(first_use_starts_the_other_clock),
	    TEST(one_soft_event),
	    TEST(notices_of_workers),
	    TEST(notices_of_what_is_gone_are_ignored),
	    TEST(a_trap_asks_with_its_policy),
	    TEST(updates),
	    TEST(resets),
	    TEST(links),
	    TEST(a_sink_that_is_removed_hears_nothing),
	    TEST(a_hundred_thousand_end_together),
	};

	if (inprocess_eal(512) != 0)
		return 1;
	pool = inprocess_pool(1023, RTE_PKTMBUF_HEADROOM + 2176);
	return pool == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
