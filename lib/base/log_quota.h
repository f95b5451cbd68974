/* SPDX-License-Identifier: Apache-2.0 */
/* At most so many log lines a minute of what others can cause as often as they like. */
#ifndef LIB_BASE_LOG_QUOTA_H
#define LIB_BASE_LOG_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_QUOTA_LINES 10

/* All zero to begin with. */
struct log_quota {
	int64_t until_ms; /* end of the present minute */
	unsigned int n;   /* lines asked for in it */
};

/**
 * log_quota_take - may one more line be written at now_ms (monotonic)?
 * @out_held: of the minute before, how many were not written; told once, with the first line of the next
 *
 * A minute begins with a line, so that a quiet time costs nothing.
 */
bool log_quota_take(struct log_quota *q, int64_t now_ms, unsigned int *out_held);

#endif
