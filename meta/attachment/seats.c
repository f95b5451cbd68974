/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/seats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/nl/link_type.h"
#include "meta/attachment/state.h"
#include "meta/attachment/state_priv.h"

#define PARENTS "parents"
/* boot ID, what the card is, VLAN, its master, the parent, the pod; one a line. */
#define LINES 6

struct seats {
	int top;     /* PARENTS, lent to nobody */
	int dir;     /* the parent's folder, locked */
	int stop_fd; /* lent */
	char *parent;
	bool taken; /* the caller itself has a seat */
};

void seats_close(struct seats *u)
{
	if (!u)
		return;
	/* Still locked; refused by the kernel while somebody is in it. */
	if (u->dir >= 0 && !u->taken)
		unlinkat(u->top, u->parent, AT_REMOVEDIR);
	fd_auto(&u->dir);
	fd_auto(&u->top);
	free(u->parent);
	free(u);
}

static int open_dir(int at, const char *name, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at, name, flags);

	if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0700) == 0 || errno == EEXIST))
		fd = openat(at, name, flags);
	if (fd < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "state directory: %s", name);
	return fd; /* -1 without an error: removed in between */
}

/* 0 locked, -1 error. */
static int lock_until(const struct seats *u, int fd, int64_t deadline_ms, struct err *e)
{
	if (state_flock_until(fd, deadline_ms, u->stop_fd) == 0)
		return 0;
	if (errno == ETIMEDOUT)
		return err_set(e, ERR_AGAIN, 0, "%s: other calls are still at work on it",
			       u->parent);
	return err_errno(e, errno == ECANCELED ? ERR_CANCELLED : ERR_IO, errno, "lock %s",
			 u->parent);
}

/* The holder before us may have removed the folder while we waited for it. */
static bool is_still_there(const struct seats *u)
{
	struct stat ours, there;

	return fstat(u->dir, &ours) == 0 &&
	       fstatat(u->top, u->parent, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* 1 the folder is there and locked, 0 it went while we waited, -1. */
static int lock_folder(struct seats *u, int64_t deadline_ms, struct err *e)
{
	AUTO(fd) int dir = open_dir(u->top, u->parent, e);

	if (dir < 0)
		return e->kind ? -1 : 0;
	if (lock_until(u, dir, deadline_ms, e) < 0)
		return -1;
	u->dir = dir;
	if (!is_still_there(u)) {
		u->dir = -1;
		return 0;
	}
	u->dir = fd_steal(&dir);
	return 1;
}

int seats_open(const struct state_dir *d, const char *parent, int64_t deadline_ms,
	       struct seats **out, struct err *e)
{
	AUTO(seats_close) struct seats *u = xcalloc(1, sizeof(*u));
	int rc = 0;

	u->dir = -1;
	u->stop_fd = d->stop_fd;
	u->parent = xstrdup(parent);
	u->top = open_dir(state_dir_fd(d), PARENTS, e);
	while (u->top >= 0 && rc == 0)
		rc = lock_folder(u, deadline_ms, e);
	if (rc > 0) {
		*out = STEAL(u);
		return 0;
	}
	return e->kind ? -1 : err_set(e, ERR_IO, ENOENT, "state directory: " PARENTS);
}

/* Not by way of a temporary name, which would count as somebody: half a file is nobody. */
int seats_add(struct seats *u, const struct state *s, const struct seat *who, struct err *e)
{
	AUTO(free) char *name = state_file_name(s->container_id, s->ifname);
	AUTO(sb_done) struct sb text = SB_INIT;
	AUTO(fd)
	int fd = openat(u->dir, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
				O_NOCTTY,
			0600);

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "seats of %s: %s", u->parent, name);
	sb_printf(&text, "%s\n%s\n%u\n%s\n%s\n%s\n", s->boot_id, who->link, who->at.id,
		  who->at.master, who->at.name, who->pod);
	if (io_write_all(fd, name, text.data, text.len, e) < 0)
		return err_wrap(e, "seats of %s", u->parent);
	u->taken = true;
	return 0;
}

int seats_remove(struct seats *u, const struct state *s, struct err *e)
{
	AUTO(free) char *name = state_file_name(s->container_id, s->ifname);

	if (unlinkat(u->dir, name, 0) < 0 && errno != ENOENT)
		return err_errno(e, ERR_IO, errno, "remove %s from the seats of %s", name,
				 u->parent);
	u->taken = false;
	return 0;
}

/* 1 and *out, 0 when there is no such file or it is not one of ours, -1 error. */
static int read_user(int dir, const char *name, struct seat *out, char **out_boot, struct err *e)
{
	AUTO(free) char *text = NULL;
	char *lines[LINES], *rest;
	struct seat who = {0};
	size_t len = 0, i;
	uint32_t id = 0;

	if (io_read_own(dir, name, 4096, &text, &len, e) < 0) {
		if (e->kind != ERR_IO || e->num != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	for (rest = text, i = 0; i < LINES; i++) {
		lines[i] = strsep(&rest, "\n");
		if (!rest)
			return 0;
	}
	if (str_copy(who.link, sizeof(who.link), lines[1]) < 0 ||
	    parse_u32(lines[2], 4094, &id) < 0 ||
	    str_copy(who.at.master, sizeof(who.at.master), lines[3]) < 0 ||
	    str_copy(who.at.name, sizeof(who.at.name), lines[4]) < 0 ||
	    str_copy(who.pod, sizeof(who.pod), lines[5]) < 0)
		return 0;
	who.at.id = (uint16_t)id;
	*out = who;
	*out_boot = xstrdup(lines[0]);
	return 1;
}

/* To read who sits there. */
static int open_seats(const struct seats *u, DIR **out, struct err *e)
{
	AUTO(fd) int fd = openat(u->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_errno(e, ERR_IO, errno, "seats of %s", u->parent);
	fd_steal(&fd);
	*out = dir;
	return 0;
}

/* 1 it is one, 0 it is not, -1 error. */
static int is_other(struct seats *u, const char *name, const char *own, const char *boot,
		    struct seat *out, struct err *e)
{
	AUTO(free) char *its_boot = NULL;
	int rc;

	if (name[0] == '.' || str_eq(name, own))
		return 0;
	rc = read_user(u->dir, name, out, &its_boot, e);
	return rc > 0 ? str_eq(its_boot, boot) : rc;
}

int seats_other(struct seats *u, const struct state *s, struct seat *out, struct err *e)
{
	AUTO(free) char *own = state_file_name(s->container_id, s->ifname);
	AUTO(free) char *boot = state_boot_id();
	AUTO(closedir) DIR *dir = NULL;
	struct dirent *ent;

	if (open_seats(u, &dir, e) < 0)
		return -1;
	while ((ent = readdir(dir))) {
		int rc = is_other(u, ent->d_name, own, boot, out, e);

		if (rc)
			return rc;
	}
	return 0;
}

/* 1 it sits there, 0 it does not, -1. Of half a seat no more is known than where it is: no VLAN was made. */
static int find_in(int top, const char *parent, const char *name, struct seat *out, struct err *e)
{
	AUTO(free) char *path = xasprintf("%s/%s", parent, name);
	AUTO(free) char *boot = NULL;
	int rc = read_user(top, path, out, &boot, e);

	if (rc || faccessat(top, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return rc;
	*out = (struct seat){0};
	return str_copy(out->at.name, sizeof(out->at.name), parent) == 0;
}

/* *out stays NULL where nobody ever sat anywhere. */
static int open_parents(const struct state_dir *d, DIR **out, struct err *e)
{
	AUTO(fd)
	int fd = openat(state_dir_fd(d), PARENTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return errno == ENOENT ? 0
				       : err_errno(e, ERR_IO, errno, "state directory: " PARENTS);
	fd_steal(&fd);
	*out = dir;
	return 0;
}

int seats_find(const struct state_dir *d, const char *container_id, const char *ifname,
	       struct seat *out, struct err *e)
{
	AUTO(free) char *name = state_file_name(container_id, ifname);
	AUTO(closedir) DIR *dir = NULL;
	const struct dirent *ent;

	if (open_parents(d, &dir, e) < 0)
		return -1;
	while (dir && (ent = readdir(dir))) {
		int rc = ent->d_name[0] == '.' ? 0 : find_in(dirfd(dir), ent->d_name, name, out, e);

		if (rc)
			return rc;
	}
	return 0;
}

/*
 * The card may live on. Then its parent is safe by the kernel, which tells of it and refuses others beside it, but for
 * cards that share one mode: there it would take another mode, and change that of all. 1, 0 or -1.
 */
static int is_lost(const struct state_dir *d, const struct seats *u, const char *name,
		   struct err *e)
{
	AUTO(free) char *boot = NULL;
	const struct nl_link_mode *mode;
	struct seat who = {0};

	/* Other than "not there" a failure tells nothing. */
	if (faccessat(state_dir_files(d), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return 0;
	if (read_user(u->dir, name, &who, &boot, e) < 0)
		return -1;
	mode = nl_link_mode_find_sort(who.link);
	return !mode || !nl_link_type_get(mode->type)->one_mode;
}

static int end_lost(const struct state_dir *d, const struct seats *u, size_t *n, struct err *e)
{
	AUTO(closedir) DIR *dir = NULL;
	const struct dirent *ent;

	if (open_seats(u, &dir, e) < 0)
		return -1;
	while ((ent = readdir(dir))) {
		const char *name = ent->d_name;
		int rc = name[0] == '.' ? 0 : is_lost(d, u, name, e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		if (unlinkat(u->dir, name, 0) < 0)
			return err_errno(e, ERR_IO, errno, "remove %s from the seats of %s", name,
					 u->parent);
		++*n;
	}
	return 0;
}

int seats_end_lost(const struct state_dir *d, size_t *n, struct err *e)
{
	AUTO(closedir) DIR *dir = NULL;
	const struct dirent *ent;

	if (open_parents(d, &dir, e) < 0)
		return -1;
	while (dir && (ent = readdir(dir))) {
		AUTO(seats_close) struct seats *u = NULL;

		if (ent->d_name[0] == '.')
			continue;
		if (seats_open(d, ent->d_name, clock_now_ms(), &u, e) < 0) {
			if (e->kind != ERR_AGAIN)
				return -1;
			err_clear(e);
		} else if (end_lost(d, u, n, e) < 0) {
			return -1;
		}
	}
	return 0;
}

bool links_agree(const char *a, const char *b)
{
	const struct nl_link_mode *mode = nl_link_mode_find_sort(a);

	return str_eq(a, b) && (!mode || !mode->alone);
}
