/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_GATEWAY_LIFE_LOG_FILE_H
#define ESPALIER_GATEWAY_LIFE_LOG_FILE_H

#include <stdbool.h>

#include "gateway/life_log.h"

/* The files behind a life log: lines are appended whole, and files renamed by size. */
struct life_log_file {
	char *path;
	uint64_t limit;
	unsigned int keep;
	int fd;
	uint64_t size;
	bool torn; /* the last line was not written to its end */
};

int life_log_file_open(struct life_log_file *f, const struct life_log_config *config,
		       struct fault *fault);
void life_log_file_close(struct life_log_file *f);

/* A line, without its newline. 0 or -errno. */
int life_log_file_append(struct life_log_file *f, const char *line);

/* The last `limit` lines that hold `wanted`, oldest first. 0 or -errno. */
int life_log_file_read(const struct life_log_file *f, const char *wanted, unsigned int limit,
		       void (*line)(void *arg, const char *text, size_t len), void *arg);

#endif
