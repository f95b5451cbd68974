/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the state directory, for state.c, sweep.c and seats.c alone. */
#ifndef META_ATTACHMENT_STATE_PRIV_H
#define META_ATTACHMENT_STATE_PRIV_H

#include <stdint.h>

#include "lib/base/err.h"

struct state_dir {
	int attachments, locks, hints, top;
	int stop_fd; /* lent */
};

/* A parent's lock begins so, which no container ID can. */
#define STATE_PARENT_LOCK "parent@"
/* A damaged state file's name ends so. */
#define STATE_CORRUPT ".corrupt"
/* A state file on its way into place. The same for all: only who holds the container's lock writes. */
#define STATE_TEMP ".tmp.0"

/** state_file_name - "<container ID>@<ifname>": '@' cannot stand in an ID. The caller frees. */
char *state_file_name(const char *container_id, const char *ifname);

/**
 * state_flock_until - flock() has no time-out of its own.
 * @stop_fd: readable = give up; -1 = none
 *
 * -1 with errno, ETIMEDOUT at the deadline, ECANCELED when it was stopped.
 */
int state_flock_until(int fd, int64_t deadline_ms, int stop_fd) FN_MUST;

#endif
