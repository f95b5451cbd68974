/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/base/undo.h"

static char dir[] = "/tmp/tandem-io-XXXXXX";

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

static void replace_leaves_one_whole_file(void **state)
{
	AUTO(fd) int at = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	AUTO(free) char *text = NULL;
	struct err e = {0};
	struct stat st;
	size_t len;

	(void)state;
	assert_int_equal(io_replace_file(at, "f", 0600, "one", 3, &e), 0);
	assert_int_equal(io_replace_file(at, "f", 0600, "second", 6, &e), 0);
	assert_int_equal(io_read_own(at, "f", 6, &text, &len, &e), 0);
	assert_string_equal(text, "second");
	assert_int_equal(len, 6);
	assert_int_equal(fstatat(at, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlinkat(at, "f", 0), 0);
}

static void reading_is_bounded(void **state)
{
	AUTO(fd) int at = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	struct err e = {0};
	size_t len = 9;

	(void)state;
	assert_int_equal(io_replace_file(at, "f", 0600, "123456", 6, &e), 0);
	assert_int_equal(io_read_own(at, "f", 5, &text, &len, &e), -1);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_string_equal(e.msg, "f is larger than 5 bytes");
	assert_null(text);
	assert_int_equal(len, 9);
	assert_int_equal(unlinkat(at, "f", 0), 0);
	assert_int_equal(io_read_own(at, "f", 5, &text, &len, &e), -1);
	assert_int_equal(e.num, ENOENT);
}

static void failed_replace_leaves_nothing(void **state)
{
	AUTO(fd) int at = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	AUTO(free) char *temp = xasprintf("d.tmp.%d", (int)getpid());
	struct err e = {0};
	struct stat st;

	(void)state;
	/* A directory in the way makes the rename fail after the temporary file was written. */
	assert_int_equal(mkdirat(at, "d", 0700), 0);
	assert_int_equal(io_replace_file(at, "d", 0600, "x", 1, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_int_equal(e.num, EISDIR);
	assert_int_equal(fstatat(at, temp, &st, 0), -1);
	assert_int_equal(unlinkat(at, "d", AT_REMOVEDIR), 0);
}

static void mkdirs_makes_all_and_names_the_obstacle(void **state)
{
	AUTO(free) char *deep = xasprintf("%s/a/b", dir);
	AUTO(free) char *file = xasprintf("%s/a/b/f", dir);
	AUTO(free) char *below = xasprintf("%s/a/b/f/g", dir);
	AUTO(free) char *a = xasprintf("%s/a", dir);
	AUTO(free) char *want = xasprintf("mkdir %s: Not a directory", below);
	struct err e = {0};
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(io_mkdirs(deep, 0700, &e), 0);
	assert_int_equal(io_mkdirs(deep, 0700, &e), 0);
	assert_int_equal(stat(deep, &st), 0);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(io_mkdirs(below, 0700, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(a), 0);
}

static char order[8];

static int note(void *ctx, struct err *e)
{
	const char *what = ctx;

	IGNORE(str_copy(order + strlen(order), sizeof(order) - strlen(order), what), "never full");
	return *what == 'b' ? err_set(e, ERR_KERNEL, EBUSY, "busy") : 0;
}

static void undo_runs_all_in_reverse(void **state)
{
	AUTO(undo_done) struct undo u = UNDO_INIT;
	struct err e = {0};

	(void)state;
	undo_push(&u, "first", note, (char[]){"a"});
	undo_push(&u, "second", note, (char[]){"b"});
	undo_push(&u, "third", note, (char[]){"c"});
	assert_int_equal(undo_run(&u, &e), -1);
	assert_string_equal(order, "cba");
	assert_string_equal(e.msg, "undo second: busy");
	assert_null(u.top);
	assert_int_equal(undo_run(&u, &e), 0);
}

static void rfc3339_both_ways(void **state)
{
	char buf[CLOCK_RFC3339_LEN];
	int64_t t = 0;

	(void)state;
	assert_string_equal(clock_rfc3339(1700000000, buf), "2023-11-14T22:13:20Z");
	assert_int_equal(clock_parse_rfc3339("2023-11-14T22:13:20Z", &t), 0);
	assert_true(t == 1700000000);
	assert_int_equal(clock_parse_rfc3339("2023-11-15T00:13:20.123456+02:00", &t), 0);
	assert_true(t == 1700000000);
	assert_int_equal(clock_parse_rfc3339("2023-11-14 22:13:20", &t), -1);
	assert_int_equal(clock_parse_rfc3339("2023-11-14T22:13:20", &t), -1);
	assert_int_equal(clock_parse_rfc3339("2023-11-14T22:13:20+02:00x", &t), -1);
}

static void log_file_is_quoted_bounded_and_optional(void **state)
{
	AUTO(free) char *path = xasprintf("%s/log", dir);
	AUTO(free) char *old = xasprintf("%s/log.1", dir);
	AUTO(free) char *text = NULL;
	struct err e = {0};
	size_t len;

	(void)state;
	log_init("t", LOG_LEVEL_INFO);
	log_to_file("/proc/no/such/file", 10); /* only a complaint on stderr */
	log_to_file(path, 10);
	log_info("hello there", "pod", "default/a", "text", "two \"words\"\n", "none", NULL);
	log_debug("not this one");
	assert_int_equal(io_read_file(path, 4096, &text, &len, &e), 0);
	assert_non_null(strstr(text, " level=info program=t pid="));
	assert_non_null(strstr(text, " msg=\"hello there\" pod=default/a "
				     "text=\"two \\\"words\\\"\\n\" none=\"\"\n"));
	assert_null(strstr(text, "not this one"));
	log_to_file(path, 10);
	assert_int_equal(access(old, F_OK), 0);
	assert_int_equal(unlink(old), 0);
	assert_int_equal(unlink(path), 0);
}

enum { PROCESSES = 6, ROUNDS = 300, MAX = 2000 };

/* One of them; what was put away is never smaller than a full file. */
static void __attribute__((noreturn)) log_much(const char *path, const char *old)
{
	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC), round;
	struct stat st;

	dup2(quiet, STDERR_FILENO);
	for (round = 0; round < ROUNDS; round++) {
		log_to_file(path, MAX);
		log_info("a line like any other", "round", "x");
		if (stat(old, &st) == 0 && st.st_size <= MAX)
			_exit(1);
	}
	_exit(0);
}

/* Many processes at a file that is full: none renames a fresh file over the one just put away. */
static void log_file_is_put_away_by_one(void **state)
{
	AUTO(free) char *path = xasprintf("%s/log", dir);
	AUTO(free) char *old = xasprintf("%s/log.1", dir);
	struct stat st;
	int i, status;

	(void)state;
	for (i = 0; i < PROCESSES; i++) {
		if (fork() == 0)
			log_much(path, old);
	}
	for (i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 2 * MAX);
	assert_int_equal(unlink(old), 0);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replace_leaves_one_whole_file),
		cmocka_unit_test(reading_is_bounded),
		cmocka_unit_test(failed_replace_leaves_nothing),
		cmocka_unit_test(mkdirs_makes_all_and_names_the_obstacle),
		cmocka_unit_test(undo_runs_all_in_reverse),
		cmocka_unit_test(rfc3339_both_ways),
		cmocka_unit_test(log_file_is_quoted_bounded_and_optional),
		cmocka_unit_test(log_file_is_put_away_by_one),
	};

	return cmocka_run_group_tests_name("io", tests, make_dir, remove_dir);
}
