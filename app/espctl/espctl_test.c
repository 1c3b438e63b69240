/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "connection.h"
#include "show.h"

/* From words to parameters. */

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"

static void expect_params(const char *method, const char *words, const char *json)
{
	char *copy = strdup(words), *word[16], *rest;
	int n = 0;

	for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		word[n++] = w;
	json_t *params = arguments_read(method_find(method), word, n);
	char *text = params != NULL ? json_dumps(params, JSON_COMPACT) : NULL;
	if (json == NULL)
		assert_null(text);
	else if (text == NULL || strcmp(text, json) != 0)
		fail_msg("%s %s is %s, not %s", method, words, text, json);
	free(text);
	free(copy);
	json_decref(params);
}

static void words_become_parameters(void **state)
{
	(void)state;
	expect_params("sa.get", "direction=in spi=0x1000", "{\"direction\":\"in\",\"spi\":4096}");
	expect_params("sa.get", "in 4096 tunnel=a=b",
		      "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"a=b\"}");
	expect_params("sa.add", "in 4096 paris esn=no key=" KEY,
		      "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"esn\":false,"
		      "\"key\":\"" KEY "\"}");
	expect_params("policy.add",
		      "branch protect paris selector.remote=10.2.0.0/16 selector.protocol=tcp",
		      "{\"name\":\"branch\",\"action\":\"protect\",\"tunnel\":\"paris\","
		      "\"selector\":{\"remote\":\"10.2.0.0/16\",\"protocol\":\"tcp\"}}");
	expect_params("sa.add",
		      "in 4096 paris key=" KEY " selectors.0.local=10.0.0.0/8 "
		      "selectors.0.remote=any selectors.1.family=ipv6",
		      "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":\"" KEY "\","
		      "\"selectors\":[{\"local\":\"10.0.0.0/8\",\"remote\":\"any\"},"
		      "{\"family\":\"ipv6\"}]}");
	expect_params("policy.add", "a bypass selector={\"remote\":\"any\"}",
		      "{\"name\":\"a\",\"action\":\"bypass\",\"selector\":{\"remote\":\"any\"}}");
	/* The gateway, not espctl, says whether a number or an address is right. */
	expect_params("tunnel.add", "a mtu=99999 local=x",
		      "{\"name\":\"a\",\"mtu\":99999,\"local\":\"x\"}");
}

static void wrong_words_are_refused(void **state)
{
	(void)state;
	expect_params("sa.get", "in", NULL);
	expect_params("sa.get", "in many", NULL);
	expect_params("sa.get", "in 4096x", NULL);
	expect_params("sa.get", "in 99999999999999999999", NULL);
	expect_params("sa.get", "in 1 direction=in", NULL);
	expect_params("sa.get", "in 1 colour=blue", NULL);
	expect_params("sa.get", "in 1 r t x", NULL);
	expect_params("sa.get", "in 1 remote.x=1", NULL);
	expect_params("sa.add", "in 1 paris key=@/nonexistent", NULL);
	expect_params("sa.add", "in 1 paris esn=perhaps key=" KEY, NULL);
	expect_params("sa.add", "in 1 paris selectors.1.local=any key=" KEY, NULL);
	expect_params("sa.add", "in 1 paris selectors.x.local=any key=" KEY, NULL);
	expect_params("sa.add", "in 1 paris selectors.0=any key=" KEY, NULL);
	expect_params("sa.add", "in 1 paris selectors=x key=" KEY, NULL);
	expect_params("sa.add", "in 1 paris selectors.0.colour=any key=" KEY, NULL);
}

static void a_key_may_stand_in_a_file(void **state)
{
	(void)state;
	char name[] = "/tmp/espctl-key-XXXXXX", words[128];
	int fd = mkstemp(name);

	assert_int_equal(dprintf(fd, KEY "\n"), 73);
	close(fd);
	snprintf(words, sizeof(words), "in 4096 paris key=@%s", name);
	expect_params("sa.add", words,
		      "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\",\"key\":\"" KEY
		      "\"}");
	unlink(name);
}

/* A gateway that sends what it is told and then does what it is told. */
struct script {
	const char *answer;
	bool hang; /* keep the connection open without a word */
	bool deaf; /* close without reading */
};

static char path[64];
static int listener;

static void *gateway(void *arg)
{
	const struct script *s = arg;
	char buf[4096];
	int fd = accept(listener, NULL, NULL);

	if (!s->deaf && recv(fd, buf, sizeof(buf), 0) <= 0)
		abort();
	for (const char *p = s->answer; *p != '\0'; p++)
		(void)!send(fd, p, 1, MSG_NOSIGNAL);
	if (s->hang)
		(void)!recv(fd, buf, sizeof(buf), 0);
	close(fd);
	return NULL;
}

static json_t *talk(const struct script *script, const char *method)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct connection c;
	pthread_t thread;

	snprintf(path, sizeof(path), "/tmp/espctl-test-%d.sock", (int)getpid());
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, gateway, (void *)(uintptr_t)script), 0);
	assert_int_equal(connection_open(&c, path, 1), 0);
	json_t *answer = connection_call(&c, method, json_object());
	connection_close(&c);
	pthread_join(thread, NULL);
	close(listener);
	unlink(path);
	return answer;
}

static void answers_in_any_pieces(void **state)
{
	(void)state;
	json_t *answer = talk(
	    &(struct script){.answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"}, "x.y");

	assert_true(json_is_object(json_object_get(answer, "result")));
	json_decref(answer);
	answer =
	    talk(&(struct script){"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,"
				  "\"message\":\"too many\"}}\n",
				  .deaf = true},
		 "x.y");
	assert_non_null(json_object_get(answer, "error"));
	json_decref(answer);
}

static void broken_answers_are_no_answers(void **state)
{
	(void)state;
	static const struct script scripts[] = {
	    {"", false, false},
	    {"", false, true},
	    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"resu", false, false},
	    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", false, false},
	    {"nonsense\n", false, false},
	    {"[]\n", false, false},
	    {"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n", false, false},
	    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n", false, false},
	    {"{\"jsonrpc\":\"2.0\",\"id\":1}\n", false, false},
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		assert_null(talk(&scripts[i], "x.y"));
}

static void a_silent_gateway_is_not_waited_for(void **state)
{
	(void)state;
	time_t begin = time(NULL);

	assert_null(talk(&(struct script){"", .hang = true}, "x.y"));
	assert_null(talk(&(struct script){"{\"jsonrpc\"", .hang = true}, "x.y"));
	assert_in_range(time(NULL) - begin, 1, 5);
}

/* What people read. */
static char *shown(const char *method, const char *result)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *json = json_loads(result, 0, NULL);

	show_result(out, method_find(method)->result, json);
	fclose(out);
	json_decref(json);
	return text;
}

static void lists_are_aligned(void **state)
{
	(void)state;
	char *text =
	    shown("policy.list",
		  "{\"items\":[{\"priority\":5,\"name\":\"a\",\"action\":\"bypass\",\"selector\":"
		  "{\"local\":\"any\",\"remote\":\"10.0.0.0/8\",\"protocol\":\"tcp\","
		  "\"local_ports\":\"any\",\"remote_ports\":80},\"packets\":12345,"
		  "\"bytes\":1536},{\"priority\":1000,\"name\":\"ü\\u001b[2J\",\"action\":"
		  "\"protect\",\"tunnel\":\"paris\",\"packets\":0,\"bytes\":5368709120}]}");

	assert_string_equal(text, "PRIO  NAME   ACTION   TUNNEL  LOCAL  REMOTE      PROTO  LPORTS  "
				  "RPORTS  PACKETS    BYTES\n"
				  "   5  a      bypass   -       any    10.0.0.0/8  tcp    any     "
				  "80        12345  1.5 KiB\n"
				  "1000  ü?[2J  protect  paris   -      -           -      -       "
				  "-             0  5.0 GiB\n");
	free(text);
	text = shown("policy.list", "{\"items\":[]}");
	assert_non_null(strstr(text, "PRIO  NAME  ACTION"));
	free(text);
}

static void units_are_readable(void **state)
{
	(void)state;
	static const struct {
		enum member_unit unit;
		json_int_t n;
		const char *text;
	} cases[] = {
	    {UNIT_BYTES, 0, "0 B"},
	    {UNIT_BYTES, 1023, "1023 B"},
	    {UNIT_BYTES, 1024, "1.0 KiB"},
	    {UNIT_BYTES, 1048575, "1.0 MiB"},
	    {UNIT_BYTES, INT64_MAX, "8.0 EiB"},
	    {UNIT_SECONDS, 59, "59s"},
	    {UNIT_SECONDS, 60, "1m00s"},
	    {UNIT_SECONDS, 3661, "1h01m"},
	    {UNIT_SECONDS, 90000, "1d01h"},
	    {UNIT_HEX, 4096, "0x00001000"},
	    {UNIT_NONE, -1, "-1"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct member m = {.name = "x", .type = MEMBER_INTEGER, .unit = cases[i].unit};
		json_t *value = json_integer(cases[i].n);
		char buf[64];
		assert_string_equal(show_value(&m, value, buf, sizeof(buf)), cases[i].text);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_become_parameters),
	    cmocka_unit_test(wrong_words_are_refused),
	    cmocka_unit_test(a_key_may_stand_in_a_file),
	    cmocka_unit_test(answers_in_any_pieces),
	    cmocka_unit_test(broken_answers_are_no_answers),
	    cmocka_unit_test(a_silent_gateway_is_not_waited_for),
	    cmocka_unit_test(lists_are_aligned),
	    cmocka_unit_test(units_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
