/* SPDX-License-Identifier: Apache-2.0 */
#include "services/load/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "services/load/cgroup.h"

/*
 * How our mount is known again: the set-group-ID bit of its root, which means nothing there. Linux 5.10 does not keep the
 * name that is given to mount(2) for this file system.
 */
#define MARK "mode=2700"

/* The nearest folder above, or the path itself, that is there decides. */
static bool is_bpffs(const char *path)
{
	AUTO(free) char *at = xstrdup(path);
	struct statfs fs;
	char *slash;

	while (statfs(at, &fs) < 0) {
		slash = strrchr(at, '/');
		if (errno != ENOENT || !slash || slash == at)
			return false;
		*slash = '\0';
	}
	return fs.f_type == BPF_FS_MAGIC;
}

int bpffs_have(const char *pins, struct err *e)
{
	if (is_bpffs(pins))
		return 0;
	if (!str_starts(pins, BPFFS "/"))
		return err_set(e, ERR_CONFIG, 0, "%s is not on a file system of BPF", pins);
	if (mount(MOUNT_SOURCE, BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, MARK) < 0)
		return err_errno(e, errno == ENODEV || errno == ENOENT ? ERR_UNSUPPORTED : ERR_IO,
				 errno, "mount a file system of BPF at " BPFFS);
	return 0;
}

static bool is_ours(void)
{
	struct stat st;

	return is_bpffs(BPFFS) && stat(BPFFS, &st) == 0 && st.st_mode & S_ISGID;
}

/* "maps.debug" and "progs.debug" are the kernel's own. */
static bool is_empty(void)
{
	AUTO(closedir) DIR *dir = opendir(BPFFS);
	struct dirent *d;

	if (!dir)
		return false;
	while ((d = readdir(dir))) {
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, "..") &&
		    !str_ends(d->d_name, ".debug"))
			return false;
	}
	return true;
}

/* A mount that has pins is not busy: they would go with it. */
void bpffs_leave(void)
{
	if (is_ours() && is_empty())
		IGNORE(umount2(BPFFS, 0), "somebody has a file open there");
}
