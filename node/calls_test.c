/* SPDX-License-Identifier: Apache-2.0 */
#include "node/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/door/timing.h"

static char dir[] = "/tmp/tandem-calls-XXXXXX";
static char *path, *other;

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = xasprintf("%s/sock" CALLS_SUFFIX, dir);
	other = xasprintf("%s.read", path);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	free(path);
	free(other);
	return rmdir(dir);
}

static void append(const void *bytes, size_t len)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
}

static struct call one(enum call_verb verb, uint32_t us)
{
	struct call c;

	call_begin(&c, verb);
	c.total_us = us;
	call_took(&c, CALL_PRIMARY, us / 2);
	return c;
}

static char *text_of(const struct calls *c)
{
	AUTO(sb_done) struct sb out = SB_INIT;

	calls_write(c, &out);
	return sb_take(&out);
}

static void has(const struct calls *c, const char *line)
{
	AUTO(free) char *text = text_of(c);

	if (!strstr(text, line))
		fail_msg("no \"%s\" in\n%s", line, text);
}

static void test_counts(void **state)
{
	AUTO(free) char *sock = xasprintf("%s/sock", dir);
	AUTO(calls_free) struct calls *c = calls_new(sock);
	struct call add = one(CALL_ADD, 30000), del = one(CALL_DEL, 2000);

	(void)state;
	calls_read(c);
	has(c, "\ntandem_cni_call_duration_seconds_count{verb=\"ADD\",card=\"true\"} 0\n");
	add.card = 1;
	append(&add, sizeof(add));
	add.failed = 1;
	append(&add, sizeof(add));
	append("what is no record, and as long as one: ............................", sizeof(add));
	append(&del, sizeof(del));
	append(&del, 20); /* cut off */
	calls_read(c);
	calls_read(c);
	has(c, "\ntandem_cni_call_duration_seconds_count{verb=\"ADD\",card=\"true\"} 2\n");
	has(c, "\ntandem_cni_call_duration_seconds_sum{verb=\"ADD\",card=\"true\"} 0.060000\n");
	has(c, "\ntandem_cni_call_duration_seconds_count{verb=\"ADD\",card=\"false\"} 0\n");
	has(c, "\ntandem_cni_call_duration_seconds_count{verb=\"DEL\",card=\"false\"} 1\n");
	has(c, "\ntandem_cni_step_duration_seconds_count{verb=\"ADD\",step=\"primary\"} 2\n");
	has(c, "\ntandem_cni_step_duration_seconds_sum{verb=\"ADD\",step=\"primary\"} 0.030000\n");
	has(c, "\ntandem_cni_step_duration_seconds_count{verb=\"ADD\",step=\"card\"} 0\n");
	has(c, "\ntandem_cni_failures_total{verb=\"ADD\"} 1\n");
	has(c, "\ntandem_cni_failures_total{verb=\"DEL\"} 0\n");
}

/* What was written while no daemon ran counts for the next one. */
static void test_next_daemon(void **state)
{
	AUTO(free) char *sock = xasprintf("%s/sock", dir);
	AUTO(calls_free) struct calls *first = calls_new(sock), *next = calls_new(sock);
	struct call check = one(CALL_CHECK, 100);

	(void)state;
	calls_read(first);
	append(&check, sizeof(check));
	calls_read(next);
	has(next, "\ntandem_cni_call_duration_seconds_count{verb=\"CHECK\",card=\"false\"} 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_next_daemon),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
