/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/log_quota.h"

#include "lib/base/test.h"

/* How many of n lines at that moment may be written. */
static int written(struct log_quota *q, int n, int64_t at_ms, unsigned int *held)
{
	int lines = 0;

	*held = 0;
	for (int i = 0; i < n; i++) {
		unsigned int one;

		lines += log_quota_take(q, at_ms, &one);
		*held += one;
	}
	return lines;
}

static void ten_a_minute(void **state)
{
	struct log_quota q = {0};
	unsigned int held;

	(void)state;
	assert_int_equal(written(&q, 7, 1000, &held), 7);
	assert_int_equal(written(&q, 1000, 1500, &held), 3);
	assert_int_equal(written(&q, 5, 60999, &held), 0);
	assert_int_equal(held, 0);
	assert_int_equal(written(&q, 11, 61000, &held), 10);
	assert_int_equal(held, 1002);
	/* One was held back, and it is told once. */
	assert_int_equal(written(&q, 2, 900000, &held), 2);
	assert_int_equal(held, 1);
	assert_int_equal(written(&q, 2, 960000, &held), 2);
	assert_int_equal(held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
