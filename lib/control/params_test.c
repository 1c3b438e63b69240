/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/method.h"

/*
 * Each parameter of each method given wrongly, from the table of methods itself:
 * the error must be -32602, name the parameter, and leave the gateway as it was.
 */

/* Values that are wrong for a type, as JSON; NULL at the end. */
static const char *const *wrong_values(const struct member *m)
{
	static const char *const boolean[] = {"0", "1", "\"true\"", "null", "[]", NULL};
	static const char *const integer[] = {
	    "\"1\"", "1.0", "1e3", "true", "null", "{}", "-9223372036854775808", NULL};
	static const char *const text[] = {"0", "true", "null", "[]", "{}", NULL};
	static const char *const name[] = {
	    "1",       "null",       "[]",      "\"\"",     "\" x\"",
	    "\"a b\"", "\"-x\"",     "\"a/b\"", "\"a\\n\"", "\"\\u001b[31m\"",
	    "\"ü\"",   "\"a\\\"b\"", NULL};
	static const char *const word[] = {"1",          "null",   "\"\"",     "\"sideways\"",
					   "\"in out\"", "\"IN\"", "[\"in\"]", NULL};
	static const char *const address[] = {"1",
					      "null",
					      "\"\"",
					      "\"any\"",
					      "\"10.0.0\"",
					      "\"10.0.0.256\"",
					      "\"10.0.0.1/32\"",
					      "\"10.0.0.1 \"",
					      "\"fe80::1%eth0\"",
					      "\"::g\"",
					      "\"010.0.0.1\"",
					      NULL};
	static const char *const range[] = {"1",
					    "null",
					    "\"\"",
					    "\"10.0.0.0/33\"",
					    "\"10.0.0.1/8\"",
					    "\"10.0.0.2-10.0.0.1\"",
					    "\"10.0.0.1-::1\"",
					    "\"10.0.0.1-\"",
					    "\"all\"",
					    "\"::/129\"",
					    NULL};
	static const char *const ports[] = {
	    "-1",     "65536",    "\"\"", "\"65536\"", "\"2-1\"",   "\"1-\"", "\"-1\"", "\"1-2-3\"",
	    "\" 1\"", "\"http\"", "true", "1.5",       "\"1 - 2\"", "\"+1\"", NULL};
	static const char *const protocol[] = {"0",    "256",      "-1",    "\"0\"", "\"256\"",
					       "\"\"", "\"TCP \"", "\"x\"", "true",  NULL};
	static const char *const key[] = {
	    "1", "null", "\"\"", "\"00\"",
	    /* 39, 41, 71, 73 digits; 72 with one that is none; 0x before 70 */
	    "\"000102030405060708090a0b0c0d0e0f1011121\"",
	    "\"000102030405060708090a0b0c0d0e0f101112131\"",
	    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222\"",
	    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232\"",
	    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222g\"",
	    "\"0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223\"", NULL};
	static const char *const object[] = {"1", "null", "\"any\"", "[]", NULL};
	static const char *const array[] = {"1", "null", "{}", "\"x\"", NULL};

	switch (m->type) {
	case MEMBER_BOOLEAN:
		return boolean;
	case MEMBER_INTEGER:
		return integer;
	case MEMBER_NAME:
		return name;
	case MEMBER_ENUM:
		return word;
	case MEMBER_ADDRESS:
		return address;
	case MEMBER_RANGE:
		return range;
	case MEMBER_PORTS:
		return ports;
	case MEMBER_PROTOCOL:
		return protocol;
	case MEMBER_KEY:
		return key;
	case MEMBER_OBJECT:
		return object;
	case MEMBER_ARRAY:
	case MEMBER_WORDS:
	case MEMBER_ROWS:
		return array;
	default:
		return text;
	}
}

static size_t cases;

/* What the gateway holds, without what grows by itself. */
static char *state_of_gateway(void)
{
	static const char *const lists[] = {"tunnel.list", "sa.list", "policy.list"};
	json_t *all = json_array();

	for (size_t i = 0; i < 3; i++) {
		json_t *items = result_of(lists[i], "{}");
		size_t n;
		json_t *item;
		json_array_foreach (at(items, "items"), n, item) {
			json_object_del(item, "since");
			json_object_del(item, "age");
		}
		json_array_append_new(all, items);
	}
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

/* An element that the array may hold. */
static json_t *element(const struct member *m)
{
	if (m->type == MEMBER_ROWS)
		return json_array();
	if (m->type == MEMBER_WORDS)
		return json_stringn(m->values, strcspn(m->values, " "));
	return json_object();
}

static void expect_wrong(const struct method *m, const json_t *params, const char *field)
{
	char *text = json_dumps(params, JSON_COMPACT);

	if (code_of(m->name, text, field) != -32602)
		fail_msg("%s %s is not -32602", m->name, text);
	free(text);
	cases++;
}

/* Each wrong value of `m` in `object`, which is a part of `params`. */
static void try_member(const struct method *method, const json_t *params, json_t *object,
		       const struct member *m, const char *path)
{
	json_t *before = json_incref(json_object_get(object, m->name));
	const char *const *value;

	for (value = wrong_values(m); *value != NULL; value++) {
		json_object_set_new(object, m->name,
				    json_loads(*value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
		expect_wrong(method, params, path);
	}
	if (m->type == MEMBER_INTEGER) {
		if (m->min > INT64_MIN) {
			json_object_set_new(object, m->name, json_integer(m->min - 1));
			expect_wrong(method, params, path);
		}
		if (m->max < INT64_MAX) {
			json_object_set_new(object, m->name, json_integer(m->max + 1));
			expect_wrong(method, params, path);
		}
	}
	if (m->type == MEMBER_ARRAY || m->type == MEMBER_WORDS || m->type == MEMBER_ROWS) {
		json_t *list = json_array();
		for (int64_t i = 0; i <= m->max; i++)
			json_array_append_new(list, element(m));
		json_object_set_new(object, m->name, list);
		expect_wrong(method, params, path);
		/* One that is wrong, behind one that is right. */
		static const char *const wrong[] = {"1", "null", "{\"x\":1}", "\"sideways\""};
		for (size_t i = 0; m->type != MEMBER_ARRAY && i < 4; i++) {
			char inner[160];
			list = json_array();
			json_array_append_new(list, element(m));
			json_array_append_new(list, json_loads(wrong[i], JSON_DECODE_ANY, NULL));
			json_object_set_new(object, m->name, list);
			snprintf(inner, sizeof(inner), "%s[1]", path);
			expect_wrong(method, params, inner);
		}
	}
	if (m->type == MEMBER_STRING) {
		/* ESC, DEL, and CSI in UTF-8: nothing for a terminal. */
		static const char *const controls[] = {"a\x1b[31m", "\n", "\x7f", "a\xc2\x9b"};
		for (size_t i = 0; i < 4; i++) {
			json_object_set_new(object, m->name, json_string(controls[i]));
			expect_wrong(method, params, path);
		}
	}
	if ((m->type == MEMBER_NAME || m->type == MEMBER_STRING)) {
		char *text = calloc(1, (size_t)m->max + 2);
		memset(text, 'a', (size_t)m->max + 1);
		json_object_set_new(object, m->name, json_string(text));
		expect_wrong(method, params, path);
		free(text);
	}
	json_object_del(object, m->name);
	if (m->required)
		expect_wrong(method, params, path);
	if (before != NULL)
		json_object_set_new(object, m->name, before);
}

static void try_members(const struct method *method, const json_t *params, json_t *object,
			const struct member *members, const char *prefix)
{
	char path[128];

	for (const struct member *m = members; m->name != NULL; m++) {
		snprintf(path, sizeof(path), "%s%s", prefix, m->name);
		try_member(method, params, object, m, path);
		if (m->members == NULL)
			continue;
		bool there = json_object_get(object, m->name) != NULL;
		json_t *inner = json_object();
		if (m->type == MEMBER_OBJECT) {
			if (!there)
				json_object_set(object, m->name, inner);
			snprintf(path, sizeof(path), "%s%s.", prefix, m->name);
			try_members(method, params, json_object_get(object, m->name), m->members,
				    path);
		} else {
			json_t *list = json_array();
			json_array_append_new(list, json_object());
			json_array_append(list, inner);
			json_object_set_new(object, m->name, list);
			snprintf(path, sizeof(path), "%s%s[1].", prefix, m->name);
			try_members(method, params, inner, m->members, path);
			there = false;
		}
		json_decref(inner);
		if (!there)
			json_object_del(object, m->name);
	}
	snprintf(path, sizeof(path), "%scolour", prefix);
	json_object_set_new(object, "colour", json_string("blue"));
	expect_wrong(method, params, path);
	json_object_del(object, "colour");
}

static void each_parameter_of_each_method(void **state)
{
	(void)state;
	json_decref(result_of("sa.add", "{\"direction\":\"in\",\"spi\":4096,\"tunnel\":\"paris\","
					"\"key\":\"" KEY_A "\"}"));
	json_decref(result_of("policy.add",
			      "{\"name\":\"branch\",\"action\":\"discard\",\"selector\":"
			      "{\"remote\":\"10.9.0.0/16\"}}"));
	char *before = state_of_gateway();

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		json_t *params = json_loads(method_table[i].example, 0, NULL);
		assert_non_null(params);
		try_members(&method_table[i], params, params, method_table[i].params, "");
		json_decref(params);
	}
	char *after = state_of_gateway();
	assert_string_equal(before, after);
	free(before);
	free(after);
	print_message("%zu wrong requests\n", cases);
	assert_true(cases > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(each_parameter_of_each_method),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
