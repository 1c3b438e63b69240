/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_ESPCTL_TOP_SAMPLE_H
#define ESPALIER_ESPCTL_TOP_SAMPLE_H

#include <jansson.h>
#include <stddef.h>

/* What a gateway had counted at one moment. */
struct sample {
	double time; /* seconds of a clock that only grows */
	json_t *tunnels, *counters, *drops, *ports;
};

void sample_free(struct sample *s);

/* A number at a path such as "totals.bytes_in"; 0 where there is none. */
double sample_number(const json_t *object, const char *path);

/* What has grown in a second; 0 where it has not (a gateway that was restarted). */
double sample_rate(const json_t *now, const json_t *before, const char *path, double seconds);

/* The element of an array whose member `name` is that text or number; NULL: none. */
const json_t *sample_find(const json_t *array, const char *name, const json_t *value);

/* "999", "1.2k", "34.5M", "1.0G": at most five characters below 1,000 T. Returns buf. */
const char *sample_text(double n, char *buf, size_t size);

/* `text` cut or filled to `width` columns, UTF-8 characters whole; negative: to the right. */
const char *sample_fit(const char *text, int width, char *buf, size_t size);

#endif
