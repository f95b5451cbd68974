/* SPDX-License-Identifier: Apache-2.0 */
/* The file system that pins are on. systemd mounts it; other inits do not. */
#ifndef SERVICES_LOAD_BPFFS_H
#define SERVICES_LOAD_BPFFS_H

#include "lib/base/err.h"

#define BPFFS "/sys/fs/bpf"

/**
 * bpffs_have - pins is on a file system of BPF; below BPFFS it is mounted if need be.
 *
 * ERR_UNSUPPORTED: the kernel has none. ERR_CONFIG: pins is elsewhere. ERR_IO.
 */
int bpffs_have(const char *pins, struct err *e) FN_MUST;

/** bpffs_leave - take away what bpffs_have() has mounted, unless somebody else has pinned something there meanwhile. */
void bpffs_leave(void);

#endif
