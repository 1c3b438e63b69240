/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon.h"
#include "notify.h"
#include "report/log.h"

/* Keys stay out of core dumps, /proc and debuggers of other processes. */
static void protect_memory(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer traces the process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* A tunnel's device, a client and a queue are a descriptor each. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void report(const char *file, const struct fault *fault)
{
	log_error("%s: %s%s%s", file, fault->where, fault->where[0] != '\0' ? ": " : "",
		  fault->what);
}

/* What the file says is wrong, or what the machine did not give. */
static int status_of(const struct fault *fault)
{
	switch (fault->err) {
	case ENOMEM:
	case EAGAIN:
	case EADDRINUSE:
	case EPERM:
	case EACCES:
	case EIO:
	case ENOSPC:
		return EXIT_RUNTIME;
	case EBUSY: /* a device with a foreign XDP program, or that another daemon has */
		return strncmp(fault->where, "ports[", 6) == 0 ? EXIT_CONFIGURATION : EXIT_RUNTIME;
	default:
		return fault->where[0] != '\0' ? EXIT_CONFIGURATION : EXIT_RUNTIME;
	}
}

static int run(const struct options *options, struct config *config)
{
	struct daemon d = {.options = options, .config = config};
	struct fault fault = {0};

	if (daemon_start(&d, &fault) != 0) {
		report(options->config, &fault);
		/*
		 * Ports of a crashed process still drop what they steered. A failed
		 * start must not end that: no detaching, no sweeping.
		 */
		if (d.took_over) {
			log_notice("XDP programs of the process before stay attached");
			_exit(status_of(&fault));
		}
		daemon_stop(&d);
		return status_of(&fault);
	}
	event_base_dispatch(d.base);
	notify("STOPPING=1");
	daemon_stop(&d);
	log_notice("stopped");
	return EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	struct options options;
	struct config *config;
	struct fault fault = {0};
	int status;

	if (!options_read(argc, argv, &options, &status))
		return status;
	log_set_level(options.log_level);
	protect_memory();
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	if (config_load(options.config, &config, &fault) != 0) {
		report(options.config, &fault);
		return EXIT_CONFIGURATION;
	}
	if (options.check)
		printf("%s: valid\n", options.config);
	else
		status = run(&options, config);
	config_free(config);
	return status;
}
