/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/cni/args.h"
#include "meta/attachment/state.h"
#include "meta/attachment/state_priv.h"

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

void sweep_locks(const struct state_dir *d)
{
	AUTO(sweep_list_done) struct sweep_list l = {0};
	AUTO(closedir) DIR *dir = open_stream(d->locks);
	const struct dirent *ent;
	struct err e = {0};

	if (!dir || sweep_list_read(d, &l, &e) < 0)
		return;
	while ((ent = readdir(dir))) {
		if (cni_name_check(ent->d_name) == 0 && !has_file(&l, ent->d_name))
			sweep_lock(d, ent->d_name);
	}
}
