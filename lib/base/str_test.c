/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/str.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"

static void u32_takes_digits_only(void **state)
{
	static const char *const bad[] = {"",   "-1",  "+1",         " 1", "1 ",
					  "1x", "0x1", "4294967296", NULL};
	uint32_t v = 77;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_u32(bad[i], UINT32_MAX, &v), -1);
	assert_int_equal(v, 77);
	assert_int_equal(parse_u32("4294967295", UINT32_MAX, &v), 0);
	assert_true(v == UINT32_MAX);
	assert_int_equal(parse_u32("4095", 4094, &v), -1);
	assert_int_equal(parse_u32("4094", 4094, &v), 0);
	assert_int_equal(v, 4094);
}

static void i64_reaches_both_ends(void **state)
{
	int64_t v = 5;

	(void)state;
	assert_int_equal(parse_i64("9223372036854775807", &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(parse_i64("-9223372036854775808", &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775808", &v), -1);
	assert_int_equal(parse_i64("-", &v), -1);
	assert_int_equal(parse_i64("", &v), -1);
	assert_int_equal(parse_i64("1.0", &v), -1);
}

static void copy_refuses_what_does_not_fit(void **state)
{
	char buf[4] = "old";

	(void)state;
	assert_int_equal(str_copy(buf, sizeof(buf), "four"), -1);
	assert_string_equal(buf, "old");
	assert_int_equal(str_copy(buf, sizeof(buf), "new"), 0);
	assert_string_equal(buf, "new");
}

static void affixes(void **state)
{
	(void)state;
	assert_true(str_starts("tandem-cni.io/ip", "tandem-cni.io/"));
	assert_false(str_starts("tan", "tandem"));
	assert_true(str_ends("00-tandem.conflist", ".conflist"));
	assert_false(str_ends("f", ".conflist"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq("", NULL));
}

static void fnv_is_the_published_one(void **state)
{
	(void)state;
	assert_true(hash_fnv1a(HASH_FNV1A_INIT, "", 0) == 0xcbf29ce484222325ULL);
	assert_true(hash_fnv1a(HASH_FNV1A_INIT, "a", 1) == 0xaf63dc4c8601ec8cULL);
	assert_true(hash_fnv1a(HASH_FNV1A_INIT, "foobar", 6) == 0x85944171f73967e8ULL);
}

static void builder_grows_and_hands_over(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	AUTO(free) char *text = NULL;
	int i;

	(void)state;
	assert_string_equal(sb_get(&sb), "");
	for (i = 0; i < 100; i++)
		sb_printf(&sb, "%02d,", i);
	assert_int_equal(sb.len, 300);
	assert_memory_equal(sb.data + 294, "98,99,", 7);
	text = sb_take(&sb);
	assert_int_equal(strlen(text), 300);
	assert_string_equal(sb_get(&sb), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(u32_takes_digits_only),
		cmocka_unit_test(i64_reaches_both_ends),
		cmocka_unit_test(copy_refuses_what_does_not_fit),
		cmocka_unit_test(affixes),
		cmocka_unit_test(fnv_is_the_published_one),
		cmocka_unit_test(builder_grows_and_hands_over),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
