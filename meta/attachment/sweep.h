/* SPDX-License-Identifier: Apache-2.0 */
/* All attachments that the state directory knows, and what has gathered around them. */
#ifndef META_ATTACHMENT_SWEEP_H
#define META_ATTACHMENT_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct state_dir;

struct sweep_entry {
	char *container_id, *ifname;
	bool damaged; /* its file was set aside */
};

struct sweep_list {
	struct sweep_entry *v;
	size_t n;
};

/** sweep_list_read - what there is now, in no order. End *out with sweep_list_done(). ERR_IO. */
int sweep_list_read(const struct state_dir *d, struct sweep_list *out, struct err *e) FN_MUST;
void sweep_list_done(struct sweep_list *l);
DEFINE_AUTO_VALUE(struct sweep_list, sweep_list_done)

/** sweep_is_newer - the attachment's file was written after that moment (CLOCK_REALTIME). */
bool sweep_is_newer(const struct state_dir *d, const struct sweep_entry *a,
		    const struct timespec *than);

/** sweep_remove_damaged - the file that was set aside; one that is not there is fine. ERR_IO. */
int sweep_remove_damaged(const struct state_dir *d, const struct sweep_entry *a,
			 struct err *e) FN_MUST;

/** sweep_hints - those that are older than ten minutes, and the oldest where there are more than 256. */
void sweep_hints(const struct state_dir *d);

/**
 * sweep_leftovers - what nothing else ends: locks that nobody holds, hints, and files that were set aside (after a
 * day, or where there are more than 64).
 */
void sweep_leftovers(const struct state_dir *d);

/** sweep_locks - remove the locks of containers that have no state file, but for those that are held. */
void sweep_locks(const struct state_dir *d);

#endif
