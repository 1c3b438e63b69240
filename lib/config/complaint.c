/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/complaint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/schema.h"

static const char *after(const char *text, const char *start)
{
	size_t n = strlen(start);

	return strncmp(text, start, n) == 0 ? text + n : NULL;
}

void complaint_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct complaint *c = ctx;
	char text[256], name[COMPLAINT_NAME];
	unsigned int line;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	const char *place = after(text, "  in ");
	if (place == NULL) {
		const char *message = after(text, "Load: ");
		if (c->message[0] == '\0')
			snprintf(c->message, sizeof(c->message), "%.150s",
				 message != NULL ? message : text);
		return;
	}
	const char *at = strstr(place, "(line: ");
	if (c->line == 0 && at != NULL && sscanf(at, "(line: %u", &line) == 1)
		c->line = line;
	if (sscanf(place, "mapping field '%47[^']'", name) == 1 && c->depth < COMPLAINT_DEPTH)
		memcpy(c->key[c->depth++], name, sizeof(name));
}

/* The schema of the innermost key, found from the outermost down. */
static const cyaml_schema_value_t *find_value(const struct complaint *c)
{
	const cyaml_schema_value_t *value = &config_schema;

	for (unsigned int i = c->depth; i-- > 0;) {
		while (value->type == CYAML_SEQUENCE)
			value = value->sequence.entry;
		if (value->type != CYAML_MAPPING)
			return NULL;
		const cyaml_schema_field_t *field = schema_field(value, c->key[i]);
		if (field == NULL)
			return NULL;
		value = &field->value;
	}
	return value;
}

static const char *wanted(const char *type)
{
	if (strcmp(type, "SEQUENCE") == 0)
		return "a list";
	if (strcmp(type, "MAPPING") == 0)
		return "a mapping of keys to values";
	return "a single value";
}

int complaint_fault(const struct complaint *c, cyaml_err_t err, struct fault *fault)
{
	const char *key = c->depth > 0 ? c->key[0] : "the file", *rest;
	const cyaml_schema_value_t *value = find_value(c);
	char where[32], words[128], type[16];

	snprintf(where, sizeof(where), "line %u", c->line == 0 ? 1 : c->line);
	if (err == CYAML_ERR_OOM)
		return fault_set(fault, ENOMEM, "", "out of memory");
	rest = after(c->message, "Invalid ENUM value: ");
	if (rest != NULL && value != NULL && value->type == CYAML_ENUM)
		return fault_set(fault, EINVAL, where, "%s is \"%.60s\"; %s is needed", key, rest,
				 schema_words(value, words, sizeof(words)));
	rest = after(c->message, "Mapping field already seen: ");
	if (rest != NULL)
		return fault_set(fault, EINVAL, where,
				 "%s stands a second time in one mapping; leave one", rest);
	if (sscanf(c->message, "Expecting %15[A-Z_0-9], got", type) == 1) {
		if (value != NULL && value->type == CYAML_SEQUENCE && strcmp(type, "SEQUENCE") != 0)
			return fault_set(fault, EINVAL, where, "an entry of %s must be %s", key,
					 wanted(type));
		return fault_set(fault, EINVAL, where, "%s must be %s", key, wanted(type));
	}
	return fault_set(fault, EINVAL, where, "%s: %s", key,
			 c->message[0] != '\0' ? c->message : cyaml_strerror(err));
}
