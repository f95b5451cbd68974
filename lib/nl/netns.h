/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces: opened with care, visited by one function that always comes back. */
#ifndef LIB_NL_NETNS_H
#define LIB_NL_NETNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/err.h"

/**
 * netns_open - open a pod's network namespace by its path.
 *
 * The path may be a bind mount or a /proc/PID/ns/net link, and must be a network namespace that
 * is neither the calling thread's own nor that of process 1. ERR_NETNS with num
 *	ENOENT - nothing there, or a plain file whose mount has gone: the namespace has ended
 *	EPERM  - it is the host's own
 *	EINVAL - something else than a network namespace
 * or the errno of open(). The caller closes *out_fd.
 */
int netns_open(const char *path, int *out_fd, struct err *e) FN_MUST;

/** netns_is_own - fd is the calling thread's own network namespace (device and inode). 1, 0 or -1. */
int netns_is_own(int fd, struct err *e) FN_MUST;

/** netns_id - device and inode, which name a namespace while it lives. */
int netns_id(int fd, dev_t *out_dev, ino_t *out_ino, struct err *e) FN_MUST;

typedef int netns_fn(void *ctx, struct err *e);

/**
 * netns_call - run fn in another network namespace.
 *
 * Only the calling thread moves, and it is back in its own namespace on return, whatever fn did;
 * if the kernel refuses the way back the process aborts, for it could only do harm from there.
 * Returns what fn returned. fn must not start processes or threads. ERR_NETNS.
 */
int netns_call(int fd, netns_fn *fn, void *ctx, struct err *e) FN_MUST;

#endif
