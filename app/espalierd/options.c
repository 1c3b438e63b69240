/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static const char help[] =
    "usage: espalierd --config FILE [OPTION]...\n"
    "\n"
    "IPsec ESP gateway. Runs in the foreground and logs to standard error; SIGTERM\n"
    "and SIGINT end it cleanly.\n"
    "\n"
    "  --config FILE             the configuration (YAML)\n"
    "  --socket PATH             the control socket, instead of control.socket in FILE\n"
    "  --check                   read and check FILE, then exit\n"
    "  --log-level LEVEL         error, warning, notice, info (default) or debug\n"
    "  --print-config-reference  every configuration key as a Markdown table\n"
    "  --version\n"
    "  --help\n"
    "\n"
    "Exit status: 0 after a clean stop; 1 when something failed while starting or\n"
    "running; 2 when the command line or the configuration is wrong.\n"
    "\n"
    "A process that is killed or ends with status 1 lets nothing through in the\n"
    "clear: its XDP programs stay and drop what they steered, and blackhole routes\n"
    "stand behind protected prefixes. The next start takes both over.\n";

static int complain(const char *about, const char *value, const char *right)
{
	fprintf(stderr, "espalierd: %s \"%s\"; %s\n", about, value, right);
	return EXIT_CONFIGURATION;
}

static bool read_level(const char *text, enum log_level *out)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {{"error", LOG_ERROR},
		      {"warning", LOG_WARNING},
		      {"notice", LOG_NOTICE},
		      {"info", LOG_INFO},
		      {"debug", LOG_DEBUG}};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, text) == 0) {
			*out = levels[i].level;
			return true;
		}
	}
	return false;
}

bool options_read(int argc, char **argv, struct options *out, int *status)
{
	enum { CONFIG = 256, SOCKET, CHECK, LEVEL, REFERENCE, VERSION, HELP };
	static const struct option longs[] = {
	    {"config", required_argument, NULL, CONFIG},
	    {"socket", required_argument, NULL, SOCKET},
	    {"check", no_argument, NULL, CHECK},
	    {"log-level", required_argument, NULL, LEVEL},
	    {"print-config-reference", no_argument, NULL, REFERENCE},
	    {"version", no_argument, NULL, VERSION},
	    {"help", no_argument, NULL, HELP},
	    {0}};
	int option;

	*out = (struct options){.log_level = LOG_INFO};
	*status = EXIT_CLEAN;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case CONFIG:
			out->config = optarg;
			break;
		case SOCKET:
			out->socket = optarg;
			break;
		case CHECK:
			out->check = true;
			break;
		case LEVEL:
			if (read_level(optarg, &out->log_level))
				break;
			*status = complain("unknown log level", optarg,
					   "error, warning, notice, info or debug is needed");
			return false;
		case REFERENCE:
			config_print_reference();
			return false;
		case VERSION:
			printf("espalierd %s\n", ESPALIER_VERSION);
			return false;
		case HELP:
			fputs(help, stdout);
			return false;
		default: /* getopt has said why */
			*status = EXIT_CONFIGURATION;
			return false;
		}
	}
	if (optind < argc) {
		*status = complain("unexpected argument", argv[optind], "see espalierd --help");
		return false;
	}
	if (out->config == NULL) {
		fputs("espalierd: --config FILE is needed; see espalierd --help\n", stderr);
		*status = EXIT_CONFIGURATION;
		return false;
	}
	return true;
}
