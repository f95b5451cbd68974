/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"

static char dir[] = "/tmp/tandem-read-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void refused(const char *path, const char *kind)
{
	AUTO(free) char *want = xasprintf("open %s: it is %s, not a regular file", path, kind);
	char *text = NULL;
	struct err e = {0};
	size_t len = 0;

	assert_int_equal(io_read_file(path, 16, &text, &len, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_string_equal(e.msg, want);
	err_clear(&e);
	assert_int_equal(io_read_own(AT_FDCWD, path, 16, &text, &len, &e), -1);
	assert_string_equal(e.msg, want);
	assert_null(text);
}

static void what_is_no_file_is_refused(void **state)
{
	AUTO(fd) int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	AUTO(free) char *fifo = xasprintf("%s/fifo", dir);

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(bind(s, (const struct sockaddr *)&at, sizeof(at)), 0);
	refused(fifo, "a FIFO");
	refused(at.sun_path, "a socket");
	refused(dir, "a directory");
	refused("/dev/zero", "a device");
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(unlink(at.sun_path), 0);
}

static void links_are_followed_where_others_own(void **state)
{
	AUTO(free) char *file = xasprintf("%s/file", dir);
	AUTO(free) char *link = xasprintf("%s/link", dir);
	AUTO(free) char *text = NULL;
	struct err e = {0};
	size_t len = 0;

	(void)state;
	assert_int_equal(io_replace_file(AT_FDCWD, file, 0600, "text", 4, &e), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(io_read_file(link, 4, &text, &len, &e), 0);
	assert_string_equal(text, "text");
	assert_int_equal(len, 4);
	assert_int_equal(io_read_own(AT_FDCWD, link, 4, &text, &len, &e), -1);
	assert_int_equal(e.num, ELOOP);
	err_clear(&e);
	assert_int_equal(io_read_file(file, 3, &text, &len, &e), -1);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(file), 0);
}

/* A file system whose server never answers. -1 where this machine cannot have one. */
static int mount_silent(void)
{
	AUTO(fd) int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	AUTO(free)
	char *options = xasprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);

	if (fuse < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("silent", dir, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		return -1;
	return fd_steal(&fuse);
}

static void a_silent_file_system_is_not_waited_for(void **state)
{
	AUTO(free) char *path = xasprintf("%s/file", dir);
	AUTO(free) char *want = xasprintf("stopped while reading %s", path);
	AUTO(fd) int stop = eventfd(1, EFD_CLOEXEC);
	struct io_limit limit = {clock_now_ms() + 300, -1};
	int64_t start = clock_now_ms(), took;
	struct err e = {0};
	char *text = NULL;
	size_t len = 0;
	int fuse = mount_silent(), i;

	(void)state;
	if (fuse < 0)
		skip();
	assert_int_equal(io_read_file_by(path, 16, &limit, &text, &len, &e), -1);
	took = clock_now_ms() - start;
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_true(took >= 300 && took < 5000);
	limit = (struct io_limit){clock_now_ms() + 600000, stop};
	err_clear(&e);
	assert_int_equal(io_read_file_by(path, 16, &limit, &text, &len, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	assert_string_equal(e.msg, want);
	/* Sixteen threads wait, and no more. */
	limit = (struct io_limit){0, -1};
	for (i = 0; i < 20 && !strstr(e.msg, "16 files before it"); i++) {
		err_clear(&e);
		assert_int_equal(io_read_file_by(path, 16, &limit, &text, &len, &e), -1);
		assert_int_equal(e.kind, ERR_TIMEOUT);
	}
	assert_int_equal(i, 15);
	assert_null(text);
	close(fuse);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(links_are_followed_where_others_own),
		/* The last one: threads of it wait until the end. */
		cmocka_unit_test(a_silent_file_system_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
