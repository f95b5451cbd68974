/* SPDX-License-Identifier: Apache-2.0 */
/* How long something takes, counted in the same fixed buckets everywhere, from half a millisecond to a minute. */
#ifndef LIB_METRICS_HISTOGRAM_H
#define LIB_METRICS_HISTOGRAM_H

#include <stdint.h>

#include "lib/base/sb.h"

#define HISTOGRAM_BOUNDS 16

/* Empty when zeroed. */
struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: above every bound */
	double sum;                            /* seconds */
};

/** histogram_observe - one of them took so many microseconds; less than 0 counts as 0. */
void histogram_observe(struct histogram *h, int64_t us);
/**
 * histogram_write - its samples; metrics_family() of the type histogram comes before the first.
 * @labels: a="b",c="d", or "" for none
 */
void histogram_write(struct sb *out, const char *name, const char *labels,
		     const struct histogram *h);

#endif
