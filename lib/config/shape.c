/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/shape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "config/nearest.h"
#include "config/schema.h"

#define DEPTH_MAX 16

struct level {
	const cyaml_schema_value_t *schema; /* NULL: not our shape, libcyaml will say so */
	const cyaml_schema_value_t *value;  /* of a mapping: what the key just read wants */
	const char *key;
	bool mapping, at_value;
};

struct walk {
	struct level level[DEPTH_MAX];
	size_t depth;
	unsigned int documents;
	struct fault *fault;
};

static int fault_at(struct walk *w, const yaml_mark_t *mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fault_at(struct walk *w, const yaml_mark_t *mark, const char *fmt, ...)
{
	char where[32], what[256];
	va_list ap;

	snprintf(where, sizeof(where), "line %zu", mark->line + 1);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return fault_set(w->fault, EINVAL, where, "%s", what);
}

static struct level *top_level(struct walk *w)
{
	return w->depth > 0 ? &w->level[w->depth - 1] : NULL;
}

/* The schema that the next value must have; moves a mapping on to its next key. */
static const cyaml_schema_value_t *take_value(struct walk *w, const char **key)
{
	struct level *l = top_level(w);

	*key = "";
	if (l == NULL)
		return &config_schema;
	if (l->mapping) {
		l->at_value = false;
		*key = l->key;
		return l->value;
	}
	*key = l->key;
	return l->schema != NULL ? l->schema->sequence.entry : NULL;
}

static bool expects_key(struct walk *w)
{
	struct level *l = top_level(w);

	return l != NULL && l->mapping && !l->at_value;
}

static int take_key(struct walk *w, const char *key, const yaml_mark_t *mark)
{
	struct level *l = top_level(w);

	l->at_value = true;
	l->value = NULL;
	l->key = "";
	if (l->schema == NULL)
		return 0;
	const cyaml_schema_field_t *field = schema_field(l->schema, key);
	if (field == NULL) {
		char hint[192];
		return fault_at(w, mark, "unknown key \"%.40s\"; %s", key,
				nearest_key(l->schema, key, hint, sizeof(hint)));
	}
	l->value = &field->value;
	l->key = field->key;
	return 0;
}

/* "0", "1500", "0x1000": what libcyaml's strtoull() reads the way a human does. */
static bool is_number(const char *text)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		size_t n = strspn(text + 2, "0123456789abcdefABCDEF");
		return n > 0 && n <= 16 && text[2 + n] == '\0';
	}
	size_t n = strspn(text, "0123456789");
	return n > 0 && n < 20 && text[n] == '\0' && (text[0] != '0' || n == 1);
}

static int take_scalar(struct walk *w, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value, *key;

	if (expects_key(w))
		return take_key(w, text, &event->start_mark);
	const cyaml_schema_value_t *value = take_value(w, &key);
	if (value != NULL && value->type == CYAML_UINT && !is_number(text))
		return fault_at(w, &event->start_mark,
				"%s is \"%.60s\"; a whole number in decimal, or in hexadecimal "
				"after 0x, is needed",
				key, text);
	return 0;
}

static int push(struct walk *w, bool mapping, const yaml_mark_t *mark)
{
	const char *key;

	if (expects_key(w))
		return fault_at(w, mark, "a key must be a plain word");
	const cyaml_schema_value_t *value = take_value(w, &key);
	if (w->depth == DEPTH_MAX)
		return fault_at(w, mark, "nested deeper than %u levels", DEPTH_MAX);
	bool fits = value != NULL && value->type == (mapping ? CYAML_MAPPING : CYAML_SEQUENCE);
	w->level[w->depth++] =
	    (struct level){.schema = fits ? value : NULL, .mapping = mapping, .key = key};
	return 0;
}

static int take_event(struct walk *w, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (w->documents++ > 0)
			return fault_at(
			    w, &event->start_mark,
			    "a second YAML document begins here; one file is one document");
		return 0;
	case YAML_ALIAS_EVENT:
		return fault_at(w, &event->start_mark,
				"aliases (*%.40s) are not supported; write the value out",
				(const char *)event->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return take_scalar(w, event);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return push(w, event->type == YAML_MAPPING_START_EVENT, &event->start_mark);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		w->depth--;
		return 0;
	default:
		return 0;
	}
}

int config_shape_check(const char *text, size_t len, struct fault *fault)
{
	struct walk w = {.fault = fault};
	yaml_parser_t parser;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return fault_set(fault, ENOMEM, "", "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	for (bool end = false; !end && err == 0;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			err = fault_at(&w, &parser.problem_mark, "YAML syntax: %s%s%s",
				       parser.context != NULL ? parser.context : "",
				       parser.context != NULL ? ", " : "",
				       parser.problem != NULL ? parser.problem : "out of memory");
			break;
		}
		err = take_event(&w, &event);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return err;
}
