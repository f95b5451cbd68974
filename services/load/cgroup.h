/* SPDX-License-Identifier: Apache-2.0 */
/* The root of cgroup v2: a program there sees every socket of the node, whoever made it. */
#ifndef SERVICES_LOAD_CGROUP_H
#define SERVICES_LOAD_CGROUP_H

#include <stdbool.h>

#include "lib/base/err.h"

/**
 * cgroup_find - the folder of the real root among this process's mounts.
 * @may_mount: where there is no cgroup v2 at all (a node of v1 alone), mount it at a folder of our own
 *
 * A namespace of cgroups shows a container its own cgroup as if it were the root; that one is refused. The caller frees
 * *out. ERR_UNSUPPORTED, ERR_IO.
 */
int cgroup_find(bool may_mount, char **out, struct err *e) FN_MUST;

/** cgroup_unmount - take away what cgroup_find() has mounted; nothing there is fine. */
void cgroup_unmount(void);

#define MOUNT_SOURCE "tandem" /* what mounts of ours are called */

#endif
