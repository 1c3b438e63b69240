/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 48 /* IPv6 and UDP headers */
#define SIZE_MAX_INNER 9000
#define SAS_MAX 1000000

static const char help[] =
    "usage: datapath --direction encap|decap [options]\n"
    "\n"
    "Runs a worker's own steps, from parsing a frame to its being ready to transmit, on\n"
    "256 packets in memory, and raw AEAD calls on the same buffers in the same run.\n"
    "\n"
    "  --direction encap|decap   which way (default encap)\n"
    "  --size N                  inner IP length, 48 to 9000 (default 64)\n"
    "  --sas N                   SAs, a new one each packet, 1 to 1000000 (default 1)\n"
    "  --natt                    ESP in UDP\n"
    "  --no-esn                  32-bit sequence numbers\n"
    "  --inner v4|v6             inner family (default v4)\n"
    "  --outer v4|v6             outer family (default v4)\n"
    "  --policy                  choose the tunnel by policy and flow cache, not by route\n"
    "  --seconds S               how long to measure (default 2)\n"
    "  --json                    one JSON object on standard output\n"
    "\n"
    "cycles_per_packet and aead_cycles_per_packet are TSC cycles, the median over chunks\n"
    "of packets; their difference is what the datapath costs on top of AES-GCM.\n";

static _Noreturn void usage(const char *what, const char *value)
{
	fprintf(stderr, "datapath: %s: %s\nTry --help.\n", what, value);
	exit(2);
}

static uint32_t number(const char *name, const char *text, uint32_t min, uint32_t max)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	char what[96];

	if (*end != '\0' || end == text || v < min || v > max) {
		snprintf(what, sizeof(what), "%s must be a number from %u to %u", name, min, max);
		usage(what, text);
	}
	return (uint32_t)v;
}

static uint8_t family(const char *name, const char *text)
{
	if (strcmp(text, "v4") == 0)
		return 4;
	if (strcmp(text, "v6") == 0)
		return 6;
	usage(name, text);
}

void bench_options_parse(int argc, char **argv, struct bench_options *o)
{
	enum { DIRECTION = 1, SIZE, SAS, NATT, NO_ESN, INNER, OUTER, POLICY, SECONDS, JSON, HELP };
	static const struct option options[] = {{"direction", required_argument, NULL, DIRECTION},
						{"size", required_argument, NULL, SIZE},
						{"sas", required_argument, NULL, SAS},
						{"natt", no_argument, NULL, NATT},
						{"no-esn", no_argument, NULL, NO_ESN},
						{"inner", required_argument, NULL, INNER},
						{"outer", required_argument, NULL, OUTER},
						{"policy", no_argument, NULL, POLICY},
						{"seconds", required_argument, NULL, SECONDS},
						{"json", no_argument, NULL, JSON},
						{"help", no_argument, NULL, HELP},
						{0}};
	int c;

	*o = (struct bench_options){
	    .esn = true, .size = 64, .sas = 1, .inner = 4, .outer = 4, .seconds = 2};
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case DIRECTION:
			o->decap = strcmp(optarg, "decap") == 0;
			if (!o->decap && strcmp(optarg, "encap") != 0)
				usage("--direction must be encap or decap", optarg);
			break;
		case SIZE:
			o->size = (uint16_t)number("--size", optarg, SIZE_MIN, SIZE_MAX_INNER);
			break;
		case SAS:
			o->sas = number("--sas", optarg, 1, SAS_MAX);
			break;
		case NATT:
			o->natt = true;
			break;
		case NO_ESN:
			o->esn = false;
			break;
		case INNER:
			o->inner = family("--inner must be v4 or v6", optarg);
			break;
		case OUTER:
			o->outer = family("--outer must be v4 or v6", optarg);
			break;
		case POLICY:
			o->policy = true;
			break;
		case SECONDS:
			o->seconds = strtod(optarg, NULL);
			if (!(o->seconds > 0 && o->seconds < 3600))
				usage("--seconds must be above 0 and below 3600", optarg);
			break;
		case JSON:
			o->json = true;
			break;
		case HELP:
			fputs(help, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind < argc)
		usage("unexpected argument", argv[optind]);
}
