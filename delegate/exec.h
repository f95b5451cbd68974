/* SPDX-License-Identifier: Apache-2.0 */
/* Run one plugin: bytes in, bytes out, never longer than the deadline. */
#ifndef DELEGATE_EXEC_H
#define DELEGATE_EXEC_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/json/jscan.h"

#define EXEC_STDOUT_MAX (1024 * 1024)
#define EXEC_STDERR_MAX (64 * 1024)
#define EXEC_ARGS_MAX   24

struct exec_run {
	const char *name;  /* for messages: the plugin's type */
	const char *path;  /* absolute */
	const char *root;  /* the folder that is / for it (chroot: CAP_SYS_CHROOT), or NULL */
	char *const *args; /* after the path, ended by NULL; NULL = none, as CNI has it */
	char *const *env;  /* the whole environment */
	struct jspan input;
	int64_t deadline_ms; /* CLOCK_MONOTONIC, see clock_now_ms() */
	int cancel_fd;       /* readable (an eventfd, say; never read here) = stop; -1 = none */
};

/* Owned; terminated with NULs that do not count. */
struct exec_output {
	char *out;
	size_t out_len;
	char *err; /* at most EXEC_STDERR_MAX, what comes later is dropped */
	size_t err_len;
};

#define EXEC_OUTPUT_INIT \
	{                \
		0        \
	}

/**
 * exec_run - run it to its end.
 *
 * 0 only when it exited with 0; its stderr is copied to ours in either case. Errors, all naming
 * the plugin: ERR_DELEGATE with num = the code of the error object that it printed (0 when it
 * printed none: then the text is its stderr); ERR_NOT_FOUND (num ENOENT) the file is gone;
 * ERR_TIMEOUT; ERR_CANCELLED; ERR_IO. On failure nothing is left in *out.
 *
 * The plugin gets a process group of its own, which is killed as a whole at the deadline, two seconds after
 * cancel, so that it can end what it has begun, and when it prints more than EXEC_STDOUT_MAX; it dies with the calling thread. A grandchild that
 * keeps stdout open after the plugin's exit is not waited for. No process-wide state is touched,
 * so it can be called from several threads at once; it starts in the network namespace of
 * the calling thread. Needs SIGCHLD not to be ignored.
 */
int exec_run(const struct exec_run *run, struct exec_output *out, struct err *e) FN_MUST;
void exec_output_done(struct exec_output *out);
DEFINE_AUTO_VALUE(struct exec_output, exec_output_done)

#endif
