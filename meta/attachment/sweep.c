/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/sweep.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "meta/attachment/state.h"
#include "meta/attachment/state_priv.h"

/* A pod that still wants its address is tried again within minutes. */
#define HINT_SECONDS 600
#define HINTS_MAX    256
/* Damaged files are kept for people to look at. */
#define DAMAGED_SECONDS (24 * 3600)
#define DAMAGED_MAX     64

void sweep_list_done(struct sweep_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].container_id);
		free(l->v[i].ifname);
	}
	free(l->v);
	*l = (struct sweep_list){0};
}

/* "<container ID>@<ifname>", maybe set aside, maybe on its way into place; others are not ours. */
static void take_name(struct sweep_list *l, const char *name)
{
	const char *at = strchr(name, '@');
	AUTO(free) char *id = at ? xstrndup(name, (size_t)(at - name)) : NULL;
	AUTO(free) char *ifname = at ? xstrdup(at + 1) : NULL;
	bool damaged = at && str_ends(at, STATE_CORRUPT);

	if (!at)
		return;
	if (damaged)
		ifname[strlen(ifname) - strlen(STATE_CORRUPT)] = '\0';
	else if (str_ends(ifname, STATE_TEMP))
		ifname[strlen(ifname) - strlen(STATE_TEMP)] = '\0';
	if (cni_name_check(id) < 0 || cni_ifname_check(ifname) < 0)
		return;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct sweep_entry){STEAL(id), STEAL(ifname), damaged};
}

/* A stream over a directory of ours; NULL with errno. */
static DIR *open_stream(int dirfd)
{
	AUTO(fd) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		fd_steal(&fd);
	return dir;
}

int sweep_list_read(const struct state_dir *d, struct sweep_list *out, struct err *e)
{
	AUTO(sweep_list_done) struct sweep_list l = {0};
	AUTO(closedir) DIR *dir = open_stream(d->attachments);
	const struct dirent *ent;

	if (!dir)
		return err_errno(e, ERR_IO, errno, "list the state files");
	while ((errno = 0, ent = readdir(dir)))
		take_name(&l, ent->d_name);
	if (errno)
		return err_errno(e, ERR_IO, errno, "list the state files");
	*out = l;
	l = (struct sweep_list){0};
	return 0;
}

bool sweep_is_newer(const struct state_dir *d, const struct sweep_entry *a,
		    const struct timespec *than)
{
	AUTO(free) char *name = xasprintf("%s@%s", a->container_id, a->ifname);
	struct stat st;

	if (fstatat(d->attachments, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return st.st_mtim.tv_sec > than->tv_sec ||
	       (st.st_mtim.tv_sec == than->tv_sec && st.st_mtim.tv_nsec > than->tv_nsec);
}

int sweep_remove_damaged(const struct state_dir *d, const struct sweep_entry *a, struct err *e)
{
	AUTO(free) char *name = xasprintf("%s@%s" STATE_CORRUPT, a->container_id, a->ifname);

	if (unlinkat(d->attachments, name, 0) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "remove damaged state file %s", name);
	return 0;
}

static bool has_file(const struct sweep_list *l, const char *container_id)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (str_eq(l->v[i].container_id, container_id))
			return true;
	}
	return false;
}

/* The files are listed again under the lock: an ADD that has just ended would be seen. */
static void sweep_lock(const struct state_dir *d, const char *id)
{
	AUTO(sweep_list_done) struct sweep_list now = {0};
	AUTO(fd) int lock = -1;
	struct err e = {0};

	if (state_lock(d, id, clock_now_ms(), &lock, &e) == 0 &&
	    sweep_list_read(d, &now, &e) == 0 && !has_file(&now, id))
		state_unlock_remove(d, id, &lock);
}

/* "parent@<link>": whoever made or removed something on the link was killed. */
static void sweep_parent_lock(const struct state_dir *d, const char *parent)
{
	AUTO(fd) int lock = -1;
	struct err e = {0};

	if (state_lock_parent(d, parent, clock_now_ms(), &lock, &e) == 0)
		state_unlock_parent(d, parent, &lock);
}

void sweep_locks(const struct state_dir *d)
{
	AUTO(sweep_list_done) struct sweep_list l = {0};
	AUTO(closedir) DIR *dir = open_stream(d->locks);
	const struct dirent *ent;
	struct err e = {0};

	if (!dir || sweep_list_read(d, &l, &e) < 0)
		return;
	while ((ent = readdir(dir))) {
		if (str_starts(ent->d_name, STATE_PARENT_LOCK))
			sweep_parent_lock(d, ent->d_name + strlen(STATE_PARENT_LOCK));
		else if (cni_name_check(ent->d_name) == 0 && !has_file(&l, ent->d_name))
			sweep_lock(d, ent->d_name);
	}
}

/* ------------------------------------------------------------------------------- by age and number */

struct old_file {
	char *name;
	time_t written;
};

static int by_age(const void *a, const void *b)
{
	const struct old_file *x = a, *y = b;

	return x->written < y->written ? -1 : x->written > y->written;
}

/* Files of a folder whose names end so; of those not older than seconds the newest max stay. */
static void bound(int folder, const char *suffix, int64_t seconds, size_t max)
{
	AUTO(closedir) DIR *dir = open_stream(folder);
	struct old_file *v = NULL;
	const struct dirent *ent;
	time_t old = time(NULL) - seconds;
	size_t n = 0;

	while (dir && (ent = readdir(dir))) {
		struct stat st;

		if (!str_ends(ent->d_name, suffix) ||
		    fstatat(folder, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		v = xreallocarray(v, n + 1, sizeof(*v));
		v[n++] = (struct old_file){xstrdup(ent->d_name), st.st_mtime};
	}
	if (n)
		qsort(v, n, sizeof(*v), by_age);
	for (size_t i = 0; i < n; i++) {
		if (v[i].written < old || n - i > max)
			unlinkat(folder, v[i].name, 0);
		free(v[i].name);
	}
	free(v);
}

void sweep_hints(const struct state_dir *d)
{
	bound(d->hints, "", HINT_SECONDS, HINTS_MAX);
}

void sweep_leftovers(const struct state_dir *d)
{
	sweep_locks(d);
	sweep_hints(d);
	bound(d->attachments, STATE_CORRUPT, DAMAGED_SECONDS, DAMAGED_MAX);
}
