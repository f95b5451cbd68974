/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/jwrite.h"

#include "lib/base/sb.h"
#include "lib/base/test.h"

static void commas_and_nesting(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	(void)state;
	jw_obj(&w);
	jw_kv_str(&w, "a", "x");
	jw_kv_opt(&w, "none", NULL);
	jw_kv_opt(&w, "empty", "");
	jw_kv_opt(&w, "o", "y");
	jw_kv_arr(&w, "l");
	jw_i64(&w, INT64_MIN);
	jw_bool(&w, true);
	jw_arr(&w);
	jw_end(&w);
	jw_obj(&w);
	jw_end(&w);
	jw_null(&w);
	jw_end(&w);
	jw_kv_obj(&w, "m");
	jw_kv_i64(&w, "i", -1);
	jw_kv_bool(&w, "b", false);
	jw_kv_raw(&w, "r", jspan_of("{ \"big\": 18446744073709551616 }"));
	jw_raw_member(&w, jspan_of("\"\\u0061\""), jspan_of("1.0"));
	jw_end(&w);
	jw_kv_str(&w, "z", NULL);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(sb_get(&sb),
			    "{\"a\":\"x\",\"o\":\"y\",\"l\":[-9223372036854775808,true,[],{},null],"
			    "\"m\":{\"i\":-1,\"b\":false,\"r\":{ \"big\": 18446744073709551616 },"
			    "\"\\u0061\":1.0},\"z\":null}");
}

static void strings_are_escaped(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct err e = {0};

	(void)state;
	jw_arr(&w);
	jw_str(&w, "\"\\/\b\f\n\r\t\x01\x1f\x7f");
	jw_str(&w, "\xc3\xa9\xf0\x9f\x98\x80");
	jw_str(&w, "a\xff\xc3(\xed\xa0\x80");
	jw_strn(&w, "n\0m", 3);
	jw_end(&w);
	assert_string_equal(sb_get(&sb),
			    "[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\","
			    "\"\xc3\xa9\xf0\x9f\x98\x80\","
			    "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
			    "\"n\\u0000m\"]");
	sb_clear(&sb);
	w = jw_init(&sb);
	jw_str(&w, "a\xff");
	assert_int_equal(jscan_check("t", jspan_of(sb_get(&sb)), 0, &e), 0);
}

static void levels_forget_their_past(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	(void)state;
	jw_arr(&w);
	jw_obj(&w);
	jw_kv_i64(&w, "a", 1);
	jw_end(&w);
	jw_arr(&w);
	jw_i64(&w, 1);
	jw_end(&w);
	jw_obj(&w);
	jw_kv_i64(&w, "b", 2);
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(sb_get(&sb), "[{\"a\":1},[1],{\"b\":2}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_nesting),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(levels_forget_their_past),
	};

	return cmocka_run_group_tests_name("jwrite", tests, NULL, NULL);
}
