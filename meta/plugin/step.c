/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/step.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/cni/args.h"
#include "meta/plugin/app.h"

void step_took(const struct app *app, const char *step, int64_t us)
{
	char text[24];

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	snprintf(text, sizeof(text), "%" PRId64, us);
	log_info("step", "command", cni_command_name(app->args->command), "container",
		 app->args->container_id, "step", step, "us", text);
}

int64_t step_done(const struct app *app, const char *step, int64_t start_us)
{
	int64_t now = clock_now_us();

	step_took(app, step, now - start_us);
	return now;
}
