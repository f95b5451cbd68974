/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the installer puts into others' folders, whole and on the disk, and takes out again. */
#ifndef NODE_INSTALL_PUT_H
#define NODE_INSTALL_PUT_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct put_file {
	const char *dir; /* as seen from here */
	const char *name;
	mode_t mode;
	const void *p;
	size_t len;
};

/**
 * put_file - put a file in place as a whole. 1: it was written, 0: it was there with these bytes, -1.
 *
 * By a temporary name of the same directory that no runtime takes for a conf, ".<name>.new", with the SELinux label
 * of a neighbour, synced, then renamed: a plugin that runs goes on with its old file. What is there with the same
 * bytes and mode is not touched, so that the folder may be read-only. ERR_IO names the file; nothing is left then.
 */
int put_file(const struct put_file *f, struct err *e) FN_MUST;

/** put_remove - 1: removed, 0: there was none, -1. What an interrupted put_file() has left goes as well. */
int put_remove(const char *dir, const char *name, struct err *e) FN_MUST;

/** put_lock - be the node's only installer until *out_fd is closed. ERR_AGAIN: another one is at work. ERR_IO. */
int put_lock(const char *path, int *out_fd, struct err *e) FN_MUST;

#endif
