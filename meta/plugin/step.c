/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/step.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/cni/args.h"
#include "lib/cni/conf.h"
#include "meta/plugin/app.h"

/* What is asked every few seconds and changes nothing is for who looks for a fault. */
static enum log_level level_of(const struct app *app)
{
	switch (app->args->command) {
	case CNI_ADD:
	case CNI_DEL:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DEBUG;
	}
}

void step_took(struct app *app, enum call_step step, int64_t us)
{
	char text[24];

	call_took(&app->call, step, us);
	if (!log_enabled(level_of(app)))
		return;
	snprintf(text, sizeof(text), "%" PRId64, us);
	log_line(level_of(app), "step", "command", cni_command_name(app->args->command),
		 "container", app->args->container_id, "step", call_step_name(step), "us", text,
		 (char *)0);
}

int64_t step_done(struct app *app, enum call_step step, int64_t start_us)
{
	int64_t now = clock_now_us();

	step_took(app, step, now - start_us);
	return now;
}

/* One write: records of calls that end at the same time do not mix, and a half one is no record. */
static void append(const char *path, const struct call *c)
{
	AUTO(fd)
	int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size >= CALLS_MAX_BYTES)
		return;
	if (write(fd, c, sizeof(*c)) < 0)
		log_debug("the call is not counted", "file", path, "error", strerror(errno));
}

void step_tell(struct app *app, int64_t start_us, bool failed)
{
	AUTO(free) char *path = xasprintf("%s" CALLS_SUFFIX, app->conf->socket);
	int64_t us = clock_now_us() - start_us;

	app->call.failed = failed;
	app->call.total_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	append(path, &app->call);
}
