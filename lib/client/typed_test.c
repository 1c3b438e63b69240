/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/espalier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/fake.h"

#define SOON 5000

/* Answers each request with what the test has put there, and keeps the request. */
struct desk {
	json_t *answer;  /* "result" or "error", with its value */
	json_t *request; /* of the last one */
};

static void serve_desk(struct fake_connection *c)
{
	struct desk *d = c->arg;
	json_t *request;

	while ((request = fake_request(c)) != NULL) {
		json_t *answer = json_copy(d->answer);
		json_object_set(answer, "id", json_object_get(request, "id"));
		json_decref(d->request);
		d->request = request;
		fake_line(c, answer);
	}
}

/* `text`: method and params; single quotes for double ones. */
static void assert_asked(const struct desk *d, const char *method, const char *text)
{
	char *quoted = strdup(text);

	for (char *at = quoted; (at = strchr(at, '\'')) != NULL;)
		*at = '"';
	json_t *wanted = json_loads(quoted, 0, NULL), *got = json_object_get(d->request, "params");
	assert_non_null(wanted);
	assert_string_equal(json_string_value(json_object_get(d->request, "jsonrpc")), "2.0");
	assert_string_equal(json_string_value(json_object_get(d->request, "method")), method);
	if (!json_equal(wanted, got))
		fail_msg("%s: %s, not %s", method, json_dumps(got, 0), quoted);
	json_decref(wanted);
	free(quoted);
}

static void answer_with(struct desk *d, const char *text)
{
	json_decref(d->answer);
	d->answer = json_loads(text, 0, NULL);
	assert_non_null(d->answer);
}

static void helpers_ask_what_the_reference_says(void **state)
{
	struct desk d = {NULL, NULL};
	struct fake *f = fake_start(serve_desk, &d);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_error error;
	uint8_t key[20];
	uint32_t spi = 0;

	(void)state;
	for (unsigned int i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(0xf0 + i);
	answer_with(&d, "{\"result\":{\"spi\":4294967295}}");
	assert_int_equal(espalier_spi_alloc(e, SOON, &spi, &error), 0);
	assert_true(spi == UINT32_MAX);
	assert_string_equal(json_string_value(json_object_get(d.request, "method")), "spi.alloc");

	answer_with(&d, "{\"result\":{}}");
	struct espalier_sa sa = {.direction = ESPALIER_OUT,
				 .spi = 4096,
				 .tunnel = "hq",
				 .algorithm = "aes128gcm16",
				 .key = key,
				 .key_len = sizeof(key),
				 .udp = true,
				 .remote_port = 4501,
				 .remote = "2001:db8::2",
				 .replay_window = 64,
				 .lifetime = {1, 2, 3, 4, 5, 6, 7, 8},
				 .exist_ok = true};
	assert_int_equal(espalier_sa_add(e, &sa, SOON, &error), 0);
	assert_asked(&d, "sa.add",
		     "{'direction':'out','spi':4096,'tunnel':'hq','algorithm':'aes128gcm16',"
		     "'key':'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00010203','esn':false,'udp':true,"
		     "'remote_port':4501,'remote':'2001:db8::2','soft_bytes':1,'hard_bytes':2,"
		     "'soft_packets':3,'hard_packets':4,'soft_add_time':5,'hard_add_time':6,"
		     "'soft_use_time':7,'hard_use_time':8,'exist_ok':true}");
	json_t *selectors = json_pack("[{s:s}]", "remote", "10.0.0.0/8");
	sa = (struct espalier_sa){.direction = ESPALIER_IN,
				  .spi = 256,
				  .tunnel = "hq",
				  .key = key,
				  .key_len = 1,
				  .esn = true,
				  .selectors = selectors};
	assert_int_equal(espalier_sa_add(e, &sa, SOON, &error), 0);
	assert_asked(
	    &d, "sa.add",
	    "{'direction':'in','spi':256,'tunnel':'hq','algorithm':'aes256gcm16',"
	    "'key':'f0','esn':true,'replay_window':0,'selectors':[{'remote':'10.0.0.0/8'}]}");
	assert_int_equal(selectors->refcount, 1);
	json_decref(selectors);

	struct espalier_sa_id id = {ESPALIER_OUT, 4096, NULL, "hq"};
	assert_int_equal(espalier_sa_update(e, &id, NULL, "192.0.2.9", true, 0, 4502, SOON, &error),
			 0);
	assert_asked(&d, "sa.update",
		     "{'direction':'out','spi':4096,'tunnel':'hq','new_remote':'192.0.2.9',"
		     "'udp':true,'remote_port':4502}");
	assert_int_equal(espalier_sa_delete(e, &id, "peer does not answer", SOON, &error), 0);
	assert_asked(&d, "sa.delete",
		     "{'direction':'out','spi':4096,'tunnel':'hq','missing_ok':true,"
		     "'reason':'peer does not answer'}");

	struct espalier_tunnel tunnel = {.name = "hq", .device = "", .mtu = 1400, .keepalive = 0};
	assert_int_equal(espalier_tunnel_add(e, &tunnel, SOON, &error), 0);
	assert_asked(&d, "tunnel.add", "{'name':'hq','device':'','mtu':1400,'keepalive':0}");
	tunnel = (struct espalier_tunnel){.name = "hq",
					  .local = "192.0.2.1",
					  .remote = "192.0.2.2",
					  .keepalive = -1,
					  .trap = true,
					  .exist_ok = true};
	assert_int_equal(espalier_tunnel_add(e, &tunnel, SOON, &error), 0);
	assert_asked(&d, "tunnel.add",
		     "{'name':'hq','local':'192.0.2.1','remote':'192.0.2.2','trap':true,"
		     "'exist_ok':true}");
	assert_int_equal(espalier_tunnel_delete(e, "hq", SOON, &error), 0);
	assert_asked(&d, "tunnel.delete", "{'name':'hq','missing_ok':true}");

	json_t *selector = json_pack("{s:s}", "remote", "10.0.0.0/8");
	struct espalier_policy policy = {.name = "p",
					 .action = "protect",
					 .tunnel = "hq",
					 .priority = 0,
					 .trap = true,
					 .selector = selector};
	assert_int_equal(espalier_policy_add(e, &policy, SOON, &error), 0);
	assert_asked(&d, "policy.add",
		     "{'name':'p','action':'protect','tunnel':'hq','priority':0,'trap':true,"
		     "'selector':{'remote':'10.0.0.0/8'}}");
	json_decref(selector);
	assert_int_equal(espalier_policy_delete(e, "p", SOON, &error), 0);
	assert_asked(&d, "policy.delete", "{'name':'p','missing_ok':true}");

	espalier_close(e);
	fake_stop(f);
	json_decref(d.answer);
	json_decref(d.request);
}

static void helpers_read_the_answer(void **state)
{
	struct desk d = {NULL, NULL};
	struct fake *f = fake_start(serve_desk, &d);
	struct espalier *e = espalier_open(fake_path(f));
	struct espalier_sa_id id = {ESPALIER_IN, 4096, NULL, NULL};
	struct espalier_sa_use use;
	struct espalier_error error;
	uint32_t spi = 7;

	(void)state;
	answer_with(&d, "{\"result\":{\"packets\":3,\"bytes\":252,\"last_used_ms\":123456789012}}");
	assert_int_equal(espalier_sa_query(e, &id, SOON, &use, &error), 0);
	assert_true(use.packets == 3 && use.bytes == 252 && use.last_used_ms == 123456789012);
	answer_with(&d, "{\"result\":{\"packets\":0,\"bytes\":0}}");
	assert_int_equal(espalier_sa_query(e, &id, SOON, &use, &error), 0);
	assert_true(use.packets == 0 && use.last_used_ms == -1);
	answer_with(&d, "{\"result\":{\"packets\":\"0\",\"bytes\":0}}");
	assert_int_equal(espalier_sa_query(e, &id, SOON, &use, &error), ESPALIER_PROTOCOL);
	answer_with(&d, "{\"result\":{\"spi\":4294967296}}");
	assert_int_equal(espalier_spi_alloc(e, SOON, &spi, &error), ESPALIER_PROTOCOL);
	assert_int_equal(spi, 7);

	answer_with(&d, "{\"error\":{\"code\":2,\"message\":\"there is no SA 0x00001000\","
			"\"data\":{\"field\":\"spi\",\"reason\":\"ENOENT\"}}}");
	assert_int_equal(espalier_sa_query(e, &id, SOON, &use, &error), 2);
	assert_int_equal(error.code, 2);
	assert_string_equal(error.field, "spi");
	assert_string_equal(error.message, "there is no SA 0x00001000");
	assert_int_equal(espalier_sa_query(e, &id, SOON, &use, NULL), 2);

	/* A name that is no UTF-8 cannot be said in JSON. */
	json_decref(d.request);
	d.request = NULL;
	assert_int_equal(espalier_tunnel_delete(e, "\xff\xfe", SOON, &error), ESPALIER_NO_MEMORY);
	assert_null(d.request);
	espalier_close(e);
	fake_stop(f);
	json_decref(d.answer);
}

/* ---- Batches. ---- */

struct batches {
	pthread_mutex_t lock; /* connections come one after the other, each with its thread */
	unsigned int lines, most, values;
	size_t longest;
	unsigned int end_at; /* this line is not answered: the connection ends */
};

/* Every answer in a batch is right, but the last comes first; odd n is an error. */
static void serve_batches(struct fake_connection *c)
{
	struct batches *b = c->arg;
	json_t *batch;

	while ((batch = fake_request(c)) != NULL) {
		json_t *answers = json_array();
		size_t n = json_array_size(batch);
		unsigned int values = 0;

		char *text = json_dumps(batch, JSON_COMPACT);
		/* As a gateway counts them; no string here has one of these. */
		for (const char *at = text; (at = strpbrk(at, ",[{")) != NULL; at++)
			values++;
		pthread_mutex_lock(&b->lock);
		b->values = values > b->values ? values : b->values;
		b->longest = strlen(text) + 1 > b->longest ? strlen(text) + 1 : b->longest;
		b->most = n > b->most ? (unsigned int)n : b->most;
		bool end = ++b->lines == b->end_at;
		pthread_mutex_unlock(&b->lock);
		free(text);
		if (end) {
			json_decref(batch);
			json_decref(answers);
			return;
		}
		for (size_t i = n; i-- > 0;) {
			const json_t *request = json_array_get(batch, i);
			json_int_t value = fake_number(request, "n");
			json_array_append_new(
			    answers, value % 2 == 0 ? fake_answer_to(request, json_integer(value))
						    : json_pack("{s:{s:i, s:s}, s:O}", "error",
								"code", 3, "message", "odd", "id",
								json_object_get(request, "id")));
		}
		fake_line(c, answers);
		json_decref(batch);
	}
}

/* How many of the first ones are answered, and rightly. */
static size_t right_answers(const json_t *results)
{
	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *one = json_array_get(results, i);
		const json_t *result = json_object_get(one, "result");
		const json_t *code = json_object_get(json_object_get(one, "error"), "code");
		if (i % 2 == 0 ? !json_is_integer(result) || (size_t)json_integer_value(result) != i
			       : json_integer_value(code) != 3)
			return i;
	}
	return json_array_size(results);
}

/* With a string and a list of these lengths. */
static json_t *numbers(size_t n, size_t padding, size_t list)
{
	json_t *params = json_array();
	char *text = calloc(1, padding + 1);

	memset(text, 'x', padding);
	for (size_t i = 0; i < n; i++) {
		json_t *zeros = json_array();
		for (size_t k = 0; k < list; k++)
			json_array_append_new(zeros, json_integer(0));
		json_array_append_new(params, json_pack("{s:I, s:s, s:o}", "n", (json_int_t)i,
							"pad", text, "list", zeros));
	}
	free(text);
	return params;
}

static void batches_are_cut_by_every_limit(void **state)
{
	static const struct {
		size_t n, padding, list;
		unsigned int lines;
	} table[] = {{0, 0, 0, 0},    {1, 0, 0, 1},      {1024, 0, 0, 1},  {1025, 0, 0, 2},
		     {3000, 0, 0, 3}, {40, 90000, 0, 4}, {600, 0, 300, 6}, {3, 0, 40000, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct batches b = {.lock = PTHREAD_MUTEX_INITIALIZER};
		struct fake *f = fake_start(serve_batches, &b);
		struct espalier *e = espalier_open(fake_path(f));
		json_t *params = numbers(table[i].n, table[i].padding, table[i].list), *results;
		struct espalier_error error;

		assert_int_equal(espalier_call_many(e, "x", params, SOON, &results, &error), 0);
		assert_int_equal(json_array_size(results), table[i].n);
		assert_int_equal(right_answers(results), table[i].n);
		assert_int_equal(b.lines, table[i].lines);
		/* One request alone is for the gateway to refuse. */
		if (b.most > 1)
			assert_in_range(b.values, 0, 32768);
		assert_in_range(b.most, 0, 1024);
		assert_in_range(b.longest, 0, 1 << 20);
		json_decref(results);
		json_decref(params);
		espalier_close(e);
		fake_stop(f);
	}
}

static void what_was_answered_is_kept(void **state)
{
	struct batches b = {.lock = PTHREAD_MUTEX_INITIALIZER, .end_at = 2};
	struct fake *f = fake_start(serve_batches, &b);
	struct espalier *e = espalier_open(fake_path(f));
	json_t *params = numbers(3000, 0, 0), *results;
	struct espalier_error error;

	(void)state;
	assert_int_equal(espalier_call_many(e, "x", params, SOON, &results, &error),
			 ESPALIER_UNREACHABLE);
	assert_int_equal(json_array_size(results), 3000);
	assert_int_equal(right_answers(results), 1024);
	for (size_t i = 1024; i < 3000; i++)
		assert_true(json_is_null(json_array_get(results, i)));
	json_decref(results);
	json_decref(params);

	/* One that fits no line does not stop the others. */
	params = numbers(3, 0, 0);
	char *text = malloc((1 << 20) + 1);
	memset(text, 'x', 1 << 20);
	text[1 << 20] = '\0';
	json_object_set_new(json_array_get(params, 1), "pad", json_string(text));
	free(text);
	assert_int_equal(espalier_call_many(e, "x", params, SOON, &results, &error), 0);
	assert_int_equal(json_array_size(results), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 2), "result")),
			 2);
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(json_array_get(results, 1), "error"), "code")),
			 -32000);
	assert_int_equal(espalier_call(e, "x", json_array_get(params, 1), SOON, NULL, &error),
			 -32000);
	json_decref(results);
	json_decref(params);
	espalier_close(e);
	fake_stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(helpers_ask_what_the_reference_says),
	    cmocka_unit_test(helpers_read_the_answer),
	    cmocka_unit_test(batches_are_cut_by_every_limit),
	    cmocka_unit_test(what_was_answered_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
