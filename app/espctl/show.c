/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "table.h"

#define TEXT_MAX 256

static void show_bytes(char *buf, size_t size, long long n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)n;
	size_t unit = 0;

	while (value >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, size, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

static void show_seconds(char *buf, size_t size, long long s)
{
	if (s < 60)
		snprintf(buf, size, "%llds", s);
	else if (s < 3600)
		snprintf(buf, size, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

static void show_integer(const struct member *m, char *buf, size_t size, long long n)
{
	switch (m->unit) {
	case UNIT_HEX:
		snprintf(buf, size, "0x%08llx", n);
		break;
	case UNIT_BYTES:
		show_bytes(buf, size, n);
		break;
	case UNIT_SECONDS:
		show_seconds(buf, size, n);
		break;
	default:
		snprintf(buf, size, "%lld", n);
	}
}

const char *show_value(const struct member *m, const json_t *value, char *buf, size_t size)
{
	if (value == NULL)
		snprintf(buf, size, "-");
	else if (json_is_boolean(value))
		snprintf(buf, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		show_integer(m, buf, size, json_integer_value(value));
	else if (json_is_string(value))
		snprintf(buf, size, "%s",
			 json_string_length(value) > 0 ? json_string_value(value) : "-");
	else
		snprintf(buf, size, "…");
	/* A terminal must not obey what somebody wrote into a name. */
	for (char *p = buf; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	return buf;
}

static bool colour;

void show_set_colour(bool on)
{
	colour = on;
}

const char *show_coloured(const char *name, const char *text, char *buf, size_t size)
{
	static const struct {
		const char *word, *sequence;
	} colours[] = {{"up", "\033[32m"},   {"live", "\033[32m"},    {"protect", "\033[32m"},
		       {"half", "\033[33m"}, {"soft", "\033[33m"},    {"held", "\033[33m"},
		       {"down", "\033[31m"}, {"expired", "\033[31m"}, {"drop", "\033[31m"}};
	bool is_state = strcmp(name, "state") == 0 || strcmp(name, "fate") == 0;

	for (size_t i = 0; colour && is_state && i < sizeof(colours) / sizeof(colours[0]); i++) {
		if (strcmp(colours[i].word, text) == 0) {
			snprintf(buf, size, "%s%s\033[0m", colours[i].sequence, text);
			return buf;
		}
	}
	snprintf(buf, size, "%s", text);
	return buf;
}

void show_json(FILE *out, const json_t *value)
{
	json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', out);
}

static bool is_container(const struct member *m)
{
	return m->type == MEMBER_OBJECT || m->type == MEMBER_ARRAY;
}

static size_t widest_name(const struct member *members, const json_t *object)
{
	size_t widest = 0;

	for (const struct member *m = members; m->name != NULL; m++)
		if (!is_container(m) && json_object_get(object, m->name) != NULL &&
		    strlen(m->name) > widest)
			widest = strlen(m->name);
	return widest;
}

static void show_object(FILE *out, const struct member *members, const json_t *object, int indent);

static bool has_columns(const struct member *members)
{
	for (const struct member *m = members; m != NULL && m->name != NULL; m++)
		if (m->column != NULL)
			return true;
	return false;
}

static void show_array(FILE *out, const struct member *m, const json_t *array, int indent)
{
	if (json_array_size(array) == 0) {
		fprintf(out, "%*s(none)\n", indent, "");
	} else if (m->members == NULL) {
		char *text = json_dumps(array, JSON_COMPACT);
		fprintf(out, "%*s%s\n", indent, "", text);
		free(text);
	} else if (has_columns(m->members)) {
		table_show(out, m->members, array, indent);
	} else {
		for (size_t i = 0; i < json_array_size(array); i++) {
			if (i > 0)
				fputc('\n', out);
			show_object(out, m->members, json_array_get(array, i), indent);
		}
	}
}

static void show_object(FILE *out, const struct member *members, const json_t *object, int indent)
{
	int width = (int)widest_name(members, object);
	char text[TEXT_MAX], coloured[TEXT_MAX + 16];

	for (const struct member *m = members; m->name != NULL; m++) {
		const json_t *value = json_object_get(object, m->name);
		if (value == NULL || is_container(m))
			continue;
		show_value(m, value, text, sizeof(text));
		fprintf(out, "%*s%-*s  %s\n", indent, "", width, m->name,
			show_coloured(m->name, text, coloured, sizeof(coloured)));
	}
	for (const struct member *m = members; m->name != NULL; m++) {
		const json_t *value = json_object_get(object, m->name);
		if (value == NULL || !is_container(m))
			continue;
		fprintf(out, "%*s%s:\n", indent, "", m->name);
		if (m->type == MEMBER_ARRAY)
			show_array(out, m, value, indent + 2);
		else
			show_object(out, m->members, value, indent + 2);
	}
}

void show_result(FILE *out, const struct member *members, const json_t *result)
{
	const struct member *items = member_find(members, "items");

	if (items == NULL || !json_is_array(json_object_get(result, "items"))) {
		show_object(out, members, result, 0);
		return;
	}
	/* The heading stands also above an empty list. */
	table_show(out, items->members, json_object_get(result, "items"), 0);
	char text[TEXT_MAX];
	for (const struct member *m = members; m->name != NULL; m++) {
		const json_t *value = json_object_get(result, m->name);
		if (m != items && value != NULL)
			fprintf(out, "%s: %s\n", m->name, show_value(m, value, text, sizeof(text)));
	}
}
