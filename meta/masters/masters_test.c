/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/masters/masters.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

static char path[] = "/tmp/tandem-masters-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static const struct io_limit limit = {INT64_MAX, -1};

static int resolve(const char *text, const char *name, char out[16], struct err *e)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(str_copy(out, 16, name), 0);
	return masters_resolve(path, &limit, out, 16, e);
}

static void aliases(void **state)
{
	static const char file[] = "{\"lan\":\"ens4\",\"storage\":\"lan\",\"bond0\":\"bond1\"}";
	static const char *const pairs[][2] = {{"lan", "ens4"},
					       {"storage", "lan"},
					       {"bond0", "bond1"},
					       {"ens4", "ens4"},
					       {"LAN", "LAN"}};
	struct err e = {0};
	char name[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(resolve(file, pairs[i][0], name, &e), 0);
		assert_string_equal(name, pairs[i][1]);
	}
}

static void no_file_no_aliases(void **state)
{
	char name[16] = "lan";
	struct err e = {0};

	(void)state;
	assert_int_equal(
		masters_resolve("/tmp/tandem-masters-none", &limit, name, sizeof(name), &e), 0);
	assert_int_equal(e.kind, ERR_NONE);
	assert_string_equal(name, "lan");
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *want;
		enum err_kind kind;
	} cases[] = {
		{"{\"lan\":7}", ": lan: must be a string", ERR_DECODE},
		{"{\"lan\":\"\"}", ": lan: \"\" is not a name of a link", ERR_CONFIG},
		{"{\"lan\":\"a-name-that-is-too-long\"}",
		 ": lan: \"a-name-that-is-too-long\" is not a name of a link", ERR_CONFIG},
		{"[]", ": must be an object", ERR_DECODE},
		{"{\"lan\":\"ens4\"", "", ERR_DECODE},
		{"", "", ERR_DECODE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *want = xasprintf("%s%s", path, cases[i].want);
		struct err e = {0};
		char name[16];

		assert_int_equal(resolve(cases[i].text, "lan", name, &e), -1);
		assert_int_equal(e.kind, cases[i].kind);
		assert_true(str_starts(e.msg, want));
		assert_string_equal(name, "lan");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases),
		cmocka_unit_test(no_file_no_aliases),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
