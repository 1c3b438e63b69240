/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <string.h>

#include "control/expect_result.h"
#include "control/selector_json.h"

static bool is_word_of(const char *text, const char *words)
{
	const char *found = words;
	size_t len = strlen(text);

	while ((found = strstr(found, text)) != NULL) {
		if ((found == words || found[-1] == ' ') && (found[len] == ' ' || found[len] == 0))
			return true;
		found += len;
	}
	return false;
}

static bool is_right(const struct member *m, const json_t *value)
{
	const char *text = json_string_value(value);
	struct ip_addr first, last;
	uint16_t a, b;
	uint8_t proto;

	switch (m->type) {
	case MEMBER_BOOLEAN:
		return json_is_boolean(value);
	case MEMBER_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case MEMBER_ENUM:
		return text != NULL && is_word_of(text, m->values);
	case MEMBER_NAME:
		return text != NULL && text[0] != '\0';
	case MEMBER_STRING:
		return text != NULL;
	case MEMBER_ADDRESS:
		return text != NULL && ip_addr_parse(text, &first) == 0;
	case MEMBER_RANGE:
		return text != NULL && ip_range_parse(text, 4, &first, &last) == 0;
	case MEMBER_PORTS:
		return ports_from_json(value, &a, &b) == 0;
	case MEMBER_PROTOCOL:
		return protocol_from_json(value, &proto) == 0;
	case MEMBER_OBJECT:
		return json_is_object(value);
	case MEMBER_ARRAY:
	case MEMBER_WORDS:
		return json_is_array(value);
	default:
		return false; /* no result is a key */
	}
}

static void expect_one(const char *method, const struct member *m, const char *path,
		       const json_t *value)
{
	json_t *item;
	size_t i;

	if (!is_right(m, value))
		fail_msg("%s: %s is not as documented: %s", method, path,
			 json_dumps(value, JSON_ENCODE_ANY));
	if (m->type == MEMBER_OBJECT)
		expect_result(method, m->members, path, value);
	if (m->type == MEMBER_ARRAY && m->members != NULL)
		json_array_foreach ((json_t *)(uintptr_t)value, i, item)
			expect_result(method, m->members, path, item);
	if (m->type == MEMBER_WORDS)
		json_array_foreach ((json_t *)(uintptr_t)value, i, item)
			assert_true(is_word_of(json_string_value(item), m->values));
}

void expect_result(const char *method, const struct member *members, const char *path,
		   const json_t *result)
{
	char inner[256];
	const char *name;
	json_t *value;

	assert_true(json_is_object(result));
	json_object_foreach ((json_t *)(uintptr_t)result, name, value) {
		const struct member *m = member_find(members, name);
		snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] != '\0' ? "." : "", name);
		if (m == NULL)
			fail_msg("%s: %s is not documented", method, inner);
		expect_one(method, m, inner, value);
	}
}
