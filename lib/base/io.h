/* SPDX-License-Identifier: Apache-2.0 */
/* Files and pipes, bounded and restarted after signals. */
#ifndef LIB_BASE_IO_H
#define LIB_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/**
 * io_read_all - read a descriptor to its end.
 * @what: named in the error ("stdin", a path)
 * @max: more than this many bytes is ERR_DECODE
 *
 * *out is terminated with a NUL that does not count in *out_len; the caller frees it.
 */
int io_read_all(int fd, const char *what, size_t max, char **out, size_t *out_len,
		struct err *e) FN_MUST;

#define IO_READ_MS 5000

/* How long one may wait for a file, and what ends that early. */
struct io_limit {
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	int stop_fd;         /* readable = give up; -1 = none. Lent */
};

/**
 * io_read_file_by - io_read_all() of a path, which may be a link: for files that others own.
 *
 * Nothing in its place makes the caller wait beyond the limit: a FIFO, a device, a directory or a socket is ERR_IO
 * and is not opened, and a file system that does not answer is ERR_TIMEOUT or, with stop_fd, ERR_CANCELLED. Every
 * text names the path. Else ERR_IO, ERR_DECODE.
 */
int io_read_file_by(const char *path, size_t max, const struct io_limit *limit, char **out,
		    size_t *out_len, struct err *e) FN_MUST;

/** io_read_file - io_read_file_by() within IO_READ_MS. */
int io_read_file(const char *path, size_t max, char **out, size_t *out_len, struct err *e) FN_MUST;

/**
 * io_read_own - io_read_all() of a regular file of ours in a directory of ours; a link is ERR_IO (ELOOP).
 *
 * For the kernel's own files too (AT_FDCWD). No thread: these answer, or nothing of ours works.
 */
int io_read_own(int dirfd, const char *name, size_t max, char **out, size_t *out_len,
		struct err *e) FN_MUST;

/** io_write_all - write n bytes, going on after short writes and EINTR. ERR_IO. */
int io_write_all(int fd, const char *what, const void *p, size_t n, struct err *e) FN_MUST;

/**
 * io_replace_file - put a file in place as a whole: a temporary name in the same directory, then rename.
 *
 * A reader sees the old file or the new one. Nothing is synced to disk. On failure the
 * temporary file is gone and the old one untouched.
 */
int io_replace_file(int dirfd, const char *name, mode_t mode, const void *p, size_t n,
		    struct err *e) FN_MUST;

/* Where a file goes, and by which name of the same directory. */
struct io_place {
	int dirfd;
	const char *temp; /* nobody else writes under it at that time; what is there is overwritten */
	const char *name;
	mode_t mode;
};

/** io_place_file - io_replace_file() with a temporary name that is found again after a crash. */
int io_place_file(const struct io_place *place, const void *p, size_t n, struct err *e) FN_MUST;

/** io_mkdirs - mkdir -p. ERR_IO names the component that failed. */
int io_mkdirs(const char *path, mode_t mode, struct err *e) FN_MUST;

#endif
