/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/answer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "meta/attachment/state_priv.h"

#define ANSWER_MAX 4096
#define GONE_FILE  "delegate.gone"

/* One writer at a time under the temporary name. What fails costs a line more. */
static void keep(const struct state_dir *d, const char *answer)
{
	const struct io_place place = {d->top, ANSWER_FILE STATE_TEMP, ANSWER_FILE, 0600};
	struct err ignored = {0};

	if (flock(d->top, LOCK_EX | LOCK_NB) < 0)
		return;
	IGNORE(io_place_file(&place, answer, strlen(answer), &ignored), "said above");
	flock(d->top, LOCK_UN);
}

bool answer_is_new(const struct state_dir *d, const char *answer)
{
	AUTO(free) char *last = NULL;
	struct err ignored = {0};
	size_t len = 0;

	if (io_read_own(d->top, ANSWER_FILE, ANSWER_MAX, &last, &len, &ignored) == 0 &&
	    str_eq(last, answer))
		return false;
	keep(d, answer);
	return true;
}

int64_t state_delegate_gone_s(const struct state_dir *d)
{
	AUTO(fd)
	int fd = openat(d->top, GONE_FILE,
			O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 ? INT64_MAX : st.st_mtime;
}

void state_delegate_back(const struct state_dir *d)
{
	unlinkat(d->top, GONE_FILE, 0);
}
