/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/metrics/histogram.h"

#include "lib/base/str.h"
#include "lib/base/test.h"

#define EMPTY_TO(name)                                                          \
	name "_bucket{le=\"0.0005\"} 0\n" name "_bucket{le=\"0.001\"} 0\n" name \
	     "_bucket{le=\"0.0025\"} 0\n" name "_bucket{le=\"0.005\"} 0\n"

static void test_without_labels(void **state)
{
	struct histogram h = {0};
	AUTO(sb_done) struct sb out = SB_INIT;

	(void)state;
	histogram_observe(&h, 10000); /* a bound belongs to its bucket */
	histogram_observe(&h, 10001);
	histogram_observe(&h, -5);
	histogram_observe(&h, 90000000);
	histogram_write(&out, "x", "", &h);
	assert_string_equal(sb_get(&out), "x_bucket{le=\"0.0005\"} 1\n"
					  "x_bucket{le=\"0.001\"} 1\n"
					  "x_bucket{le=\"0.0025\"} 1\n"
					  "x_bucket{le=\"0.005\"} 1\n"
					  "x_bucket{le=\"0.01\"} 2\n"
					  "x_bucket{le=\"0.025\"} 3\n"
					  "x_bucket{le=\"0.05\"} 3\n"
					  "x_bucket{le=\"0.1\"} 3\n"
					  "x_bucket{le=\"0.25\"} 3\n"
					  "x_bucket{le=\"0.5\"} 3\n"
					  "x_bucket{le=\"1\"} 3\n"
					  "x_bucket{le=\"2.5\"} 3\n"
					  "x_bucket{le=\"5\"} 3\n"
					  "x_bucket{le=\"10\"} 3\n"
					  "x_bucket{le=\"30\"} 3\n"
					  "x_bucket{le=\"60\"} 3\n"
					  "x_bucket{le=\"+Inf\"} 4\n"
					  "x_sum 90.020001\n"
					  "x_count 4\n");
}

static void test_with_labels(void **state)
{
	struct histogram h = {0};
	AUTO(sb_done) struct sb out = SB_INIT;

	(void)state;
	histogram_write(&out, "x", "step=\"card\"", &h);
	assert_true(str_starts(sb_get(&out), "x_bucket{step=\"card\",le=\"0.0005\"} 0\n"));
	assert_true(str_ends(sb_get(&out), "x_bucket{step=\"card\",le=\"+Inf\"} 0\n"
					   "x_sum{step=\"card\"} 0.000000\n"
					   "x_count{step=\"card\"} 0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_labels),
		cmocka_unit_test(test_with_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
