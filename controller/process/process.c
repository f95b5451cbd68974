/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/process/process.h"

#include <stdio.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

int process_init(struct process *p, struct err *e)
{
	uint8_t b[16];

	p->wall_base_s = clock_wall_s();
	p->boot_base_ms = clock_boot_ms();
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_set(e, ERR_INTERNAL, 0, "no random bytes");
	for (size_t i = 0; i < sizeof(b); i++)
		snprintf(p->holder + 2 * i, 3, "%02x", b[i]);
	return 0;
}

int64_t process_now_s(const struct process *p)
{
	return p->wall_base_s + (clock_boot_ms() - p->boot_base_ms) / 1000;
}

void process_watch_failed(const char *path, const struct err *why)
{
	log_warn("list or watch failed, trying again", "path", path, "error", why->msg);
}
