/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_BENCH_OPTIONS_H
#define ESPALIER_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct bench_options {
	bool decap, natt, esn, policy, json;
	uint16_t size; /* inner IP length */
	uint32_t sas;
	uint8_t inner, outer; /* 4 or 6 */
	double seconds;
};

/* Exits with a message on wrong usage and after --help. */
void bench_options_parse(int argc, char **argv, struct bench_options *o);

#endif
