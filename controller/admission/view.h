/* SPDX-License-Identifier: Apache-2.0 */
/* The caches as the rules of admission see them. */
#ifndef CONTROLLER_ADMISSION_VIEW_H
#define CONTROLLER_ADMISSION_VIEW_H

#include <stdbool.h>

#include "admit/world.h"
#include "lib/base/log_quota.h"
#include "lib/metrics/histogram.h"

struct cluster;
struct facts;
struct records;
struct reservations;

/* All lent, but for the log's quota. */
struct admission_view {
	const char *system_ns;
	bool legacy_annotations;
	struct cluster *cluster;
	const struct facts *facts; /* NULL = nothing is known */
	struct records *records;
	struct reservations *reservations;
	struct histogram answers; /* how long they took */
	struct log_quota
		refused; /* who may create objects may have them refused as often as they like */
};

/** admission_world - lent from v; valid until its caches change. */
struct admit_world admission_world(const struct admission_view *v);

#endif
