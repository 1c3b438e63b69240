/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESPALIER_REPORT_LOG_H
#define ESPALIER_REPORT_LOG_H

/*
 * Lines on standard error: "<6>text" under journald (which reads the level),
 * "time level text" otherwise. Any thread but a worker may log; a worker counts.
 */
enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* Lines above `level` are dropped. The default is LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
/* "error" … "debug". */
const char *log_level_name(enum log_level level);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
