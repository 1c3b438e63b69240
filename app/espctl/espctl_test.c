/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "show.h"
#include "top_sample.h"

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
	expect_params("events.subscribe", "events=sa.soft,acquire tunnel=paris",
		      "{\"events\":[\"sa.soft\",\"acquire\"],\"tunnel\":\"paris\"}");
	expect_params(
	    "policy.add",
	    "branch protect tunnel=paris selector.remote=10.2.0.0/16 selector.protocol=tcp",
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

static void rates_are_short(void **state)
{
	(void)state;
	static const struct {
		double n;
		const char *text;
	} cases[] = {{0, "0"},         {0.4, "0"},       {999.4, "999"},   {999.5, "1.0k"},
		     {1000, "1.0k"},   {12345, "12.3k"}, {99949, "99.9k"}, {99951, "100k"},
		     {999499, "999k"}, {999500, "1.0M"}, {10e9, "10.0G"},  {1e14, "100T"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[32];
		assert_string_equal(sample_text(cases[i].n, buf, sizeof(buf)), cases[i].text);
	}
}

static void text_fits_its_columns(void **state)
{
	(void)state;
	char buf[64];

	assert_string_equal(sample_fit("paris", 7, buf, sizeof(buf)), "paris  ");
	assert_string_equal(sample_fit("paris", -7, buf, sizeof(buf)), "  paris");
	assert_string_equal(sample_fit("paris", 3, buf, sizeof(buf)), "par");
	assert_string_equal(sample_fit("z\u00fcrich", 2, buf, sizeof(buf)), "z\u00fc");
	assert_string_equal(sample_fit("\u00fc", 3, buf, sizeof(buf)), "\u00fc  ");
	assert_string_equal(sample_fit("", 2, buf, sizeof(buf)), "  ");
}

/* A gateway that was restarted counts from 0 again: no rate, and none below 0. */
static void rates_never_fall_below_zero(void **state)
{
	(void)state;
	json_t *before = json_pack("{s:{s:i}}", "totals", "packets_in", 100);
	json_t *now = json_pack("{s:{s:i}}", "totals", "packets_in", 300);

	assert_true(sample_rate(now, before, "totals.packets_in", 2) == 100);
	assert_true(sample_rate(before, now, "totals.packets_in", 2) == 0);
	assert_true(sample_rate(now, NULL, "totals.packets_in", 2) == 0);
	assert_true(sample_rate(now, before, "totals.packets_in", 0) == 0);
	json_decref(before);
	json_decref(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_become_parameters),
	    cmocka_unit_test(wrong_words_are_refused),
	    cmocka_unit_test(a_key_may_stand_in_a_file),
	    cmocka_unit_test(lists_are_aligned),
	    cmocka_unit_test(units_are_readable),
	    cmocka_unit_test(rates_are_short),
	    cmocka_unit_test(text_fits_its_columns),
	    cmocka_unit_test(rates_never_fall_below_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
