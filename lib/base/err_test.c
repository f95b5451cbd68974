/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/err.h"

#include <errno.h>
#include <string.h>

#include "lib/base/test.h"

static void set_fills_everything(void **state)
{
	struct err e = {.retry_after_ms = 7};

	(void)state;
	assert_int_equal(err_set(&e, ERR_CONFIG, 3, "key %s", "vlan"), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(e.num, 3);
	assert_int_equal(e.retry_after_ms, 0);
	assert_string_equal(e.msg, "key vlan");
}

static void set_may_quote_its_own_text(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_IO, 0, "inner");
	err_set(&e, ERR_IO, 0, "outer(%s)", e.msg);
	assert_string_equal(e.msg, "outer(inner)");
}

static void errno_text_is_appended(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_errno(&e, ERR_IO, ENOSPC, "write %s", "f"), -1);
	assert_string_equal(e.msg, "write f: No space left on device");
	assert_int_equal(e.num, ENOSPC);
}

static void wrap_keeps_kind_and_number(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, ERR_KERNEL, EBUSY, "busy");
	assert_int_equal(err_wrap(&e, "link %s", "eth1"), -1);
	assert_string_equal(e.msg, "link eth1: busy");
	assert_int_equal(e.kind, ERR_KERNEL);
	assert_int_equal(e.num, EBUSY);
}

static void long_texts_are_cut_and_terminated(void **state)
{
	struct err e = {0};
	char big[2000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_IO, 0, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_errno(&e, ERR_IO, ENOENT, "%s", big);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_everything),
		cmocka_unit_test(set_may_quote_its_own_text),
		cmocka_unit_test(errno_text_is_appended),
		cmocka_unit_test(wrap_keeps_kind_and_number),
		cmocka_unit_test(long_texts_are_cut_and_terminated),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
