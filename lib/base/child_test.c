/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* In a child: keeps those three of many, in any order, and sets a bit for each mistake. */
static int mistakes(int a, int b, int c)
{
	int keep[] = {a, b, c}, wrong = 0;

	for (int fd = 3; fd < 40; fd++)
		dup2(0, fd);
	dup2(0, 600);
	child_detach(keep, ARRAY_SIZE(keep));
	for (int fd = 0; fd < 700; fd++)
		wrong |= is_open(fd) != (fd == a || fd == b || fd == c);
	return wrong | (getsid(0) != getpid()) << 1;
}

static void keeps_what_is_named(void **state)
{
	static const int rows[][3] = {{7, 5, 30}, {0, 1, 2}, {600, 0, 39}, {3, 3, 3}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(mistakes(rows[i][0], rows[i][1], rows[i][2]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_what_is_named)};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
