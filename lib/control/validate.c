/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/describe.h"
#include "control/selector_json.h"
#include "control/validate.h"

#define PATH_MAX_SHOWN 96

void blot_keys(char *text)
{
	for (char *p = text; *p != '\0';) {
		size_t run = strspn(p, "0123456789abcdefABCDEF");
		if (run >= 32)
			memset(p, '*', run);
		p += run > 0 ? run : 1;
	}
}

/* The wrong value as JSON, shortened; nothing of containers and keys. */
static void show_value(const struct member *m, const json_t *value, char *buf, size_t size)
{
	if (m->type == MEMBER_KEY || json_is_object(value) || json_is_array(value))
		return;
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	if (text == NULL)
		return;
	/* Before it is shortened, or a part of a key would no longer look like one. */
	blot_keys(text);
	if (strlen(text) < size)
		memcpy(buf, text, strlen(text) + 1);
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(text);
}

int validate_fail(const struct member *m, const char *path, const json_t *value,
		  struct rpc_error *error)
{
	member_describe(m, error->limit, sizeof(error->limit));
	show_value(m, value, error->value, sizeof(error->value));
	error->code = RPC_INVALID_PARAMS;
	if (error->value[0] == '\0')
		return fault_set(&error->fault, EINVAL, path, "%s must be %s", path, error->limit);
	return fault_set(&error->fault, EINVAL, path, "%s is %s; it must be %s", path, error->value,
			 error->limit);
}

/* What disturbs a log or a terminal: the controls of ASCII, and of ISO 8859-1 in UTF-8. */
static bool has_controls(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return true;
	return false;
}

static bool is_name(const char *text, int64_t max)
{
	size_t len = strlen(text);

	if (len == 0 || len > (size_t)max || !isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("._-:@+", text[i]) == NULL)
			return false;
	return true;
}

static bool is_word_of(const char *text, const char *words)
{
	size_t len = strlen(text);

	for (const char *w = words; *w != '\0';) {
		size_t next = strcspn(w, " ");
		if (next == len && memcmp(w, text, len) == 0)
			return true;
		w += next + (w[next] == ' ');
	}
	return false;
}

static bool is_key(const char *text)
{
	size_t len = strlen(text);

	return (len == 40 || len == 72) && strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool is_right_text(const struct member *m, const char *text)
{
	struct ip_addr a, b;

	switch (m->type) {
	case MEMBER_STRING:
		return strlen(text) <= (size_t)m->max && !has_controls(text);
	case MEMBER_NAME:
		return is_name(text, m->max);
	case MEMBER_ENUM:
		return is_word_of(text, m->values);
	case MEMBER_ADDRESS:
		return ip_addr_parse(text, &a) == 0;
	case MEMBER_RANGE:
		return ip_range_parse(text, 4, &a, &b) == 0;
	case MEMBER_KEY:
		return is_key(text);
	default:
		return false;
	}
}

bool validate_scalar(const struct member *m, const json_t *value)
{
	uint16_t first, last;
	uint8_t proto;

	switch (m->type) {
	case MEMBER_BOOLEAN:
		return json_is_boolean(value);
	case MEMBER_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= m->min &&
		       json_integer_value(value) <= m->max;
	case MEMBER_PORTS:
		return ports_from_json(value, &first, &last) == 0;
	case MEMBER_PROTOCOL:
		return protocol_from_json(value, &proto) == 0;
	default:
		return json_is_string(value) && is_right_text(m, json_string_value(value));
	}
}

static bool is_container(const struct member *m)
{
	return m->type == MEMBER_OBJECT || m->type == MEMBER_ARRAY || m->type == MEMBER_WORDS ||
	       m->type == MEMBER_ROWS;
}

static int validate_object(const struct member *members, const json_t *object, const char *path,
			   struct rpc_error *error);

static int validate_array(const struct member *m, const json_t *value, const char *path,
			  struct rpc_error *error)
{
	if (!json_is_array(value) || json_array_size(value) > (size_t)m->max)
		return validate_fail(m, path, value, error);
	for (size_t i = 0; i < json_array_size(value); i++) {
		char inner[PATH_MAX_SHOWN];
		const json_t *item = json_array_get(value, i);
		snprintf(inner, sizeof(inner), "%.60s[%zu]", path, i);
		if (!json_is_object(item)) {
			struct member one = {.name = m->name, .type = MEMBER_OBJECT};
			return validate_fail(&one, inner, item, error);
		}
		int rc = validate_object(m->members, item, inner, error);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int validate_words(const struct member *m, const json_t *value, const char *path,
			  struct rpc_error *error)
{
	if (!json_is_array(value) || json_array_size(value) > (size_t)m->max)
		return validate_fail(m, path, value, error);
	for (size_t i = 0; i < json_array_size(value); i++) {
		char inner[PATH_MAX_SHOWN];
		const json_t *item = json_array_get(value, i);
		const struct member one = {.type = MEMBER_ENUM, .values = m->values};
		snprintf(inner, sizeof(inner), "%.60s[%zu]", path, i);
		if (!validate_scalar(&one, item))
			return validate_fail(&one, inner, item, error);
	}
	return 0;
}

static int validate_rows(const struct member *m, const json_t *value, const char *path,
			 struct rpc_error *error)
{
	if (!json_is_array(value) || json_array_size(value) > (size_t)m->max)
		return validate_fail(m, path, value, error);
	for (size_t i = 0; i < json_array_size(value); i++) {
		char inner[PATH_MAX_SHOWN];
		if (json_is_array(json_array_get(value, i)))
			continue;
		snprintf(inner, sizeof(inner), "%.60s[%zu]", path, i);
		error->code = RPC_INVALID_PARAMS;
		return fault_set(&error->fault, EINVAL, inner, "%s must be an array of values",
				 inner);
	}
	return 0;
}

static int validate_member(const struct member *m, const json_t *value, const char *path,
			   struct rpc_error *error)
{
	switch (m->type) {
	case MEMBER_OBJECT:
		if (!json_is_object(value))
			return validate_fail(m, path, value, error);
		return validate_object(m->members, value, path, error);
	case MEMBER_ARRAY:
		return validate_array(m, value, path, error);
	case MEMBER_WORDS:
		return validate_words(m, value, path, error);
	case MEMBER_ROWS:
		return validate_rows(m, value, path, error);
	default:
		return validate_scalar(m, value) ? 0 : validate_fail(m, path, value, error);
	}
}

static int unknown(const struct member *members, const char *path, struct rpc_error *error)
{
	size_t at = 0;

	for (const struct member *m = members; m->name != NULL && at < sizeof(error->limit); m++)
		at += (size_t)snprintf(error->limit + at, sizeof(error->limit) - at, "%s%s",
				       at > 0 ? ", " : "", m->name);
	error->code = RPC_INVALID_PARAMS;
	return fault_set(&error->fault, EINVAL, path, "%s is unknown; %s%s", path,
			 at > 0 ? "there are " : "there are no parameters", error->limit);
}

static int validate_object(const struct member *members, const json_t *object, const char *path,
			   struct rpc_error *error)
{
	const char *dot = path[0] != '\0' ? "." : "";
	char inner[PATH_MAX_SHOWN];
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
		const struct member *m = member_find(members, name);
		/* A path is made only for what is wrong or has an inside. */
		if (m != NULL && !is_container(m) && validate_scalar(m, value))
			continue;
		snprintf(inner, sizeof(inner), "%.60s%s%.32s", path, dot, name);
		int rc = m != NULL ? validate_member(m, value, inner, error)
				   : unknown(members, inner, error);
		if (rc != 0)
			return rc;
	}
	for (const struct member *m = members; m->name != NULL; m++) {
		if (!m->required || json_object_get(object, m->name) != NULL)
			continue;
		snprintf(inner, sizeof(inner), "%.60s%s%s", path, dot, m->name);
		member_describe(m, error->limit, sizeof(error->limit));
		error->code = RPC_INVALID_PARAMS;
		return fault_set(&error->fault, EINVAL, inner, "%s is missing; it must be %s",
				 inner, error->limit);
	}
	return 0;
}

int validate_params(const struct member *members, const json_t *params, struct rpc_error *error)
{
	return validate_object(members, params, "", error);
}
