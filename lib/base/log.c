/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"

/* The one piece of global state that the style allows. */
static struct {
	const char *program;
	enum log_level level;
	int fd; /* the file, 0 when there is none */
} logger = {"tandem", LOG_LEVEL_INFO, 0};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

int log_level_parse(const char *s, enum log_level *out)
{
	size_t i;

	if (str_eq(s, "warning"))
		s = "warn";
	for (i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (str_eq(s, level_names[i])) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

void log_init(const char *program, enum log_level level)
{
	logger.program = program;
	logger.level = level;
}

void log_level_set(enum log_level level)
{
	logger.level = level;
}

bool log_enabled(enum log_level level)
{
	return level <= logger.level;
}

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

/*
 * Of processes that see the file too large at the same time one renames it: without the lock, and the second
 * look at whose file the name leads to, the next one would rename the new file over what was just put away.
 */
static bool rotate(const char *path, int fd, long max_bytes)
{
	AUTO(free) char *old = xasprintf("%s.1", path);
	struct stat ours, there;

	if (fstat(fd, &ours) < 0 || !S_ISREG(ours.st_mode) || ours.st_size <= max_bytes ||
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	if (stat(path, &there) == 0 && there.st_ino == ours.st_ino && there.st_dev == ours.st_dev &&
	    rename(path, old) < 0)
		return false;
	return true;
}

void log_to_file(const char *path, long max_bytes)
{
	AUTO(fd) int fd = open_log(path);

	if (fd >= 0 && rotate(path, fd, max_bytes)) {
		close(fd_steal(&fd));
		fd = open_log(path);
	}
	if (fd < 0) {
		log_warn("cannot open the log file", "file", path, "error", strerror(errno));
		return;
	}
	if (logger.fd)
		close(logger.fd);
	logger.fd = fd_steal(&fd);
}

static bool plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f)
			return false;
	}
	return true;
}

static void add_value(struct sb *sb, const char *s)
{
	if (!s)
		s = "";
	if (plain(s)) {
		sb_puts(sb, s);
		return;
	}
	sb_putc(sb, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			sb_printf(sb, "\\%c", *s);
		else if (*s == '\n')
			sb_puts(sb, "\\n");
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			sb_printf(sb, "\\x%02x", (unsigned char)*s);
		else
			sb_putc(sb, *s);
	}
	sb_putc(sb, '"');
}

/* One write a line: lines of parallel processes do not mix. Nowhere to report a failure. */
static void put(struct sb *sb)
{
	sb_putc(sb, '\n');
	IGNORE(write(STDERR_FILENO, sb->data, sb->len) < 0, "a log never fails a pod");
	if (logger.fd)
		IGNORE(write(logger.fd, sb->data, sb->len) < 0, "a log never fails a pod");
}

void log_line(enum log_level level, const char *msg, ...)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct timespec ts;
	struct tm tm;
	char when[32];
	const char *key;
	va_list ap;

	if (level > logger.level)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	sb_printf(&sb, "time=%s.%03ldZ level=%s program=%s pid=%d msg=", when, ts.tv_nsec / 1000000,
		  level_names[level], logger.program, (int)getpid());
	add_value(&sb, msg);
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *))) {
		sb_printf(&sb, " %s=", key);
		add_value(&sb, va_arg(ap, const char *));
	}
	va_end(ap);
	put(&sb);
}

void log_text(enum log_level level, const char *line)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	if (level > logger.level)
		return;
	sb_puts(&sb, line);
	put(&sb);
}
