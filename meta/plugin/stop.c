/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/mem.h"

static const int ends[] = {SIGTERM, SIGINT, SIGHUP};

int stop_open(int *out_fd, struct err *e)
{
	struct sigaction now;
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		/* A blocked signal is queued although it is ignored. */
		if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, ends[i]);
	}
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_errno(e, ERR_IO, errno, "signalfd");
	sigprocmask(SIG_BLOCK, &set, NULL);
	*out_fd = fd;
	return 0;
}

/* It is not read, so that every wait of every thread sees it. */
bool stop_asked(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, 0) > 0;
}

int stop_check(int fd, struct err *e)
{
	return stop_asked(fd)
		       ? err_set(e, ERR_CANCELLED, 0, "the call was stopped before it was finished")
		       : 0;
}

void stop_explain(int fd, struct err *e)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* Whatever it met on its way out, such as plugins that got the same signal: it may be tried again. */
	if (e->kind != ERR_UNREADY)
		e->kind = ERR_CANCELLED;
	err_wrap(e, "stopped by SIG%s", sigabbrev_np((int)info.ssi_signo));
}
