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

#include "config/config.h"
#include "config/keys.h"
#include "config/schema.h"

/* The table of keys, the schema, docs/config.md and conf/espalier.yaml say the same. */

static const char *source_root;

static char *read_file(const char *name)
{
	char path[512];
	char *text = calloc(1, 1 << 20);

	snprintf(path, sizeof(path), "%s/%s", source_root, name);
	FILE *f = fopen(path, "r");
	if (f == NULL || text == NULL)
		fail_msg("%s cannot be read", path);
	if (fread(text, 1, (1 << 20) - 1, f) == 0)
		fail_msg("%s is empty", path);
	fclose(f);
	return text;
}

static enum key_type type_of(const cyaml_schema_value_t *value)
{
	switch (value->type) {
	case CYAML_MAPPING:
		return KEY_SECTION;
	case CYAML_SEQUENCE:
		return KEY_LIST;
	case CYAML_UINT:
		return KEY_NUMBER;
	case CYAML_ENUM:
		return KEY_WORD;
	default:
		return KEY_TEXT;
	}
}

static void test_table_in_schema(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		const cyaml_schema_value_t *value = schema_find(key->path);
		if (value == NULL)
			fail_msg("%s is in the table but not in the schema", key->path);
		if (type_of(value) != key->type)
			fail_msg("%s is of another type in the schema", key->path);
		assert_true(key->min <= key->max);
		if (key->type == KEY_NUMBER && key->fallback != NULL &&
		    strspn(key->fallback, "0123456789") == strlen(key->fallback))
			assert_in_range(strtoull(key->fallback, NULL, 10), key->min, key->max);
	}
}

static size_t walk_schema(const cyaml_schema_value_t *mapping, const char *prefix)
{
	size_t count = 0;

	for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key != NULL; f++) {
		const cyaml_schema_value_t *value = &f->value;
		char path[128], inner[136];
		snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
			 f->key);
		assert_string_equal(config_key_find(path)->path, path);
		count++;
		snprintf(inner, sizeof(inner), "%s", path);
		if (value->type == CYAML_SEQUENCE) {
			value = value->sequence.entry;
			snprintf(inner, sizeof(inner), "%s[]", path);
		}
		if (value->type == CYAML_MAPPING)
			count += walk_schema(value, inner);
	}
	return count;
}

static void test_schema_in_table(void **state)
{
	(void)state;
	assert_int_equal(walk_schema(&config_schema, ""), config_keys_count);
}

static void test_reference_is_fresh(void **state)
{
	char *stored = read_file("docs/config.md");
	char name[] = "/tmp/espalier-reference-XXXXXX";
	static char printed[1 << 20];
	int fd = mkstemp(name), out = dup(STDOUT_FILENO);

	(void)state;
	assert_true(fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	config_print_reference();
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	ssize_t n = pread(fd, printed, sizeof(printed) - 1, 0);
	close(fd);
	unlink(name);
	assert_true(n > 0);
	if (strcmp(stored, printed) != 0)
		fail_msg("docs/config.md is stale: "
			 "espalierd --print-config-reference > docs/config.md");
	free(stored);
}

static void test_example_has_every_key(void **state)
{
	char *text = read_file("conf/espalier.yaml");

	(void)state;
	for (size_t i = 0; i < config_keys_count; i++) {
		const char *last = strrchr(config_keys[i].path, '.');
		char wanted[64];
		snprintf(wanted, sizeof(wanted),
			 " %s:", last != NULL ? last + 1 : config_keys[i].path);
		wanted[0] = last != NULL ? ' ' : '\n';
		if (strstr(text, wanted) == NULL)
			fail_msg("conf/espalier.yaml lacks %s", config_keys[i].path);
	}
	free(text);
}

static void test_examples_are_valid(void **state)
{
	static const char *const names[] = {"conf/espalier.yaml", "conf/minimal.yaml"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = read_file(names[i]);
		struct config *config = NULL;
		struct fault fault = {0};
		if (config_parse(text, strlen(text), &config, &fault) != 0)
			fail_msg("%s: %s: %s", names[i], fault.where, fault.what);
		config_free(config);
		free(text);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_in_schema),    cmocka_unit_test(test_schema_in_table),
	    cmocka_unit_test(test_reference_is_fresh), cmocka_unit_test(test_example_has_every_key),
	    cmocka_unit_test(test_examples_are_valid),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOURCE_ROOT\n", argv[0]);
		return 2;
	}
	source_root = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
