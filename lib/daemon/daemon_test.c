/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/kube/libraries.h"

/* Standard output is fd from here to there. */
static int said(const char *text, const char *program, int fd)
{
	AUTO(fd) int saved = dup(STDOUT_FILENO);
	int rc;

	assert_true(saved >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
	rc = program ? daemon_say_version(program, text) : daemon_say(text);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	return rc;
}

static void texts_are_printed_whole(void **state)
{
	AUTO(free) char *version = xasprintf("x 1.2 (%s)\n", kube_libraries());
	AUTO(fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char buf[512] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(said("some\nlines\n", NULL, ends[1]), 0);
	assert_int_equal(said("1.2", "x", ends[1]), 0);
	close(ends[1]);
	assert_true(read(ends[0], buf, sizeof(buf) - 1) > 0);
	close(ends[0]);
	assert_int_equal(strncmp(buf, "some\nlines\n", 11), 0);
	assert_string_equal(buf + 11, version);
	assert_int_equal(said("x", NULL, full), 1);
}

static void seconds_with_and_without_their_unit(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t value;
	} rows[] = {
		{"0", 0, 0},    {"30", 0, 30},   {"30s", 0, 30}, {"100", 0, 100},
		{"101", -1, 7}, {"30ss", -1, 7}, {"s", -1, 7},   {"", -1, 7},
		{"-1", -1, 7},  {"1m", -1, 7},   {" 1", -1, 7},  {"1.5s", -1, 7},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t value = 7;

		if (daemon_seconds(rows[i].text, 100, &value) != rows[i].rc ||
		    value != rows[i].value)
			fail_msg("\"%s\": %u", rows[i].text, value);
	}
}

static void details_from_four_on(void **state)
{
	(void)state;
	assert_int_equal(daemon_verbosity("3"), 0);
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	assert_int_equal(daemon_verbosity("4"), 0);
	assert_true(log_enabled(LOG_LEVEL_DEBUG));
	assert_int_equal(daemon_verbosity("11"), -1);
	assert_int_equal(daemon_verbosity("x"), -1);
	assert_true(log_enabled(LOG_LEVEL_DEBUG));
	assert_int_equal(daemon_verbosity("0"), 0);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
}

static void signals_to_end_are_read(void **state)
{
	struct err e = {0};
	AUTO(fd) int fd = daemon_signals(&e);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct signalfd_siginfo got;
	int ends[2];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(fd, &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.ssi_signo, SIGTERM);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(read(fd, &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.ssi_signo, SIGINT);
	/* A peer that hangs up is an error of write(). */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_printed_whole),
		cmocka_unit_test(seconds_with_and_without_their_unit),
		cmocka_unit_test(details_from_four_on),
		cmocka_unit_test(signals_to_end_are_read),
	};

	log_init("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
