/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log_quota.h"

#include <limits.h>

#define MINUTE_MS 60000

bool log_quota_take(struct log_quota *q, int64_t now_ms, unsigned int *out_held)
{
	*out_held = 0;
	if (now_ms >= q->until_ms) {
		*out_held = q->n > LOG_QUOTA_LINES ? q->n - LOG_QUOTA_LINES : 0;
		*q = (struct log_quota){.until_ms = now_ms + MINUTE_MS};
	}
	if (q->n < UINT_MAX)
		q->n++;
	return q->n <= LOG_QUOTA_LINES;
}
