/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program and kills it just before its Nth system call that changes something.
 *
 *	killat REPORT N PROGRAM [ARG...]
 *
 * N = 0 lets it run. REPORT gets a line "<number> <call>" for each such call that was begun; the last
 * one is where it was killed. The calls are those of all threads of the program, not of its children.
 * Exit status: that of the program, 0 when it was killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

static const struct {
	long nr;
	const char *name;
} changing[] = {
	{SYS_write, "write"},         {SYS_pwrite64, "pwrite64"},
	{SYS_writev, "writev"},       {SYS_renameat, "renameat"},
	{SYS_renameat2, "renameat2"}, {SYS_unlinkat, "unlinkat"},
	{SYS_mkdirat, "mkdirat"},     {SYS_sendto, "sendto"},
	{SYS_sendmsg, "sendmsg"},     {SYS_sendmmsg, "sendmmsg"},
	{SYS_clone, "clone"},         {SYS_clone3, "clone3"},
	{SYS_kill, "kill"},           {SYS_flock, "flock"},
	{SYS_setns, "setns"},         {SYS_exit_group, "exit_group"},
#ifdef SYS_rename
	{SYS_rename, "rename"},       {SYS_unlink, "unlink"},
	{SYS_mkdir, "mkdir"},         {SYS_rmdir, "rmdir"},
	{SYS_fork, "fork"},           {SYS_vfork, "vfork"},
#endif
};

static const char *change_of(const struct __ptrace_syscall_info *info)
{
	size_t i;

	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & O_CREAT ? "openat" : NULL;
	for (i = 0; i < ARRAY_SIZE(changing); i++) {
		if ((long)info->entry.nr == changing[i].nr)
			return changing[i].name;
	}
	return NULL;
}

static void die(const char *what)
{
	perror(what);
	exit(125);
}

struct run {
	pid_t pid;
	uint32_t stop_at, count;
	FILE *report;
	bool killed;
};

static void at_syscall(struct run *r, pid_t tid)
{
	struct __ptrace_syscall_info info = {0};
	const char *name;

	/* A thread may have died since it was seen to stop. */
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || r->killed)
		return;
	name = change_of(&info);
	if (!name)
		return;
	fprintf(r->report, "%u %s\n", ++r->count, name);
	if (r->count != r->stop_at)
		return;
	r->killed = true;
	if (kill(r->pid, SIGKILL) < 0)
		die("kill");
}

/* Whatever stopped the thread: its own signals go on to it. */
static void go_on(pid_t tid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80) || status >> 16 || sig == SIGTRAP || sig == SIGSTOP)
		sig = 0;
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)sig);
}

static int follow(struct run *r)
{
	int status, rc = 0;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid == r->pid && (WIFEXITED(status) || WIFSIGNALED(status)))
			rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_syscall(r, tid);
		go_on(tid, status);
	}
	return r->killed ? 0 : rc;
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	struct run r = {0};
	int status, rc;

	if (argc < 4 || parse_u32(argv[2], UINT32_MAX, &r.stop_at) < 0) {
		fprintf(stderr, "usage: killat REPORT N PROGRAM [ARG...]\n");
		return 2;
	}
	r.report = fopen(argv[1], "we");
	if (!r.report)
		die(argv[1]);
	r.pid = fork();
	if (r.pid < 0)
		die("fork");
	if (r.pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			die("ptrace");
		execv(argv[3], argv + 3);
		die(argv[3]);
	}
	if (waitpid(r.pid, &status, 0) != r.pid || !WIFSTOPPED(status))
		return 125;
	if (ptrace(PTRACE_SETOPTIONS, r.pid, NULL, (void *)options) < 0 ||
	    ptrace(PTRACE_SYSCALL, r.pid, NULL, NULL) < 0)
		die("ptrace");
	rc = follow(&r);
	fclose(r.report);
	return rc;
}
