/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/test.h"

static void only_what_is_kept_stays(void **state)
{
	static const char *const keep[] = {"KEPT", "ABSENT", NULL};
	static char kept[] = "KEPT=1", longer[] = "KEPT2=2", prefix[] = "KEP=3",
		    log[] = "SSLKEYLOGFILE=/x", odd[] = "KEPT";
	char *mine[] = {longer, kept, prefix, log, odd, NULL};
	char **before = environ, **was;

	(void)state;
	environ = mine;
	was = process_begin(keep);
	assert_ptr_equal(was, mine);
	assert_ptr_equal(environ[0], kept);
	assert_ptr_equal(environ[1], odd);
	assert_null(environ[2]);
	assert_null(getenv("SSLKEYLOGFILE"));
	free(environ);
	environ = before;
}

/* In a child: its exit status tells the first thing that is wrong. */
static int without_descriptors(void)
{
	static const char *const none[] = {NULL};
	char c;
	int fd;

	for (fd = 0; fd < 3; fd++)
		close(fd);
	process_begin(none);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd != 3)
		return 1;
	if (read(0, &c, 1) != 0)
		return 2;
	if (write(1, "x", 1) != -1 || errno != EBADF)
		return 3;
	return write(2, "x", 1) == 1 ? 0 : 4;
}

static void closed_descriptors_are_taken(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(without_descriptors());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void open_descriptors_stay(void **state)
{
	static const char *const none[] = {NULL};
	int mine = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10), ends[2];
	char **before = environ;
	char c = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(mine >= 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
	process_begin(none);
	assert_int_equal(write(STDOUT_FILENO, "x", 1), 1);
	assert_true(dup2(mine, STDOUT_FILENO) >= 0);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	free(environ);
	environ = before;
	close(ends[0]);
	close(ends[1]);
	close(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_kept_stays),
		cmocka_unit_test(closed_descriptors_are_taken),
		cmocka_unit_test(open_descriptors_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
