/* SPDX-License-Identifier: Apache-2.0 */
/* Brings what stands in the maps to what the watches say, entry by entry. */
#ifndef SERVICES_SYNC_H
#define SERVICES_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct sync;
struct watch;

struct sync_numbers {
	uint64_t written, removed, full, conflicts, ended; /* since the start */
	size_t services;                                   /* that stand in the maps by our hand */
};

/* What a person has to know: a reason in one word, and a text. */
typedef void sync_tell_fn(void *ctx, const char *reason, const char *text);

struct sync_options {
	const char *dir; /* where the maps are pinned */
	const char *netns_dir;
	sync_tell_fn *tell;
	void *ctx;
};

/** sync_new - with the maps as they stand: what an earlier daemon has left is taken over. ERR_NOT_FOUND, ERR_KERNEL. */
int sync_new(const struct sync_options *o, struct watch *w, struct sync **out,
	     struct err *e) FN_MUST;
void sync_free(struct sync *s);
DEFINE_AUTO(struct sync, sync_free)

/** sync_run - all entries that are due; under the lock of all writers. *next_ms: when there will be more, 0 = unknown. */
void sync_run(struct sync *s, int64_t *next_ms);

/** sync_remove_strangers - what stands there and nobody wants any more; only when the lists are complete. */
int sync_remove_strangers(struct sync *s, struct err *e) FN_MUST;

/** sync_numbers - for metrics. */
void sync_numbers(const struct sync *s, struct sync_numbers *out);

/** sync_set_state - the time of a sync, and whether anything is translated at all. */
int sync_set_state(struct sync *s, uint64_t synced_s, bool off, struct err *e) FN_MUST;

#endif
