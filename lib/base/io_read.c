/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading whole files whose owner is somebody else. What stands in their place may never answer: a FIFO without a
 * writer, a terminal, a network file system whose server is gone. No flag helps against the last one, so it is a
 * thread that waits for it, and the caller goes on without that thread when its time is over.
 */
#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* More threads than this do not wait for files that never come. */
#define LOST_MAX 16

static atomic_int lost;

struct reader {
	char *path;
	size_t max;
	int done; /* an eventfd */
	atomic_int owners;
	int rc;
	char *out;
	size_t len;
	struct err err;
};

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "a FIFO";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFDIR:
		return "a directory";
	case S_IFSOCK:
		return "a socket";
	default:
		return "something else";
	}
}

static int check_regular(const char *path, const struct stat *st, struct err *e)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return err_set(e, ERR_IO, S_ISDIR(st->st_mode) ? EISDIR : EINVAL,
		       "open %s: it is %s, not a regular file", path, kind_of(st->st_mode));
}

/* Asked before it is opened too: to open a device may do something to it. */
static int open_regular(int dirfd, const char *path, bool follow, int *out, struct err *e)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
	AUTO(fd) int fd = -1;
	struct stat st;

	if (fstatat(dirfd, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, ERR_IO, errno, "open %s", path);
	if (!S_ISLNK(st.st_mode) && check_regular(path, &st, e) < 0)
		return -1;
	fd = openat(dirfd, path, flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, ERR_IO, errno, "open %s", path);
	if (check_regular(path, &st, e) < 0)
		return -1;
	*out = fd_steal(&fd);
	return 0;
}

/* Where a file is. */
struct place {
	int dirfd;
	const char *path;
	bool follow; /* it may be a link */
	size_t max;
};

static int read_place(const struct place *p, char **out, size_t *out_len, struct err *e)
{
	AUTO(fd) int fd = -1;

	if (open_regular(p->dirfd, p->path, p->follow, &fd, e) < 0)
		return -1;
	return io_read_all(fd, p->path, p->max, out, out_len, e);
}

int io_read_own(int dirfd, const char *name, size_t max, char **out, size_t *out_len, struct err *e)
{
	const struct place place = {dirfd, name, false, max};

	return read_place(&place, out, out_len, e);
}

static void reader_free(struct reader *r)
{
	fd_auto(&r->done);
	free(r->path);
	free(r->out);
	free(r);
}

/* Whoever of the two is the last. */
static void reader_drop(struct reader *r)
{
	if (atomic_fetch_sub(&r->owners, 1) == 1)
		reader_free(r);
}

static void *reader_main(void *ctx)
{
	struct reader *r = ctx;
	const struct place place = {AT_FDCWD, r->path, true, r->max};
	const uint64_t one = 1;

	r->rc = read_place(&place, &r->out, &r->len, &r->err);
	IGNORE(write(r->done, &one, sizeof(one)) < 0, "an eventfd takes one number at any time");
	reader_drop(r);
	return NULL;
}

/* Signals are for the threads that know what to do with them. */
static int reader_start(struct reader *r, pthread_t *out, struct err *e)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(out, NULL, reader_main, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc ? err_errno(e, ERR_IO, rc, "start a thread to read %s", r->path) : 0;
}

static int wait_done(const struct reader *r, const struct io_limit *limit, struct err *e)
{
	struct pollfd fds[] = {{r->done, POLLIN, 0}, {limit->stop_fd, POLLIN, 0}};

	while (poll(fds, ARRAY_SIZE(fds), clock_left_ms(limit->deadline_ms)) < 0 ||
	       !fds[0].revents) {
		if (fds[1].revents)
			return err_set(e, ERR_CANCELLED, 0, "stopped while reading %s", r->path);
		if (clock_left_ms(limit->deadline_ms) == 0)
			return err_set(e, ERR_TIMEOUT, 0,
				       "read %s: its file system did not answer in time", r->path);
	}
	return 0;
}

/* The thread, which has begun, and who waits for it. NULL: it has not. */
static struct reader *reader_new(const char *path, size_t max, pthread_t *out_thread, struct err *e)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->path = xstrdup(path);
	r->max = max;
	r->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_init(&r->owners, 2);
	if (r->done < 0)
		err_errno(e, ERR_IO, errno, "read %s: eventfd", path);
	else if (reader_start(r, out_thread, e) == 0)
		return r;
	reader_free(r);
	return NULL;
}

static int reader_result(struct reader *r, char **out, size_t *out_len, struct err *e)
{
	if (r->rc < 0) {
		*e = r->err;
		return -1;
	}
	*out = STEAL(r->out);
	*out_len = r->len;
	return 0;
}

int io_read_file_by(const char *path, size_t max, const struct io_limit *limit, char **out,
		    size_t *out_len, struct err *e)
{
	struct reader *r;
	pthread_t thread;
	int rc;

	if (atomic_load(&lost) >= LOST_MAX)
		return err_set(e, ERR_TIMEOUT, 0, "read %s: %d files before it have not come yet",
			       path, LOST_MAX);
	r = reader_new(path, max, &thread, e);
	if (!r)
		return -1;
	rc = wait_done(r, limit, e);
	if (rc < 0) {
		atomic_fetch_add(&lost, 1);
		pthread_detach(thread);
	} else {
		pthread_join(thread, NULL);
		rc = reader_result(r, out, out_len, e);
	}
	reader_drop(r);
	return rc;
}

int io_read_file(const char *path, size_t max, char **out, size_t *out_len, struct err *e)
{
	const struct io_limit limit = {clock_now_ms() + IO_READ_MS, -1};

	return io_read_file_by(path, max, &limit, out, out_len, e);
}
