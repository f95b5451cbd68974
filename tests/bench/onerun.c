/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command with files as its standard input and output and prints what it cost:
 *
 *	onerun INPUT OUTPUT COMMAND [ARG...]  ->  "<exit status> <microseconds> <CPU microseconds> <peak RSS in KiB>"
 *
 * The command's standard error is kept. The time is that of the
 * whole process, from before fork() to after its end; CPU time and RSS are those of the command and of what it
 * has waited for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static long long us_of(const struct timeval *tv)
{
	return tv->tv_sec * 1000000LL + tv->tv_usec;
}

static void child(char **argv)
{
	int in = open(argv[1], O_RDONLY);
	int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execv(argv[3], argv + 3);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long start;
	int status;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: onerun INPUT OUTPUT COMMAND [ARG...]\n");
		return 2;
	}
	start = now_us();
	pid = fork();
	if (pid == 0)
		child(argv);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	printf("%d %lld %lld %ld\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), now_us() - start,
	       us_of(&usage.ru_utime) + us_of(&usage.ru_stime), usage.ru_maxrss);
	return 0;
}
