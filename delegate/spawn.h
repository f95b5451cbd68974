/* SPDX-License-Identifier: Apache-2.0 */
/* Start a process with its stdio, without copying our memory. For exec.c. */
#ifndef DELEGATE_SPAWN_H
#define DELEGATE_SPAWN_H

#include <sys/types.h>

#include "lib/base/err.h"

struct exec_run;

struct spawn_child {
	pid_t pid;
	int pidfd;    /* -1 where the kernel has none (before 5.3) */
	int out, err; /* the reading ends, non-blocking */
};

#define SPAWN_CHILD_INIT       \
	{                      \
		-1, -1, -1, -1 \
	}

/**
 * spawn_start - start run->path in a process group of its own.
 *
 * 0: it runs (*out_errno 0; *out is filled, the caller owns it), or the kernel refused to execute
 * the file (*out_errno says why; *out unchanged). -1: ERR_IO, no pipe or process could be made.
 */
int spawn_start(const struct exec_run *run, struct spawn_child *out, int *out_errno,
		struct err *e) FN_MUST;

#endif
