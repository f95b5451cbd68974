/* SPDX-License-Identifier: Apache-2.0 */
#include "services/load/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define OWN_DIR    "/run/tandem/cgroup2"
#define ROOT_INODE 1 /* of kernfs: no other cgroup has it */
#define MOUNTINFO  "/proc/self/mountinfo"
#define MOUNTS_MAX (16UL * 1024 * 1024)

/* What matters of one line of mountinfo (proc(5)). */
struct mount {
	char *dir, *type, *source;
};

/* Cuts the line. False: it is none. Blanks in names stand as \040: such a folder is passed over. */
static bool read_mount(char *line, struct mount *m)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);
	int n = 0;

	*m = (struct mount){0};
	for (; word && !str_eq(word, "-"); word = strtok_r(NULL, " ", &save)) {
		if (++n == 5)
			m->dir = word;
	}
	m->type = strtok_r(NULL, " ", &save);
	m->source = strtok_r(NULL, " ", &save);
	return word && m->dir && m->type && m->source;
}

typedef bool mount_fn(const struct mount *m, void *ctx);

/* Until fn says true: 1; 0: it never did; -1. */
static int each_mount(mount_fn *fn, void *ctx, struct err *e)
{
	AUTO(free) char *text = NULL;
	char *save = NULL, *line;
	struct mount m;
	size_t len = 0;

	if (io_read_file(MOUNTINFO, MOUNTS_MAX, &text, &len, e) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (read_mount(line, &m) && fn(&m, ctx))
			return 1;
	}
	return 0;
}

struct search {
	char *root;  /* found */
	char *other; /* a cgroup2 that is not the root */
};

static bool is_root(const char *dir)
{
	struct stat st;

	return stat(dir, &st) == 0 && st.st_ino == ROOT_INODE;
}

static bool look_for_root(const struct mount *m, void *ctx)
{
	struct search *s = ctx;

	if (!str_eq(m->type, "cgroup2"))
		return false;
	if (is_root(m->dir)) {
		s->root = xstrdup(m->dir);
		return true;
	}
	free(s->other);
	s->other = xstrdup(m->dir);
	return false;
}

static int mount_own(char **out, struct err *e)
{
	if (io_mkdirs(OWN_DIR, 0700, e) < 0)
		return -1;
	if (mount(MOUNT_SOURCE, OWN_DIR, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_errno(e, ERR_IO, errno, "mount cgroup2 at " OWN_DIR);
	if (!is_root(OWN_DIR)) {
		cgroup_unmount();
		return err_set(e, ERR_UNSUPPORTED, 0,
			       "this process is in a cgroup namespace of its own, and the node has "
			       "no cgroup v2 in sight; mount the node's /sys/fs/cgroup");
	}
	*out = xstrdup(OWN_DIR);
	return 0;
}

int cgroup_find(bool may_mount, char **out, struct err *e)
{
	struct search s = {0};
	AUTO(free) char *other = NULL;

	if (each_mount(look_for_root, &s, e) < 0)
		return -1;
	other = s.other;
	if (s.root) {
		*out = s.root;
		return 0;
	}
	if (other)
		return err_set(
			e, ERR_UNSUPPORTED, 0,
			"%s is not the root of cgroup v2 (its inode is not 1): this process is in a "
			"cgroup namespace of its own; mount the node's /sys/fs/cgroup, or name a folder by --cgroup",
			other);
	if (!may_mount)
		return err_set(e, ERR_UNSUPPORTED, 0, "no cgroup v2 is mounted");
	return mount_own(out, e);
}

static bool is_ours(const struct mount *m, void *ctx)
{
	(void)ctx;
	return str_eq(m->dir, OWN_DIR) && str_eq(m->source, MOUNT_SOURCE);
}

void cgroup_unmount(void)
{
	struct err e = {0};

	if (each_mount(is_ours, NULL, &e) > 0 && umount2(OWN_DIR, MNT_DETACH) == 0)
		IGNORE(rmdir(OWN_DIR), "somebody else uses it");
}
