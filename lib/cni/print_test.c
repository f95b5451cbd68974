/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/print.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/cni/cnierr.h"
#include "lib/cni/result.h"

struct code_case {
	enum err_kind kind;
	int num;
	int code;
	bool retry;
};

static const struct code_case codes[] = {
	{ERR_NONE, 0, 999, false},      {ERR_INTERNAL, 0, 999, false},
	{ERR_VERSION, 0, 1, false},     {ERR_UNSUPPORTED, 0, 2, false},
	{ERR_ENV, 0, 4, false},         {ERR_IO, ENOSPC, 5, true},
	{ERR_DECODE, 0, 6, false},      {ERR_CONFIG, 0, 7, false},
	{ERR_NETNS, 0, 8, false},       {ERR_KERNEL, EBUSY, 100, true},
	{ERR_DELEGATE, 7, 7, false},    {ERR_DELEGATE, 11, 11, true},
	{ERR_DELEGATE, 50, 50, false},  {ERR_DELEGATE, 0, 999, false},
	{ERR_DELEGATE, -1, 999, false}, {ERR_API, 403, 11, true},
	{ERR_TRANSPORT, 0, 11, true},   {ERR_NOT_FOUND, 404, 11, true},
	{ERR_CONFLICT, 409, 11, true},  {ERR_GONE, 410, 11, true},
	{ERR_TIMEOUT, 0, 11, true},     {ERR_CANCELLED, 0, 11, true},
	{ERR_AGAIN, 0, 11, true},       {ERR_MISSING, 0, 101, false},
	{ERR_UNREADY, 0, 50, true},
};

static void every_kind_has_its_code(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		struct err e = {.kind = codes[i].kind, .num = codes[i].num};

		assert_int_equal(cni_error_code(&e), codes[i].code);
		assert_int_equal(cni_error_retry(&e), codes[i].retry);
	}
}

static void no_text_says_that_it_is_gone(void **state)
{
	struct err e = {.kind = ERR_AGAIN};
	char buf[CNI_ERROR_TEXT_LEN];
	size_t i;

	(void)state;
	err_set(&e, ERR_AGAIN, 0, "pod %s, Not Found: No such file or directory; not  found",
		"not found");
	assert_string_equal(cni_error_text(&e, buf),
			    "pod not there, not there: missing file or directory; not  found");
	for (i = 0; i + 24 < sizeof(e.msg); i += 24)
		memcpy(e.msg + i, "no such file or directory", 24);
	memcpy(e.msg, "not found", 9);
	e.msg[511] = '\0';
	cni_error_text(&e, buf);
	assert_null(strstr(buf, "not found"));
	e.msg[0] = '\0';
	assert_string_equal(cni_error_text(&e, buf), "an error without a message");
}

static int saved_stdout;
static int reading;

static int divert(void **state)
{
	int fds[2];

	(void)state;
	fflush(stdout);
	saved_stdout = dup(STDOUT_FILENO);
	if (pipe2(fds, O_CLOEXEC) < 0 || dup2(fds[1], STDOUT_FILENO) < 0)
		return -1;
	close(fds[1]);
	reading = fds[0];
	return 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdout);
	close(reading);
	return 0;
}

static void printed(const char *want)
{
	char buf[2048];
	ssize_t n = read(reading, buf, sizeof(buf) - 1);

	assert_true(n >= 0);
	buf[n] = '\0';
	assert_string_equal(buf, want);
}

static void error_objects(void **state)
{
	struct err error = {0}, e = {0};

	(void)state;
	err_set(&error, ERR_CONFIG, 0, "a \"quoted\"\nline \xff, not found");
	assert_int_equal(cni_error_print("0.4.0", &error, &e), 0);
	printed("{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"a \\\"quoted\\\"\\nline "
		"\xef\xbf\xbd, not there\"}\n");
	assert_int_equal(cni_error_print(NULL, &error, &e), 0);
	printed("{\"code\":7,\"msg\":\"a \\\"quoted\\\"\\nline \xef\xbf\xbd, not there\"}\n");
}

static void versions(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(cni_version_print(&e), 0);
	printed("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\","
		"\"1.0.0\",\"1.1.0\"]}\n");
}

static void results(void **state)
{
	AUTO(cni_result_free) struct cni_result *r = cni_result_new();
	struct err e = {0};

	(void)state;
	cni_result_add_interface(r, "eth0", NULL, "/n");
	assert_int_equal(cni_result_print(r, CNI_1_0_0, &e), 0);
	printed("{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}]}"
		"\n");
	assert_int_equal(cni_result_print(r, CNI_0_2_0, &e), -1);
	assert_int_equal(e.kind, ERR_VERSION);
}

static void a_runtime_that_is_gone(void **state)
{
	struct err e = {0};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	close(reading);
	reading = -1;
	assert_int_equal(cni_version_print(&e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_int_equal(e.num, EPIPE);
	signal(SIGPIPE, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_code),
		cmocka_unit_test(no_text_says_that_it_is_gone),
		cmocka_unit_test_setup_teardown(error_objects, divert, restore),
		cmocka_unit_test_setup_teardown(versions, divert, restore),
		cmocka_unit_test_setup_teardown(results, divert, restore),
		cmocka_unit_test_setup_teardown(a_runtime_that_is_gone, divert, restore),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
