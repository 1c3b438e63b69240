/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 32

/* Levenshtein's distance of two words, or KEY_MAX where one is too long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[KEY_MAX + 1], na = strlen(a), nb = strlen(b);

	if (na > KEY_MAX || nb > KEY_MAX)
		return KEY_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *nearest_key(const cyaml_schema_value_t *mapping, const char *key, char *buf,
			size_t size)
{
	const cyaml_schema_field_t *best = NULL;
	size_t best_distance = strlen(key) > 5 ? 3 : 2;

	for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key != NULL; f++) {
		size_t d = distance(key, f->key);
		if (d <= best_distance && (best == NULL || d < best_distance)) {
			best = f;
			best_distance = d;
		}
	}
	if (best != NULL) {
		snprintf(buf, size, "did you mean %s?", best->key);
		return buf;
	}
	size_t at = (size_t)snprintf(buf, size, "known here:");
	for (const cyaml_schema_field_t *f = mapping->mapping.fields; f->key != NULL && at < size;
	     f++)
		at += (size_t)snprintf(buf + at, size - at, "%s %s",
				       f == mapping->mapping.fields ? "" : ",", f->key);
	return buf;
}
