/* SPDX-License-Identifier: Apache-2.0 */
/* key=value lines for people and machines. Libraries return errors; programs log them, once. */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** log_level_parse - "error", "warn" or "warning", "info", "debug"; -1 if it is none of them. */
int log_level_parse(const char *s, enum log_level *out);

/** log_init - level and prefix ("tandem"); lines go to stderr until log_to_file(). */
void log_init(const char *program, enum log_level level);

/**
 * log_to_file - write to this file also.
 *
 * When it is larger than max_bytes it is renamed to "<path>.1" first. A file that
 * cannot be opened is reported on stderr and otherwise ignored: a log never fails a pod.
 */
void log_to_file(const char *path, long max_bytes);

/** log_level_set - change the level of a running program. */
void log_level_set(enum log_level level);
/** log_enabled - would a line of this level be written? */
bool log_enabled(enum log_level level);

/**
 * log_line - one line: message, then pairs of key and value strings, ended by NULL.
 *
 * Values that hold blanks, quotes or control characters are quoted and escaped. A NULL value is
 * written as "". Never pass tokens, Secrets or whole confs.
 */
void log_line(enum log_level level, const char *msg, ...) __attribute__((sentinel));

/** log_text - a line as it stands, without its end: for what programs read. */
void log_text(enum log_level level, const char *line);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__, (char *)0)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__, (char *)0)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__, (char *)0)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__, (char *)0)

#endif
