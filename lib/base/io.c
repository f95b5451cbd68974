/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"

int io_read_all(int fd, const char *what, size_t max, char **out, size_t *out_len, struct err *e)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	char buf[16384];
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, ERR_IO, errno, "read %s", what);
		if (n == 0)
			break;
		if (sb.len + (size_t)n > max)
			return err_set(e, ERR_DECODE, 0, "%s is larger than %zu bytes", what, max);
		sb_add(&sb, buf, (size_t)n);
	}
	*out_len = sb.len;
	*out = sb_take(&sb);
	return 0;
}

int io_write_all(int fd, const char *what, const void *p, size_t n, struct err *e)
{
	const char *at = p;
	ssize_t done;

	while (n) {
		done = write(fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(e, ERR_IO, errno, "write %s", what);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_temp(int dirfd, const char *temp, mode_t mode, const void *p, size_t n,
		      struct err *e)
{
	AUTO(fd)
	int fd = openat(dirfd, temp,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
				O_NOCTTY,
			mode);
	int own;

	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "create %s", temp);
	if (io_write_all(fd, temp, p, n, e) < 0)
		return -1;
	/* A file system may report a full disk only here. */
	own = fd_steal(&fd);
	if (close(own) < 0)
		return err_errno(e, ERR_IO, errno, "close %s", temp);
	return 0;
}

int io_place_file(const struct io_place *place, const void *p, size_t n, struct err *e)
{
	int saved;

	if (write_temp(place->dirfd, place->temp, place->mode, p, n, e) < 0) {
		unlinkat(place->dirfd, place->temp, 0);
		return -1;
	}
	if (renameat(place->dirfd, place->temp, place->dirfd, place->name) == 0)
		return 0;
	saved = errno;
	unlinkat(place->dirfd, place->temp, 0);
	return err_errno(e, ERR_IO, saved, "rename %s to %s", place->temp, place->name);
}

int io_replace_file(int dirfd, const char *name, mode_t mode, const void *p, size_t n,
		    struct err *e)
{
	AUTO(free) char *temp = xasprintf("%s.tmp.%d", name, (int)getpid());
	const struct io_place place = {dirfd, temp, name, mode};

	return io_place_file(&place, p, n, e);
}

int io_mkdirs(const char *path, mode_t mode, struct err *e)
{
	AUTO(free) char *copy = xstrdup(path);
	char *at = copy;

	if (!*path)
		return err_set(e, ERR_IO, ENOENT, "an empty path cannot be a directory");
	do {
		at = strchr(at + 1, '/');
		if (at)
			*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_errno(e, ERR_IO, errno, "mkdir %s", copy);
		if (at)
			*at = '/';
	} while (at);
	return 0;
}
