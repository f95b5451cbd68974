/*
 * Runs one command with a file as its standard input and prints what it cost:
 *
 *	onerun INPUT COMMAND [ARG...]      ->  "<exit status> <microseconds> <peak RSS in KiB>"
 *
 * The command's standard output goes to /dev/null, its standard error is kept. The time is that of the
 * whole process, from before fork() to after its end.
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

static void child(char **argv)
{
	int in = open(argv[1], O_RDONLY);
	int out = open("/dev/null", O_WRONLY);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execv(argv[2], argv + 2);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long start;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: onerun INPUT COMMAND [ARG...]\n");
		return 2;
	}
	start = now_us();
	pid = fork();
	if (pid == 0)
		child(argv);
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	printf("%d %lld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       now_us() - start, usage.ru_maxrss);
	return 0;
}
