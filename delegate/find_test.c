/* SPDX-License-Identifier: Apache-2.0 */
#include "delegate/find.h"

#include <errno.h>

#include "delegate/test_dir.h"
#include "lib/base/sb.h"

static void the_first_executable_file_wins(void **state)
{
	AUTO(free) char *one = test_path("one");
	AUTO(free) char *two = test_path("two");
	AUTO(free) char *folder = test_path("one/bridge");
	AUTO(free) char *dirs = xasprintf("/nonexistent::%s:rel:%s/:%s", one, two, one);
	AUTO(free) char *want = xasprintf("%s//bridge", two);
	AUTO(free) char *want_flannel = xasprintf("%s/flannel", one);
	AUTO(free)
	char *want_notes = xasprintf("rel is a relative directory; %s/portmap is not "
				     "executable",
				     one);
	AUTO(free) char *swapped = xasprintf("rel:%s:%s", one, two);
	AUTO(sb_done) struct sb notes = SB_INIT;
	AUTO(free) char *path = NULL;
	AUTO(free) char *path2 = NULL;
	AUTO(free) char *path3 = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(mkdir(one, 0755) | mkdir(two, 0755) | mkdir(folder, 0755), 0);
	test_write("two/bridge", 0755, "x");
	test_write("one/flannel", 0755, "x");
	test_write("two/flannel", 0755, "x");
	test_write("one/portmap", 0644, "x");
	test_write("two/portmap", 0755, "x");
	assert_int_equal(find_plugin("bridge", dirs, NULL, &path, &e), 0);
	assert_string_equal(path, want);
	assert_int_equal(find_plugin("flannel", dirs, NULL, &path2, &e), 0);
	assert_string_equal(path2, want_flannel);
	assert_int_equal(find_plugin("portmap", swapped, &notes, &path3, &e), 0);
	assert_string_equal(sb_get(&notes), want_notes);
}

static void a_missing_binary_has_its_own_kind(void **state)
{
	AUTO(sb_done) struct sb notes = SB_INIT;
	char *path = NULL;
	struct err e = {0};

	(void)state;
	test_write("noexec", 0644, "x");
	assert_int_equal(find_plugin("ghost", "/nonexistent:/tmp", &notes, &path, &e), -1);
	assert_string_equal(e.msg, "plugin \"ghost\" is missing in /nonexistent:/tmp");
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(e.num, ENOENT);
	assert_int_equal(find_plugin("ghost", "", NULL, &path, &e), -1);
	assert_string_equal(e.msg, "plugin \"ghost\" is missing in an empty CNI_PATH");
	assert_int_equal(find_plugin("ghost", NULL, NULL, &path, &e), -1);
	assert_int_equal(find_plugin("noexec", test_dir, NULL, &path, &e), -1);
	assert_non_null(strstr(e.msg, "/noexec is not executable"));
	assert_null(path);
}

static void a_type_is_no_path(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../bridge", "/bin/sh", "a/b"};
	char *path = NULL;
	struct err e = {0};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(find_plugin(bad[i], "/bin", NULL, &path, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	assert_null(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_executable_file_wins),
		cmocka_unit_test(a_missing_binary_has_its_own_kind),
		cmocka_unit_test(a_type_is_no_path),
	};

	return cmocka_run_group_tests_name("find", tests, test_dir_make, test_dir_remove);
}
