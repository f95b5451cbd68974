/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of the socket programs, over all processors. */
#ifndef SERVICES_STAT_H
#define SERVICES_STAT_H

#include <stdint.h>

#include "lib/base/err.h"
#include "services/decide/layout.h"

/** stat_read - since the maps were made. dir: where they are pinned. ERR_KERNEL, ERR_NOT_FOUND. */
int stat_read(const char *dir, uint64_t out[SVC_COUNTERS], struct err *e) FN_MUST;

/** stat_name - "translated", "missed", "refused", "full". */
const char *stat_name(int counter);

#endif
