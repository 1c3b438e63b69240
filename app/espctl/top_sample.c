/* SPDX-License-Identifier: BSD-3-Clause */
#include "top_sample.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sample_free(struct sample *s)
{
	json_decref(s->tunnels);
	json_decref(s->counters);
	json_decref(s->drops);
	json_decref(s->ports);
	*s = (struct sample){0};
}

double sample_number(const json_t *object, const char *path)
{
	char name[64];
	const char *dot = strchr(path, '.');

	if (dot == NULL)
		return (double)json_integer_value(json_object_get(object, path));
	snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
	return sample_number(json_object_get(object, name), dot + 1);
}

double sample_rate(const json_t *now, const json_t *before, const char *path, double seconds)
{
	double grown = sample_number(now, path) - sample_number(before, path);

	return before != NULL && seconds > 0 && grown > 0 ? grown / seconds : 0;
}

const json_t *sample_find(const json_t *array, const char *name, const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)array, i, item)
		if (json_equal(json_object_get(item, name), value))
			return item;
	return NULL;
}

const char *sample_text(double n, char *buf, size_t size)
{
	static const char units[] = "kMGTPE";
	const char *unit = units;

	if (n < 999.5) {
		snprintf(buf, size, "%.0f", n);
		return buf;
	}
	n /= 1000;
	while (n >= 999.5 && unit[1] != '\0') {
		n /= 1000;
		unit++;
	}
	snprintf(buf, size, n < 99.95 ? "%.1f%c" : "%.0f%c", n, *unit);
	return buf;
}

const char *sample_fit(const char *text, int width, char *buf, size_t size)
{
	int want = width < 0 ? -width : width, columns = 0;
	size_t end = 0;

	while (text[end] != '\0' && (columns < want || (text[end] & 0xc0) == 0x80)) {
		columns += (text[end] & 0xc0) != 0x80;
		end++;
	}
	int pad = want - columns;
	if (width < 0)
		snprintf(buf, size, "%*s%.*s", pad, "", (int)end, text);
	else
		snprintf(buf, size, "%.*s%*s", (int)end, text, pad, "");
	return buf;
}
