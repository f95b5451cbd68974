/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the map of namespaces as the plugin's state files say: for pods older than the programs, and for lost DELs. */
#ifndef SERVICES_PODS_H
#define SERVICES_PODS_H

#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct pods;

/** pods_new - dir: where the maps are pinned; both are copied. */
struct pods *pods_new(const char *state_dir, const char *dir);
void pods_free(struct pods *p);
DEFINE_AUTO(struct pods, pods_free)

/**
 * pods_run - enter who is missing, and take out who has been without a state file for two runs.
 *
 * Entries made by hand stay. ERR_IO, ERR_KERNEL.
 */
int pods_run(struct pods *p, struct err *e) FN_MUST;

#endif
