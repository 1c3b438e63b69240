/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "config/keys.h"
#include "config/schema.h"

static void print_type(const struct config_key *key)
{
	char words[128];

	switch (key->type) {
	case KEY_SECTION:
		printf("section");
		break;
	case KEY_LIST:
		printf("list");
		if (key->max != 0)
			printf(" of %lu to %lu", key->min, key->max);
		break;
	case KEY_TEXT:
		printf("text");
		break;
	case KEY_NUMBER:
		printf("%lu to %lu", key->min, key->max);
		break;
	case KEY_WORD:
		printf("%s", schema_words(schema_find(key->path), words, sizeof(words)));
		break;
	}
}

void config_print_reference(void)
{
	printf("# Configuration\n\n"
	       "espalierd reads one YAML file. Unknown keys, wrong types and values out of range "
	       "end the start with\nexit status 2 and a sentence that says where and what would be "
	       "right; `espalierd --check --config FILE`\nonly checks. `[]` is an entry of a list. "
	       "A key without a default must be there wherever its section\nor list entry is. "
	       "This page is printed by `espalierd --print-config-reference`.\n\n"
	       "| key | value | default | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *key = &config_keys[i];
		printf("| `%s` | ", key->path);
		print_type(key);
		printf(" | %s | %s |\n", key->fallback == NULL ? "**needed**" : key->fallback,
		       key->meaning);
	}
}
