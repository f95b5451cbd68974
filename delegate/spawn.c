/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/exec.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"

#define STACK_SIZE 65536

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2) /* Linux 5.11 */
#endif

/* What the child needs; it lives on the parent's stack, both share the memory until the exec. */
struct plan {
	const struct exec_run *run;
	char *argv[EXEC_ARGS_MAX + 2];
	int in, out, err; /* all above 2 */
	pid_t parent;
	int error; /* of the exec */
};

static void default_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;
	int sig;

	/* An ignored signal (SIGPIPE, in our programs) would stay ignored over the exec. */
	for (sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Runs in the parent's memory while the parent's thread waits: nothing but system calls here. */
__attribute__((no_sanitize("address"))) static int child_main(void *arg)
{
	struct plan *p = arg;

	setpgid(0, 0);
	/* Die with the thread that started us; it may be dead already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != p->parent)
		_exit(127);
	if (dup2(p->in, STDIN_FILENO) < 0 || dup2(p->out, STDOUT_FILENO) < 0 ||
	    dup2(p->err, STDERR_FILENO) < 0) {
		p->error = errno;
		_exit(127);
	}
	/* Whatever another part has opened without O_CLOEXEC stays with us. */
	syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	default_signals();
	if (p->run->root && (chroot(p->run->root) < 0 || chdir("/") < 0)) {
		p->error = errno;
		_exit(127);
	}
	execve(p->run->path, p->argv, p->run->env);
	p->error = errno;
	_exit(127);
}

/*
 * clone() as posix_spawn() uses it, since that cannot set a parent death signal. No page is copied,
 * and the parent goes on only when the child has executed the file or failed to.
 */
static pid_t clone_child(struct plan *p)
{
	AUTO(free) char *stack = xmalloc(STACK_SIZE);
	char *top = stack + STACK_SIZE - ((uintptr_t)(stack + STACK_SIZE) & 15);
	sigset_t all, old;
	pid_t pid;
	int saved;

	/* A handler of ours must not run in the child: it would write to our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone(child_main, top, CLONE_VM | CLONE_VFORK | SIGCHLD, p);
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

/* Above the standard descriptors, whichever of those our own parent has left closed. */
static int lift(int *fd)
{
	int high;

	if (*fd > STDERR_FILENO)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		return -1;
	close(*fd);
	*fd = high;
	return 0;
}

/* Stdin as a file in memory: no pipe that could fill up or break, whatever its size. */
static int make_input(struct jspan input, int *out, struct err *e)
{
	AUTO(fd) int fd = memfd_create("cni-conf", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("cni-conf", MFD_CLOEXEC);
	if (fd < 0 || lift(&fd) < 0)
		return err_errno(e, ERR_IO, errno, "memfd_create");
	if (io_write_all(fd, "the plugin's stdin", input.p, input.len, e) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(e, ERR_IO, errno, "lseek");
	*out = fd_steal(&fd);
	return 0;
}

static int make_pipe(int *out_read, int *out_write, struct err *e)
{
	int fds[2];
	int rc;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(e, ERR_IO, errno, "pipe");
	rc = lift(&fds[0]) < 0 || lift(&fds[1]) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0;
	*out_read = fds[0];
	*out_write = fds[1];
	return rc ? err_errno(e, ERR_IO, errno, "pipe") : 0;
}

int spawn_start(const struct exec_run *run, struct spawn_child *out, int *out_errno, struct err *e)
{
	AUTO(fd) int in = -1;
	AUTO(fd) int out_read = -1;
	AUTO(fd) int out_write = -1;
	AUTO(fd) int err_read = -1;
	AUTO(fd) int err_write = -1;
	struct plan plan = {.run = run, .parent = getpid()};
	pid_t pid;

	if (make_input(run->input, &in, e) < 0 || make_pipe(&out_read, &out_write, e) < 0 ||
	    make_pipe(&err_read, &err_write, e) < 0)
		return -1;
	plan.argv[0] = (char *)run->path;
	for (size_t i = 0; run->args && run->args[i] && i < EXEC_ARGS_MAX; i++)
		plan.argv[i + 1] = run->args[i];
	plan.in = in;
	plan.out = out_write;
	plan.err = err_write;
	pid = clone_child(&plan);
	if (pid < 0)
		return err_errno(e, ERR_IO, errno, "start plugin \"%s\"", run->name);
	*out_errno = plan.error;
	if (plan.error) {
		waitpid(pid, NULL, 0);
		return 0;
	}
	out->pid = pid;
	out->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	out->out = fd_steal(&out_read);
	out->err = fd_steal(&err_read);
	return 0;
}
