/* SPDX-License-Identifier: BSD-3-Clause */
#include "report/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static _Atomic int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load_explicit(&threshold, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {[LOG_ERROR] = "error",
					    [LOG_WARNING] = "warning",
					    [LOG_NOTICE] = "notice",
					    [LOG_INFO] = "info",
					    [LOG_DEBUG] = "debug"};

	return names[level];
}

static int format_prefix(char *buf, size_t size, enum log_level level)
{
	if (getenv("JOURNAL_STREAM") != NULL)
		return snprintf(buf, size, "<%d>", (int)level);
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	return snprintf(buf, size, "%02d:%02d:%02d.%03ld %s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
			now.tv_nsec / 1000000, log_level_name(level));
}

void log_line(enum log_level level, const char *fmt, ...)
{
	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;

	char line[1024];
	int at = format_prefix(line, sizeof(line), level);
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fmt, ap);
	va_end(ap);
	size_t end = (size_t)at + (size_t)(len < 0 ? 0 : len);
	if (end > sizeof(line) - 2)
		end = sizeof(line) - 2;
	line[end++] = '\n';
	/* One write a line, so that lines of several threads do not mix. */
	if (write(STDERR_FILENO, line, end) < 0)
		return;
}
