/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/spawn.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"

#define RETRY_MS     20   /* between tries of a binary that is just being written */
#define TICK_MS      10   /* between looks at the child where the kernel has no pidfd */
#define KILL_WAIT_MS 400  /* for a killed child; one stuck in the kernel is left to init */
#define GRACE_MS     2000 /* of one that is no longer wanted */
#define ERROR_TAIL   320  /* bytes of stderr in a message */

struct job {
	const struct exec_run *run;
	struct spawn_child child;
	struct sb out, err;
};

void exec_output_done(struct exec_output *out)
{
	free(out->out);
	free(out->err);
	*out = (struct exec_output)EXEC_OUTPUT_INIT;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * Reads what is there, into sb up to max bytes and into the void beyond. At most a
 * megabyte at a time: a grandchild may write for ever.
 */
static void pump(int *fd, struct sb *sb, size_t max)
{
	char buf[16384];
	ssize_t n;
	int round;

	for (round = 0; *fd >= 0 && round < 64; round++) {
		n = read(*fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close_fd(fd);
			return;
		}
		if (sb->len < max)
			sb_add(sb, buf, (size_t)n > max - sb->len ? max - sb->len : (size_t)n);
	}
}

static bool has_exited(const struct job *j)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)j->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == j->child.pid;
}

/* 1 the plugin has exited, 0 go on, -1 stop it. */
static int watch_once(struct job *j, struct err *e)
{
	struct pollfd fds[] = {
		{j->child.out, POLLIN, 0},
		{j->child.err, POLLIN, 0},
		{j->child.pidfd, POLLIN, 0},
		{j->run->cancel_fd, POLLIN, 0},
	};
	int left = clock_left_ms(j->run->deadline_ms);

	if (left == 0)
		return err_set(e, ERR_TIMEOUT, 0,
			       "plugin \"%s\" did not finish in time and was killed", j->run->name);
	if (j->child.pidfd < 0 && left > TICK_MS)
		left = TICK_MS;
	if (poll(fds, ARRAY_SIZE(fds), left) < 0)
		return errno == EINTR ? 0 : err_errno(e, ERR_IO, errno, "poll");
	if (fds[3].revents)
		return err_set(e, ERR_CANCELLED, 0, "plugin \"%s\" was stopped", j->run->name);
	if (fds[0].revents)
		pump(&j->child.out, &j->out, EXEC_STDOUT_MAX + 1);
	if (fds[1].revents)
		pump(&j->child.err, &j->err, EXEC_STDERR_MAX);
	if (j->out.len > EXEC_STDOUT_MAX)
		return err_set(e, ERR_DELEGATE, 0,
			       "plugin \"%s\" printed more than %d bytes and was killed",
			       j->run->name, EXEC_STDOUT_MAX);
	return (fds[2].revents || j->child.pidfd < 0) && has_exited(j);
}

static int watch(struct job *j, struct err *e)
{
	int rc;

	do
		rc = watch_once(j, e);
	while (rc == 0);
	if (rc < 0)
		return -1;
	/* What it wrote last. Whoever else still holds the pipes is not waited for. */
	pump(&j->child.out, &j->out, EXEC_STDOUT_MAX);
	pump(&j->child.err, &j->err, EXEC_STDERR_MAX);
	return 0;
}

/*
 * A plugin that is killed in the middle may leave what its own DEL does not find: host-local makes the file of an
 * address first and writes whose it is then. So who is no longer wanted may end by itself.
 */
static void let_finish(struct job *j)
{
	const struct exec_run *run = j->run;
	struct exec_run patient = *run;
	int64_t end = clock_now_ms() + GRACE_MS;
	struct err ignored = {0};

	patient.cancel_fd = -1;
	patient.deadline_ms = end < run->deadline_ms ? end : run->deadline_ms;
	j->run = &patient;
	while (watch_once(j, &ignored) == 0)
		;
	j->run = run;
}

/* The whole process group: the plugin's IPAM plugin is its child, not ours. */
static void kill_group(struct job *j)
{
	struct pollfd fd = {j->child.pidfd, POLLIN, 0};
	int64_t end = clock_now_ms() + KILL_WAIT_MS;

	kill(-j->child.pid, SIGKILL);
	while (!has_exited(j) && clock_left_ms(end) > 0)
		poll(&fd, 1, fd.fd < 0 ? TICK_MS : clock_left_ms(end));
	pump(&j->child.err, &j->err, EXEC_STDERR_MAX);
}

static const char *error_tail(const struct job *j)
{
	const char *text = sb_get(&j->err);

	return j->err.len > ERROR_TAIL ? text + j->err.len - ERROR_TAIL : text;
}

/* The error object that the plugin printed; -1 when it is none. */
static int read_error(const struct job *j, struct err *e)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *msg = "", *details = "";
	struct err ignored;
	struct jval root;
	int64_t code = 0;

	if (!j->out.len || jdoc_parse_lax(j->run->name, (struct jspan){sb_get(&j->out), j->out.len},
					  &doc, NULL, &ignored) < 0)
		return -1;
	jdoc_any_case(doc);
	root = jdoc_root(doc);
	if (jneed_i64(&root, "code", JRANGE(0, INT32_MAX), &code, &ignored) < 0 ||
	    jget_str(&root, "msg", &msg, &ignored) < 0 ||
	    jget_str(&root, "details", &details, &ignored) < 0)
		return -1;
	err_set(e, ERR_DELEGATE, (int)code, "plugin \"%s\" failed: %s%s%s", j->run->name, msg,
		*msg && *details ? "; " : "", details);
	return 0;
}

/* What the exit status and the output say together. */
static int judge(struct job *j, int status, struct err *e)
{
	size_t n = j->err.len;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(e, ERR_DELEGATE, 0, "plugin \"%s\" was killed by signal %d: %s",
			       j->run->name, WTERMSIG(status), error_tail(j));
	if (read_error(j, e) == 0)
		return -1;
	while (n && strchr("\r\n", j->err.data[n - 1]))
		j->err.data[--n] = '\0';
	j->err.len = n;
	return err_set(e, ERR_DELEGATE, 0, "plugin \"%s\" failed with exit status %d: %s",
		       j->run->name, WEXITSTATUS(status), n ? error_tail(j) : "it gave no reason");
}

/* Starts it, again and again while its file is being written. */
static int start(struct job *j, struct err *e)
{
	const struct exec_run *r = j->run;
	struct pollfd cancel = {r->cancel_fd, POLLIN, 0};
	AUTO(free) char *path = xasprintf("%s%s", r->root ? r->root : "", r->path);
	int error;

	for (;;) {
		if (clock_left_ms(r->deadline_ms) == 0)
			return err_set(e, ERR_TIMEOUT, 0, "no time left to run plugin \"%s\"",
				       r->name);
		if (spawn_start(r, &j->child, &error, e) < 0)
			return -1;
		if (error != ETXTBSY)
			break;
		if (poll(&cancel, 1, RETRY_MS) > 0)
			return err_set(e, ERR_CANCELLED, 0, "plugin \"%s\" was stopped", r->name);
	}
	if (error == 0)
		return 0;
	/* ENOENT of a file that is there speaks of its interpreter. */
	if (error == ENOENT && access(path, F_OK) < 0)
		return err_set(e, ERR_NOT_FOUND, ENOENT, "plugin \"%s\": %s is missing", r->name,
			       path);
	return err_errno(e, ERR_IO, error, "plugin \"%s\": run %s", r->name, path);
}

static int run_to_end(struct job *j, struct err *e)
{
	struct err ignored;
	int status = 0;
	int rc;

	if (start(j, e) < 0)
		return -1;
	rc = watch(j, e);
	if (rc < 0 && e->kind == ERR_CANCELLED)
		let_finish(j);
	if (rc < 0)
		kill_group(j);
	if (waitpid(j->child.pid, &status, WNOHANG) != j->child.pid && rc == 0)
		rc = err_set(e, ERR_INTERNAL, 0, "plugin \"%s\": its exit status is lost",
			     j->run->name);
	IGNORE(io_write_all(STDERR_FILENO, "stderr", sb_get(&j->err), j->err.len, &ignored),
	       "a log that nobody takes");
	return rc < 0 ? -1 : judge(j, status, e);
}

int exec_run(const struct exec_run *run, struct exec_output *out, struct err *e)
{
	struct job j = {.run = run, .child = SPAWN_CHILD_INIT};
	int rc = run_to_end(&j, e);

	close_fd(&j.child.out);
	close_fd(&j.child.err);
	close_fd(&j.child.pidfd);
	if (rc == 0) {
		out->out_len = j.out.len;
		out->err_len = j.err.len;
		out->out = sb_take(&j.out);
		out->err = sb_take(&j.err);
	}
	sb_done(&j.out);
	sb_done(&j.err);
	return rc;
}
