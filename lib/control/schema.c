/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/schema.h"

#define PORTS_PATTERN "^(any|[0-9]{1,5}(-[0-9]{1,5})?)$"

static json_t *words_schema(const char *words)
{
	json_t *list = json_array();

	for (const char *w = words; *w != '\0';) {
		size_t len = strcspn(w, " ");
		json_array_append_new(list, json_stringn(w, len));
		w += len + (w[len] == ' ');
	}
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *integer_schema(const struct member *m)
{
	json_t *schema = json_pack("{s:s}", "type", "integer");

	if (m->min < m->max) {
		json_object_set_new(schema, "minimum", json_integer(m->min));
		json_object_set_new(schema, "maximum", json_integer(m->max));
	}
	return schema;
}

static json_t *text_schema(const char *pattern, int64_t max)
{
	json_t *schema = json_pack("{s:s}", "type", "string");

	if (pattern != NULL)
		json_object_set_new(schema, "pattern", json_string(pattern));
	if (max > 0)
		json_object_set_new(schema, "maxLength", json_integer(max));
	return schema;
}

static json_t *array_schema(const struct member *m, bool strict)
{
	json_t *items = m->members != NULL ? object_schema(m->members, strict)
					   : json_pack("{s:s}", "type", "integer");
	json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", items);

	if (m->max > 0)
		json_object_set_new(schema, "maxItems", json_integer(m->max));
	return schema;
}

static json_t *typed_schema(const struct member *m, bool strict)
{
	switch (m->type) {
	case MEMBER_BOOLEAN:
		return json_pack("{s:s}", "type", "boolean");
	case MEMBER_INTEGER:
		return integer_schema(m);
	case MEMBER_STRING:
	case MEMBER_RANGE:
		return text_schema(NULL, m->max);
	case MEMBER_NAME:
		return text_schema("^[A-Za-z0-9][A-Za-z0-9._:@+-]*$", m->max);
	case MEMBER_ENUM:
		return words_schema(m->values);
	case MEMBER_ADDRESS:
		return json_pack("{s:[{s:s, s:s}, {s:s, s:s}]}", "anyOf", "type", "string",
				 "format", "ipv4", "type", "string", "format", "ipv6");
	case MEMBER_PORTS:
		return json_pack("{s:[{s:s, s:s}, {s:s, s:i, s:i}]}", "anyOf", "type", "string",
				 "pattern", PORTS_PATTERN, "type", "integer", "minimum", 0,
				 "maximum", 65535);
	case MEMBER_PROTOCOL:
		return json_pack("{s:[{s:s}, {s:s, s:i, s:i}]}", "anyOf", "type", "string", "type",
				 "integer", "minimum", 1, "maximum", 255);
	case MEMBER_KEY:
		return text_schema("^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{72})$", 72);
	case MEMBER_OBJECT:
		return object_schema(m->members, strict);
	case MEMBER_ARRAY:
		return array_schema(m, strict);
	case MEMBER_WORDS:
		return json_pack("{s:s, s:o, s:I}", "type", "array", "items",
				 words_schema(m->values), "maxItems", (json_int_t)m->max);
	case MEMBER_ROWS:
		return json_pack("{s:s, s:{s:s}, s:I}", "type", "array", "items", "type", "array",
				 "maxItems", (json_int_t)m->max);
	}
	return json_object();
}

json_t *member_schema(const struct member *m, bool strict)
{
	json_t *schema = typed_schema(m, strict);

	json_object_set_new(schema, "description", json_string(m->help));
	if (m->initial != NULL) {
		bool literal = m->type == MEMBER_BOOLEAN || m->type == MEMBER_INTEGER;
		json_object_set_new(schema, "default",
				    literal ? json_loads(m->initial, JSON_DECODE_ANY, NULL)
					    : json_string(m->initial));
	}
	return schema;
}

json_t *object_schema(const struct member *members, bool strict)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct member *m = members; m->name != NULL; m++) {
		json_object_set_new(properties, m->name, member_schema(m, strict));
		if (m->required)
			json_array_append_new(required, json_string(m->name));
	}
	json_t *schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(required);
	if (strict)
		json_object_set_new(schema, "additionalProperties", json_false());
	return schema;
}
