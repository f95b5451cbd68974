/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#ifndef LIB_METRICS_TEXT_H
#define LIB_METRICS_TEXT_H

#include <stdint.h>

#include "lib/base/sb.h"

/** metrics_family - what comes before the samples of one name; type is counter, gauge or histogram. */
void metrics_family(struct sb *out, const char *name, const char *type, const char *help);
/** metrics_single - a family of one sample without labels. */
void metrics_single(struct sb *out, const char *name, const char *type, uint64_t value,
		    const char *help);
/** metrics_build - which version runs. */
void metrics_build(struct sb *out, const char *version);
/** metrics_process - the process' time and memory, under the names that Prometheus' own clients use. */
void metrics_process(struct sb *out, int64_t start_s);

#endif
