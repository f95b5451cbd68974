/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/kube/libraries.h"

int daemon_say(const char *text)
{
	struct err e = {0};

	if (io_write_all(STDOUT_FILENO, "standard output", text, strlen(text), &e) < 0) {
		log_error("cannot print", "error", e.msg);
		return 1;
	}
	return 0;
}

int daemon_say_version(const char *program, const char *version)
{
	AUTO(free) char *text = xasprintf("%s %s (%s)\n", program, version, kube_libraries());

	return daemon_say(text);
}

int daemon_seconds(const char *text, uint32_t max, uint32_t *out)
{
	size_t n = strlen(text);
	AUTO(free) char *digits = xstrndup(text, n && text[n - 1] == 's' ? n - 1 : n);

	return parse_u32(digits, max, out);
}

int daemon_verbosity(const char *text)
{
	uint32_t n = 0;

	if (parse_u32(text, 10, &n) < 0)
		return -1;
	log_level_set(n >= 4 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	return 0;
}

const char *daemon_node_name(void)
{
	static char host[256];
	const char *node = getenv("NODE_NAME");

	if (node && *node)
		return node;
	return gethostname(host, sizeof(host) - 1) < 0 ? "" : host;
}

int daemon_signals(struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_errno(e, ERR_IO, errno, "block signals");
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_errno(e, ERR_IO, errno, "signalfd") : fd;
}
