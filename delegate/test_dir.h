/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with little shell plugins, for the tests of this directory. */
#ifndef DELEGATE_TEST_DIR_H
#define DELEGATE_TEST_DIR_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"

/* Set up by test_dir_make() for the whole program. */
static char test_dir[] = "/tmp/tandem-test-XXXXXX";

static inline int test_dir_make(void **state)
{
	(void)state;
	return mkdtemp(test_dir) ? 0 : -1;
}

static inline int test_dir_remove_one(int parent, const char *name)
{
	struct dirent *d;
	int fd;
	DIR *dir;

	if (unlinkat(parent, name, 0) == 0)
		return 0;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (d = readdir(dir))) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			test_dir_remove_one(dirfd(dir), d->d_name);
	}
	if (dir)
		closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR);
}

static inline int test_dir_remove(void **state)
{
	(void)state;
	return test_dir_remove_one(AT_FDCWD, test_dir);
}

/* Caller frees. */
static inline char *test_path(const char *name)
{
	return xasprintf("%s/%s", test_dir, name);
}

static inline void test_write(const char *name, mode_t mode, const char *text)
{
	AUTO(free) char *path = test_path(name);
	struct err e = {0};

	if (io_replace_file(AT_FDCWD, path, mode, text, strlen(text), &e) < 0 ||
	    chmod(path, mode) < 0)
		fail_msg("%s", e.msg);
}

/* A shell script; "$D" in it is the folder. Returns its path, caller frees. */
static inline char *test_script(const char *name, const char *body)
{
	AUTO(free) char *text = xasprintf("#!/bin/sh\nD=%s\n%s\n", test_dir, body);

	test_write(name, 0755, text);
	return test_path(name);
}

/* NULL when there is no such file; caller frees. */
static inline char *test_read(const char *name)
{
	AUTO(free) char *path = test_path(name);
	char *text = NULL;
	struct err e = {0};
	size_t len;

	if (io_read_file(path, 4 << 20, &text, &len, &e) < 0)
		return NULL;
	return text;
}

static inline void test_file_is(const char *name, const char *want)
{
	AUTO(free) char *text = test_read(name);

	assert_non_null(text);
	assert_string_equal(text, want);
}

#endif
