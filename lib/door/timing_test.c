/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/timing.h"

#include <string.h>

#include "lib/base/test.h"

static void test_what_was_read(void **state)
{
	struct call c, bad;

	(void)state;
	call_begin(&c, CALL_GC);
	assert_true(call_is_one(&c));
	bad = c;
	bad.magic++;
	assert_false(call_is_one(&bad));
	bad = c;
	bad.verb = CALL_VERBS;
	assert_false(call_is_one(&bad));
	bad = c;
	bad.failed = 2;
	assert_false(call_is_one(&bad));
	bad = c;
	bad.card = 2;
	assert_false(call_is_one(&bad));
	memset(&bad, 0, sizeof(bad));
	assert_false(call_is_one(&bad));
}

static void test_steps_add_up(void **state)
{
	struct call c;

	(void)state;
	call_begin(&c, CALL_ADD);
	call_took(&c, CALL_RECORD, 3000);
	call_took(&c, CALL_RECORD, 500);
	call_took(&c, CALL_CARD, -1);
	call_took(&c, CALL_ROUTES, INT64_MAX / 2);
	assert_int_equal(c.step_us[CALL_RECORD], 3500);
	assert_int_equal(c.step_us[CALL_CARD], 0);
	assert_int_equal(c.step_us[CALL_ROUTES], UINT32_MAX);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < CALL_STEPS; i++)
		assert_non_null(call_step_name((enum call_step)i));
	for (int i = 0; i < CALL_VERBS; i++)
		assert_non_null(call_verb_name((enum call_verb)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_read),
		cmocka_unit_test(test_steps_add_up),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
