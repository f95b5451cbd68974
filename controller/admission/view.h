/* The caches as the rules of admission see them. */
#ifndef CONTROLLER_ADMISSION_VIEW_H
#define CONTROLLER_ADMISSION_VIEW_H

#include <stdbool.h>

#include "admit/world.h"

struct cluster;
struct records;
struct reservations;

/* All lent. */
struct admission_view {
	const char *system_ns;
	bool legacy_annotations;
	struct cluster *cluster;
	struct records *records;
	struct reservations *reservations;
};

/** admission_world - lent from v; valid until its caches change. */
struct admit_world admission_world(const struct admission_view *v);

#endif
