/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/espalier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "client/clock.h"

/*
 * Against an espalierd at $ESPALIER_SOCKET whose process is $ESPALIER_PID;
 * tests/system/test_client.py starts both.
 */
#define SOON 5000

static struct espalier *client;
static struct espalier_error error;

static int connect_client(void **state)
{
	(void)state;
	client = espalier_open(NULL);
	espalier_session(client, "client-test", 0);
	return client == NULL ? -1 : 0;
}

static int disconnect_client(void **state)
{
	(void)state;
	espalier_close(client);
	return 0;
}

#define assert_ok(call)                                                          \
	do {                                                                     \
		int rc_ = (call);                                                \
		if (rc_ != 0)                                                    \
			fail_msg("%d, %s: %s", rc_, error.field, error.message); \
	} while (0)

static struct espalier_tunnel tunnel_of(const char *name)
{
	return (struct espalier_tunnel){.name = name,
					.device = "",
					.local = "192.0.2.1",
					.remote = "203.0.113.1",
					.keepalive = -1};
}

static struct espalier_sa sa_of(enum espalier_direction direction, const char *tunnel, uint32_t spi,
				uint8_t key[36])
{
	for (unsigned int i = 0; i < 36; i++)
		key[i] = (uint8_t)rand();
	return (struct espalier_sa){.direction = direction,
				    .spi = spi,
				    .tunnel = tunnel,
				    .key = key,
				    .key_len = 36,
				    .esn = true,
				    .replay_window = -1};
}

static const char *text_of(const char *method, const char *name, const char *member, json_t **keep)
{
	json_t *params = json_pack("{s:s}", "name", name);

	assert_ok(espalier_call(client, method, params, SOON, keep, &error));
	json_decref(params);
	return json_string_value(json_object_get(*keep, member));
}

static void every_helper_is_understood(void **state)
{
	struct espalier_tunnel tunnel = tunnel_of("alpha");
	struct espalier_sa_use use;
	uint8_t key[36], key_out[36];
	uint32_t spi;
	json_t *kept;

	(void)state;
	tunnel.trap = true;
	tunnel.mtu = 1400;
	assert_ok(espalier_tunnel_add(client, &tunnel, SOON, &error));
	assert_int_equal(espalier_tunnel_add(client, &tunnel, SOON, &error), 3);
	assert_string_equal(error.field, "name");
	tunnel.exist_ok = true;
	assert_ok(espalier_tunnel_add(client, &tunnel, SOON, &error));

	assert_ok(espalier_spi_alloc(client, SOON, &spi, &error));
	struct espalier_sa in = sa_of(ESPALIER_IN, "alpha", spi, key);
	json_t *selectors =
	    json_pack("[{s:s, s:s}]", "local", "10.1.0.0/16", "remote", "10.2.0.0/16");
	in.selectors = selectors;
	in.replay_window = 4096;
	in.lifetime =
	    (struct espalier_lifetime){1000000, 2000000, 1000, 2000, 3000, 3600, 600, 700};
	assert_ok(espalier_sa_add(client, &in, SOON, &error));
	json_decref(selectors);
	in.selectors = NULL;
	in.exist_ok = true;
	struct espalier_sa out = sa_of(ESPALIER_OUT, "alpha", 0x20001, key_out);
	out.udp = true;
	out.remote_port = 4501;
	assert_ok(espalier_sa_add(client, &out, SOON, &error));
	out.key_len = 35;
	out.spi++;
	assert_int_equal(espalier_sa_add(client, &out, SOON, &error), -32602);
	assert_string_equal(error.field, "key");
	kept = NULL;
	assert_string_equal(text_of("tunnel.get", "alpha", "state", &kept), "up");
	json_decref(kept);

	struct espalier_sa_id id = {ESPALIER_OUT, 0x20001, "203.0.113.1", NULL};
	assert_ok(espalier_sa_query(client, &id, SOON, &use, &error));
	assert_true(use.packets == 0 && use.bytes == 0 && use.last_used_ms == -1);
	assert_ok(
	    espalier_sa_update(client, &id, NULL, "203.0.113.9", true, 0, 20009, SOON, &error));
	assert_int_equal(espalier_sa_query(client, &id, SOON, &use, &error), 2);
	id.remote = NULL;
	id.tunnel = "alpha";
	assert_ok(espalier_sa_query(client, &id, SOON, &use, &error));

	json_t *selector = json_pack("{s:s}", "remote", "10.2.1.0/24");
	struct espalier_policy policy = {.name = "alpha-1",
					 .action = "protect",
					 .tunnel = "alpha",
					 .priority = 50,
					 .trap = true,
					 .selector = selector};
	assert_ok(espalier_policy_add(client, &policy, SOON, &error));
	assert_int_equal(espalier_policy_add(client, &policy, SOON, &error), 3);
	policy.exist_ok = true;
	assert_ok(espalier_policy_add(client, &policy, SOON, &error));
	json_decref(selector);
	assert_int_equal(espalier_tunnel_delete(client, "alpha", SOON, &error), 5);
	assert_ok(espalier_policy_delete(client, "alpha-1", SOON, &error));
	assert_ok(espalier_policy_delete(client, "alpha-1", SOON, &error));

	for (unsigned int i = 0; i < 2; i++)
		assert_ok(espalier_sa_delete(client, &id, "peer does not answer", SOON, &error));
	kept = NULL;
	assert_string_equal(text_of("tunnel.get", "alpha", "reason", &kept),
			    "peer does not answer");
	json_decref(kept);
	for (unsigned int i = 0; i < 2; i++)
		assert_ok(espalier_tunnel_delete(client, "alpha", SOON, &error));
	assert_int_equal(espalier_connections(client), 1);
}

static void many_calls_come_back_in_order(void **state)
{
	json_t *params = json_array(), *results;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "many-%d", i / 2);
		json_array_append_new(params, json_pack("{s:s, s:s}", "name", name, "device", ""));
	}
	/* Each twice: the second finds the first. The gateway may have room for fewer. */
	assert_ok(espalier_call_many(client, "tunnel.add", params, SOON, &results, &error));
	assert_int_equal(json_array_size(results), 5000);
	for (size_t i = 0; i < 5000; i++) {
		json_t *wrong = json_object_get(json_array_get(results, i), "error");
		json_int_t code = json_integer_value(json_object_get(wrong, "code"));
		assert_true(i % 2 == 1 ? code == 3 || code == 4 : code == 0 || code == 4);
	}
	json_decref(results);
	for (size_t i = 0; i < 5000; i++) {
		json_object_del(json_array_get(params, i), "device");
		json_object_set_new(json_array_get(params, i), "missing_ok", json_true());
	}
	assert_ok(espalier_call_many(client, "tunnel.delete", params, SOON, &results, &error));
	for (size_t i = 0; i < 5000; i++)
		assert_null(json_object_get(json_array_get(results, i), "error"));
	json_decref(results);
	json_decref(params);
}

static void *ask_often(void *arg)
{
	long *wrong = arg;

	for (int i = 0; i < 500; i++) {
		json_t *result = NULL;
		*wrong += espalier_call(client, "gateway.info", NULL, SOON, &result, NULL) != 0 ||
			  json_object_get(result, "version") == NULL;
		json_decref(result);
	}
	return NULL;
}

static void threads_share_a_connection(void **state)
{
	pthread_t thread[16];
	long wrong[16] = {0};
	int64_t before = now_ms();

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		pthread_create(&thread[i], NULL, ask_often, &wrong[i]);
	for (unsigned int i = 0; i < 16; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
	printf("16 threads, 8000 calls in %lld ms\n", (long long)(now_ms() - before));
	assert_int_equal(espalier_connections(client), 1);
}

static json_t *next_event(struct espalier_events *s, const char *name)
{
	json_t *event = NULL;

	for (unsigned int i = 0; i < 20; i++) {
		json_decref(event);
		assert_ok(espalier_events_next(s, SOON, &event, &error));
		if (strcmp(json_string_value(json_object_get(event, "event")), name) == 0)
			return event;
	}
	fail_msg("no event %s", name);
	return NULL;
}

static void events_tell_of_the_tunnel(void **state)
{
	json_t *filter = json_pack("{s:[s, s], s:s}", "events", "tunnel.state", "tunnel.delete",
				   "tunnel", "beta");
	struct espalier_events *s = espalier_events_open(NULL, filter);
	struct espalier_tunnel tunnel = tunnel_of("beta");
	uint8_t key[36], key_out[36];
	json_t *event;

	(void)state;
	json_decref(filter);
	/* Subscribes. */
	assert_int_equal(espalier_events_next(s, 200, &event, &error), ESPALIER_TIMEOUT);
	assert_ok(espalier_tunnel_add(client, &tunnel, SOON, &error));
	struct espalier_sa in = sa_of(ESPALIER_IN, "beta", 0x30001, key);
	struct espalier_sa out = sa_of(ESPALIER_OUT, "beta", 0x30002, key_out);
	assert_ok(espalier_sa_add(client, &in, SOON, &error));
	assert_ok(espalier_sa_add(client, &out, SOON, &error));
	event = next_event(s, "tunnel.state");
	assert_string_equal(json_string_value(json_object_get(event, "tunnel")), "beta");
	assert_int_equal(json_integer_value(json_object_get(event, "seq")), 1);
	json_decref(event);
	assert_ok(espalier_tunnel_delete(client, "beta", SOON, &error));
	json_decref(next_event(s, "tunnel.delete"));
	espalier_events_close(s);

	filter = json_pack("{s:[s]}", "events", "tunnel.birthday");
	s = espalier_events_open(NULL, filter);
	json_decref(filter);
	assert_int_equal(espalier_events_next(s, SOON, &event, &error), -32602);
	assert_non_null(strstr(error.field, "events"));
	espalier_events_close(s);
}

static void a_stopped_gateway_holds_nobody(void **state)
{
	pid_t gateway = (pid_t)atoi(getenv("ESPALIER_PID"));

	(void)state;
	kill(gateway, SIGSTOP);
	for (int i = 0; i < 3; i++) {
		int64_t before = now_ms();
		int rc = espalier_call(client, "gateway.info", NULL, 100, NULL, &error);
		int64_t took = now_ms() - before;
		if (rc != ESPALIER_TIMEOUT || took < 100 || took > 1000) {
			kill(gateway, SIGCONT);
			fail_msg("%d after %lld ms", rc, (long long)took);
		}
	}
	kill(gateway, SIGCONT);
	assert_ok(espalier_call(client, "gateway.info", NULL, SOON, NULL, &error));
	assert_int_equal(espalier_connections(client), 1);
}

static void its_limits_are_told(void **state)
{
	json_t *deep = json_object();

	(void)state;
	for (unsigned int i = 0; i < 20; i++)
		deep = json_pack("{s:o}", "x", deep);
	assert_int_equal(espalier_call(client, "gateway.info", deep, SOON, NULL, &error), -32000);
	json_decref(deep);
	assert_ok(espalier_call(client, "gateway.info", NULL, SOON, NULL, &error));
	assert_int_equal(espalier_connections(client), 1);
	assert_int_equal(espalier_call(client, "no.such", NULL, SOON, NULL, &error), -32601);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_helper_is_understood),
	    cmocka_unit_test(many_calls_come_back_in_order),
	    cmocka_unit_test(threads_share_a_connection),
	    cmocka_unit_test(events_tell_of_the_tunnel),
	    cmocka_unit_test(a_stopped_gateway_holds_nobody),
	    cmocka_unit_test(its_limits_are_told),
	};

	return cmocka_run_group_tests(tests, connect_client, disconnect_client);
}
