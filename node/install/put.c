/* SPDX-License-Identifier: Apache-2.0 */
#include "node/install/put.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define LABEL     "security.selinux"
#define LABEL_MAX 512

static char *temp_name(const char *name)
{
	return xasprintf(".%s.new", name);
}

static int open_dir(const char *dir, int *out, struct err *e)
{
	*out = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out < 0 ? err_errno(e, ERR_IO, errno, "open %s", dir) : 0;
}

/* ------------------------------------------------------------------------------- the same bytes */

/* The next bytes of a file, n at most; fewer at its end, or -1. */
static ssize_t read_some(int fd, char *buf, size_t n)
{
	ssize_t got;

	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool has_bytes(int fd, const char *p, size_t len)
{
	char buf[16384];
	ssize_t n;

	while ((n = read_some(fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n > len || memcmp(buf, p, (size_t)n) != 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return n == 0 && len == 0;
}

static bool is_there(int dir, const struct put_file *f)
{
	AUTO(fd) int fd = openat(dir, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & 07777) == f->mode && (size_t)st.st_size == f->len &&
	       has_bytes(fd, f->p, f->len);
}

/* ------------------------------------------------------------------------------- the label */

/* Of any other file there that has one. 0: none has. */
static size_t neighbours_label(int dirfd, const char *name, char out[LABEL_MAX])
{
	AUTO(fd) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *ent;

	if (!dir)
		return 0;
	fd_steal(&fd);
	while ((ent = readdir(dir))) {
		AUTO(fd) int other = -1;
		struct stat st;
		ssize_t n;

		if (*ent->d_name == '.' || str_eq(ent->d_name, name))
			continue;
		other = openat(dirfd, ent->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (other < 0 || fstat(other, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		n = fgetxattr(other, LABEL, out, LABEL_MAX);
		if (n > 0)
			return (size_t)n;
	}
	return 0;
}

/* What the runtime may run and read is a matter of its folder, and restorecon is not here. */
static void take_label(int dir, int fd, const char *name)
{
	char label[LABEL_MAX], now[LABEL_MAX];
	size_t n = neighbours_label(dir, name, label);
	ssize_t have;

	if (!n)
		return;
	have = fgetxattr(fd, LABEL, now, sizeof(now));
	if (have == (ssize_t)n && memcmp(label, now, n) == 0)
		return;
	if (fsetxattr(fd, LABEL, label, n, 0) < 0)
		log_warn("the SELinux label of the neighbours cannot be set", "file", name, "error",
			 strerror(errno));
}

/* ------------------------------------------------------------------------------- writing */

static int write_temp(int dir, const char *temp, const struct put_file *f, struct err *e)
{
	AUTO(fd) int fd = -1;

	/* What stays there is named by what comes next. */
	IGNORE(unlinkat(dir, temp, 0) < 0, "it is rarely there");
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "%s/%s: create", f->dir, temp);
	if (io_write_all(fd, temp, f->p, f->len, e) < 0)
		return err_wrap(e, "%s", f->dir);
	take_label(dir, fd, f->name);
	/* The mode as it is given, whatever the umask; a full disk may show only at the sync. */
	if (fchmod(fd, f->mode) < 0 || fsync(fd) < 0)
		return err_errno(e, ERR_IO, errno, "%s/%s: write", f->dir, temp);
	return 0;
}

static int replace(int dir, const char *temp, const struct put_file *f, struct err *e)
{
	if (write_temp(dir, temp, f, e) < 0)
		return -1;
	if (renameat(dir, temp, dir, f->name) < 0)
		return err_errno(e, ERR_IO, errno, "%s/%s: rename", f->dir, f->name);
	if (fsync(dir) < 0)
		return err_errno(e, ERR_IO, errno, "%s: sync", f->dir);
	return 0;
}

int put_file(const struct put_file *f, struct err *e)
{
	AUTO(free) char *temp = temp_name(f->name);
	AUTO(fd) int dir = -1;

	if (open_dir(f->dir, &dir, e) < 0)
		return -1;
	if (is_there(dir, f))
		return 0;
	if (replace(dir, temp, f, e) == 0)
		return 1;
	unlinkat(dir, temp, 0);
	return -1;
}

int put_remove(const char *dir, const char *name, struct err *e)
{
	AUTO(free) char *temp = temp_name(name);
	AUTO(fd) int fd = -1;

	if (open_dir(dir, &fd, e) < 0)
		return -1;
	unlinkat(fd, temp, 0);
	if (unlinkat(fd, name, 0) < 0)
		return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "%s/%s", dir, name);
	IGNORE(fsync(fd) < 0, "what a power cut brings back is removed again");
	return 1;
}

int put_lock(const char *path, int *out_fd, struct err *e)
{
	AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(e, ERR_AGAIN, 0, "%s: another installer is at work", path);
		return err_errno(e, ERR_IO, errno, "lock %s", path);
	}
	*out_fd = fd_steal(&fd);
	return 0;
}
