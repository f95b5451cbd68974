/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"

/* The lowest number is given out, and all below are open. */
static void open_standard(void)
{
	static const int mode[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", mode[fd] | O_NOCTTY) != fd)
			_exit(1);
	}
}

static bool is_kept(const char *var, const char *const keep[])
{
	size_t n = strcspn(var, "=");

	for (; *keep; keep++) {
		if (strncmp(var, *keep, n) == 0 && (*keep)[n] == '\0')
			return true;
	}
	return false;
}

char **process_begin(const char *const keep[])
{
	char **all = environ;
	char **clean;
	size_t n = 0;

	open_standard();
	while (all && all[n])
		n++;
	/* Never freed: it is the environment. */
	clean = xcalloc(n + 1, sizeof(*clean));
	environ = clean;
	for (size_t i = 0; i < n; i++) {
		if (is_kept(all[i], keep))
			*clean++ = all[i];
	}
	return all;
}
