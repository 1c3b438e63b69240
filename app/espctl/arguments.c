/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "control/describe.h"
#include "control/wipe.h"

#define INPUT_MAX (1U << 20)

/* All of a file, "-" for standard input, to be given to wipe_free(). NULL after saying why. */
static char *read_input(const char *name)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	char *text = f != NULL ? wipe_malloc(INPUT_MAX + 1) : NULL;

	if (text == NULL) {
		fprintf(stderr, "espctl: %s: %s\n", name, strerror(errno));
		if (f != NULL && f != stdin)
			fclose(f);
		return NULL;
	}
	/* No copy of a key in a buffer of stdio. */
	setvbuf(f, NULL, _IONBF, 0);
	size_t len = fread(text, 1, INPUT_MAX + 1, f);
	bool failed = ferror(f) != 0 || len > INPUT_MAX;
	if (f != stdin)
		fclose(f);
	if (failed) {
		fprintf(stderr, "espctl: %s: cannot be read, or is longer than 1 MiB\n", name);
		wipe_free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

json_t *arguments_json(const char *text)
{
	char *input = NULL;
	json_error_t wrong;

	if (strcmp(text, "-") == 0) {
		text = input = read_input("-");
		if (text == NULL)
			return NULL;
	}
	json_t *params = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
	if (params == NULL)
		fprintf(stderr, "espctl: the parameters are no JSON object: line %d, column %d\n",
			wrong.line, wrong.column);
	explicit_bzero(&wrong, sizeof(wrong));
	wipe_free(input);
	return params;
}

static json_t *key_value(const char *text)
{
	if (text[0] != '@')
		return json_string(text);
	char *input = read_input(text + 1);
	if (input == NULL)
		return NULL;
	input[strcspn(input, " \t\r\n")] = '\0';
	json_t *value = json_string(input);
	wipe_free(input);
	return value;
}

static json_t *boolean_value(const char *text)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0)
			return json_true();
		if (strcmp(text, no[i]) == 0)
			return json_false();
	}
	return NULL;
}

static json_t *integer_value(const char *text)
{
	char *end;

	errno = 0;
	long long n = strtoll(text, &end, 0);
	return *text != '\0' && *end == '\0' && errno == 0 ? json_integer(n) : NULL;
}

/* "sa.soft,acquire" */
static json_t *words_value(const char *text)
{
	json_t *words = json_array();

	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		json_array_append_new(words, json_stringn(text, len));
		text += len + (text[len] == ',');
	}
	return words;
}

static json_t *value_of(const struct member *m, const char *text)
{
	switch (m->type) {
	case MEMBER_BOOLEAN:
		return boolean_value(text);
	case MEMBER_INTEGER:
		return integer_value(text);
	case MEMBER_KEY:
		return key_value(text);
	case MEMBER_WORDS:
		return text[0] == '[' ? json_loads(text, JSON_REJECT_DUPLICATES, NULL)
				      : words_value(text);
	case MEMBER_OBJECT:
	case MEMBER_ARRAY:
	case MEMBER_ROWS:
		return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	default:
		return json_string(text);
	}
}

static bool unknown(const struct member *members, const char *name, size_t len)
{
	fprintf(stderr, "espctl: there is no parameter \"%.*s\"; there are:", (int)len, name);
	for (const struct member *m = members; m->name != NULL; m++)
		fprintf(stderr, " %s", m->name);
	fputc('\n', stderr);
	return false;
}

static bool set_value(json_t *object, const struct member *m, const char *text)
{
	char allowed[DESCRIBE_MAX];

	if (json_object_get(object, m->name) != NULL) {
		fprintf(stderr, "espctl: %s is given twice\n", m->name);
		return false;
	}
	json_t *value = value_of(m, text);
	if (value == NULL) {
		if (m->type != MEMBER_KEY)
			fprintf(stderr, "espctl: %s=%s: must be %s\n", m->name, text,
				member_describe(m, allowed, sizeof(allowed)));
		return false;
	}
	return json_object_set_new(object, m->name, value) == 0;
}

/* The object at `index` of an array; indexes begin at 0 and leave no gap. */
static json_t *element(json_t *array, const char *index, const char **rest)
{
	char *end;
	unsigned long i = strtoul(index, &end, 10);

	if (!isdigit((unsigned char)index[0]) || *end != '.' || i > json_array_size(array)) {
		fprintf(stderr, "espctl: \"%s\" is not NUMBER.NAME with numbers from 0 on\n",
			index);
		return NULL;
	}
	if (i == json_array_size(array))
		json_array_append_new(array, json_object());
	*rest = end + 1;
	return json_array_get(array, i);
}

static bool set_path(json_t *object, const struct member *members, const char *path,
		     const char *text)
{
	size_t len = strcspn(path, ".=");
	const struct member *m = members;

	while (m->name != NULL && (strncmp(m->name, path, len) != 0 || m->name[len] != '\0'))
		m++;
	if (m->name == NULL)
		return unknown(members, path, len);
	if (path[len] != '.')
		return set_value(object, m, text);
	if (m->members == NULL)
		return unknown(members, path, strcspn(path, "="));
	const char *rest = path + len + 1;
	json_t *inner = json_object_get(object, m->name);
	if (inner == NULL) {
		inner = m->type == MEMBER_ARRAY ? json_array() : json_object();
		json_object_set_new(object, m->name, inner);
	}
	if (m->type == MEMBER_ARRAY)
		inner = element(inner, rest, &rest);
	return inner != NULL && set_path(inner, m->members, rest, text);
}

static bool set_word(json_t *object, const struct method *method, const char *word, int *place)
{
	const char *equal = strchr(word, '=');

	if (equal != NULL)
		return set_path(object, method->params, word, equal + 1);
	const struct member *m = method->params;
	for (int i = 0; i < *place && m->name != NULL; i++)
		m++;
	if (m->name == NULL) {
		fprintf(stderr, "espctl: %s takes no more parameters than before \"%s\"\n",
			method->name, word);
		return false;
	}
	(*place)++;
	return set_value(object, m, word);
}

json_t *arguments_read(const struct method *method, char *const *words, int count)
{
	json_t *object = json_object();
	int place = 0;

	for (int i = 0; i < count; i++) {
		if (!set_word(object, method, words[i], &place)) {
			json_decref(object);
			return NULL;
		}
	}
	for (const struct member *m = method->params; m->name != NULL; m++) {
		if (m->required && json_object_get(object, m->name) == NULL) {
			fprintf(stderr, "espctl: %s needs %s=…; --help tells more\n", method->name,
				m->name);
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
