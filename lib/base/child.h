/* SPDX-License-Identifier: Apache-2.0 */
/* Children that outlive their parent for a moment, to wait in the kernel in its stead. */
#ifndef LIB_BASE_CHILD_H
#define LIB_BASE_CHILD_H

#include <stddef.h>

/**
 * child_detach - in the child: a session of its own, and no descriptor but these.
 * @keep: open descriptors; sorted in place
 *
 * Locks and pipes of the parent are closed: whoever waits for their end must not wait for the child.
 * Nothing but system calls, so that it may follow a fork() of a process with threads.
 */
void child_detach(int *keep, size_t n);

#endif
