/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jwrite.h"
#include "lib/kube/plugin.h"

#define OUT_MAX   ((size_t)1 << 20)
#define EXEC_INFO "KUBERNETES_EXEC_INFO"

static const char *variable(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++) {
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	}
	return NULL;
}

/* Of a bare name the first file in PATH that can be run; a path as it is. NULL = there is none. */
static char *find_program(const struct kube_plugin *p)
{
	const char *path = variable(p->around, "PATH");

	if (strchr(p->command, '/'))
		return access(p->command, F_OK) ? NULL : xstrdup(p->command);
	while (path && *path) {
		size_t n = strcspn(path, ":");
		AUTO(free) char *file = xasprintf("%.*s/%s", (int)n, path, p->command);

		/* Never the current folder, however PATH says so: that is somebody else's choice of program. */
		if (path[0] == '/' && !access(file, X_OK))
			return STEAL(file);
		path += n + (path[n] == ':');
	}
	return NULL;
}

static char *exec_info(const struct kube_plugin *p, bool interactive)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_obj(&w);
	jw_kv_str(&w, "kind", "ExecCredential");
	jw_kv_str(&w, "apiVersion", p->api_version);
	jw_kv_obj(&w, "spec");
	if (p->cluster)
		jw_kv_raw(&w, "cluster", jspan_of(p->cluster));
	jw_kv_bool(&w, "interactive", interactive);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

static bool is_overridden(const struct kube_plugin *p, const char *var)
{
	AUTO(free) char *name = xstrndup(var, strcspn(var, "="));

	return str_eq(name, EXEC_INFO) || variable(p->env, name);
}

/* The user's, the kubeconfig's above it, and what the plugin is asked. info stays lent. */
static char **environment(const struct kube_plugin *p, char *info)
{
	size_t n = 0, k = 0;
	char **env;

	while (p->around && p->around[n])
		n++;
	while (p->env[k])
		k++;
	env = xcalloc(n + k + 2, sizeof(*env));
	k = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_overridden(p, p->around[i]))
			env[k++] = p->around[i];
	}
	for (size_t i = 0; p->env[i]; i++)
		env[k++] = p->env[i];
	env[k] = info;
	return env;
}

/* Its exit, with its output until then. */
static int read_output(int fd, int64_t deadline_ms, struct sb *out, struct err *e)
{
	char buf[4096];

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int left = clock_left_ms(deadline_ms);
		ssize_t n;

		if (!left)
			return err_set(e, ERR_TIMEOUT, 0, "it did not end in time and was killed");
		if (poll(&pfd, 1, left) < 0 && errno != EINTR)
			return err_errno(e, ERR_IO, errno, "poll");
		if (!pfd.revents)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, ERR_IO, errno, "read its output");
		if (!n)
			return 0;
		if (out->len + (size_t)n > OUT_MAX)
			return err_set(e, ERR_DECODE, 0, "it prints more than %zu bytes", OUT_MAX);
		sb_add(out, buf, (size_t)n);
	}
}

static int reap(pid_t pid, struct err *e)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_errno(e, ERR_IO, errno, "its exit status");
	}
	if (WIFSIGNALED(status))
		return err_set(e, ERR_DELEGATE, 0, "it was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(e, ERR_DELEGATE, 0, "it ended with status %d", WEXITSTATUS(status));
	return 0;
}

struct child {
	const char *program;
	char *const *argv, *const *env;
	bool interactive;
	int out; /* its standard output */
};

/* errno, 0 = it runs. */
static int spawn(const struct child *c, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	if (!c->interactive)
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, c->out, STDOUT_FILENO);
	/* Our own blocked and ignored signals are no business of its. */
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(pid, c->program, &actions, &attr, c->argv, c->env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void end_child(pid_t pid)
{
	struct err ignored = {0};

	kill(pid, SIGKILL);
	IGNORE(reap(pid, &ignored), "it was killed");
}

static int run(struct child *c, int64_t deadline_ms, struct sb *out, struct err *e)
{
	AUTO(fd) int in = -1;
	pid_t pid = -1;
	int fds[2], error;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(e, ERR_IO, errno, "pipe");
	in = fds[0];
	c->out = fds[1];
	error = spawn(c, &pid);
	close(fds[1]);
	if (error)
		return err_errno(e, ERR_IO, error, "it cannot be run");
	if (!read_output(in, deadline_ms, out, e))
		return reap(pid, e);
	end_child(pid);
	return -1;
}

static int not_found(const struct kube_plugin *p, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, ENOENT,
		       "%s: the credential plugin %s is not installed%s%s", p->where, p->command,
		       p->hint ? ": " : "", p->hint ? p->hint : "");
}

int kube_plugin_run(const struct kube_plugin *p, int64_t deadline_ms, struct kube_credential *out,
		    struct err *e)
{
	bool terminal = isatty(STDIN_FILENO);
	bool interactive = p->input != KUBE_STDIN_NEVER && terminal;
	AUTO(free) char *program = find_program(p), *info = exec_info(p, interactive), *var = NULL;
	AUTO(free) char **env = NULL;
	AUTO(sb_done) struct sb text = SB_INIT;
	struct child c = {.program = program, .argv = p->argv, .interactive = interactive};
	int rc;

	if (!program)
		return not_found(p, e);
	if (p->input == KUBE_STDIN_ALWAYS && !terminal)
		return err_set(
			e, ERR_CONFIG, 0,
			"%s: %s wants to ask its user (interactiveMode: Always), and standard "
			"input is no terminal",
			p->where, p->command);
	var = xasprintf(EXEC_INFO "=%s", info);
	c.env = env = environment(p, var);
	rc = run(&c, deadline_ms, &text, e);
	if (!rc)
		rc = kube_credential_parse(p, sb_get(&text), text.len, out, e);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return rc ? err_wrap(e, "%s: credential plugin %s", p->where, p->command) : 0;
}
