/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time_test.h"
#include "lib/json/jscan.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"

struct bad {
	const char *text;
	const char *msg; /* behind "t: " */
};

static const struct bad bads[] = {
	{"", "empty, JSON was expected"},
	{" \n", "empty, JSON was expected"},
	{"{", "a member's name is missing at byte 1"},
	{"{\"a\"", "a colon is missing at byte 4"},
	{"{\"a\":", "the text ends too early at byte 5"},
	{"{\"a\":1", "the text ends too early at byte 6"},
	{"{\"a\":1,", "a member's name is missing at byte 7"},
	{"{\"a\":1,}", "a member's name is missing at byte 7"},
	{"{\"a\" 1}", "a colon is missing at byte 5"},
	{"{\"a\":1 \"b\":2}", "a comma is missing at byte 7"},
	{"{a:1}", "a member's name is missing at byte 1"},
	{"{'a':1}", "a member's name is missing at byte 1"},
	{"{1:1}", "a member's name is missing at byte 1"},
	{"[1,]", "no JSON value at byte 3"},
	{"[1 2]", "a comma is missing at byte 3"},
	{"[1}", "a comma is missing at byte 2"},
	{"[", "the text ends too early at byte 1"},
	{"{}}", "something follows the JSON text at byte 2"},
	{"{} x", "something follows the JSON text at byte 3"},
	{"{}{}", "something follows the JSON text at byte 2"},
	{"nul", "no JSON value at byte 0"},
	{"nulll", "something follows the JSON text at byte 4"},
	{"True", "no JSON value at byte 0"},
	{"NaN", "no JSON value at byte 0"},
	{"Infinity", "no JSON value at byte 0"},
	{"-", "a digit is missing at byte 1"},
	{"+1", "no JSON value at byte 0"},
	{"01", "a number with a leading zero at byte 0"},
	{"-01", "a number with a leading zero at byte 0"},
	{"1.", "a digit is missing at byte 2"},
	{".5", "no JSON value at byte 0"},
	{"1e", "a digit is missing at byte 2"},
	{"1e+", "a digit is missing at byte 3"},
	{"0x10", "something follows the JSON text at byte 1"},
	{"9007199254740992", "an integer beyond 2^53 at byte 0"},
	{"[-9007199254740992]", "an integer beyond 2^53 at byte 1"},
	{"\"", "the text ends inside a string at byte 1"},
	{"\"a", "the text ends inside a string at byte 2"},
	{"\"\\", "the text ends inside a string at byte 2"},
	{"\"\\x\"", "an unknown escape at byte 2"},
	{"\"\\u12\"", "four hexadecimal digits are missing at byte 3"},
	{"\"\\u12g4\"", "four hexadecimal digits are missing at byte 3"},
	{"\"\\u0000\"", "a NUL character is not allowed at byte 3"},
	{"\"\\ud800\"", "half a surrogate pair at byte 3"},
	{"\"\\ud800x\"", "half a surrogate pair at byte 3"},
	{"\"\\ud800\\u0041\"", "half a surrogate pair at byte 3"},
	{"\"\\udc00\"", "half a surrogate pair at byte 3"},
	{"\"a\nb\"", "a control character inside a string at byte 2"},
	{"\"\x1f\"", "a control character inside a string at byte 1"},
	{"\"\x80\"", "bytes that are not UTF-8 at byte 1"},
	{"\"\xc0\xaf\"", "bytes that are not UTF-8 at byte 1"},
	{"\"\xe0\x80\x80\"", "bytes that are not UTF-8 at byte 1"},
	{"\"\xed\xa0\x80\"", "bytes that are not UTF-8 at byte 1"},
	{"\"\xf4\x90\x80\x80\"", "bytes that are not UTF-8 at byte 1"},
	{"\"\xc3", "bytes that are not UTF-8 at byte 1"},
	{"\xef\xbb\xbf{}", "no JSON value at byte 0"},
	{"{\"a\":1,\"a\":2}", "a second \"a\" in one object at byte 7"},
	{"{\"a\":1,\"\\u0061\":2}", "a second \"\\u0061\" in one object at byte 7"},
	{"{\"/\":1,\"b\":1,\"\\/\":2}", "a second \"\\/\" in one object at byte 13"},
	{"{\"\xc3\xa9\":1,\"\\u00e9\":2}", "a second \"\\u00e9\" in one object at byte 8"},
	{"[{\"a\":{\"b\":1,\"b\":2}}]", "a second \"b\" in one object at byte 13"},
};

static void malformed_texts_are_refused(void **state)
{
	struct err e;
	char want[200];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		err_clear(&e);
		snprintf(want, sizeof(want), "t: %s", bads[i].msg);
		assert_int_equal(jscan_check("t", jspan_of(bads[i].text), 0, &e), -1);
		assert_string_equal(e.msg, want);
		assert_int_equal(e.kind, ERR_DECODE);
	}
}

static void a_nul_byte_ends_nothing(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(jscan_check("t", (struct jspan){"{}\0", 3}, 0, &e), -1);
	assert_string_equal(e.msg, "t: something follows the JSON text at byte 2");
	assert_int_equal(jscan_check("t", (struct jspan){"\"\0\"", 3}, 0, &e), -1);
	assert_string_equal(e.msg, "t: a control character inside a string at byte 1");
}

static void every_prefix_of_a_conf_is_refused(void **state)
{
	static const char conf[] = "{\"a\":[1,2.5e-3,{\"b\":\"\\u00e9\xc3\xa9\",\"c\":null}],\"d\":"
				   "true}";
	struct err e;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(conf) - 1; n++)
		assert_int_equal(jscan_check("t", (struct jspan){conf, n}, 0, &e), -1);
	assert_int_equal(jscan_check("t", (struct jspan){conf, n}, 0, &e), 0);
}

static void good_texts_pass(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" { } ",
		"null",
		"-0",
		"0.5",
		"1E5",
		"9007199254740991",
		"-9007199254740991",
		"99999999999999999999.5",
		"1e400",
		"\"\\ud83d\\ude00\"",
		"\"\xf0\x9f\x98\x80 \xed\x9f\xbf \xf4\x8f\xbf\xbf\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\"",
		"{\"a\":1,\"A\":2,\"\":3,\"aa\":{\"a\":4}}",
		"[1 , 2\t,\r\n3]",
	};
	struct err e = {0};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(jscan_check("t", jspan_of(good[i]), 0, &e), 0);
		assert_string_equal(e.msg, "");
	}
}

static void flags(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(jscan_check("t", jspan_of("18446744073709551616"), JSCAN_BIG_INTS, &e), 0);
	assert_int_equal(jscan_check("t", jspan_of(" {}"), JSCAN_OBJECT, &e), 0);
	assert_int_equal(jscan_check("t", jspan_of(" []"), JSCAN_OBJECT, &e), -1);
	assert_string_equal(e.msg, "t: not a JSON object at byte 1");
	assert_int_equal(jscan_check("t", (struct jspan){NULL, 0}, 0, &e), -1);
}

/* Others' texts, as Go reads them. */
static void lax(void **state)
{
	static const struct {
		const char *text, *note;
	} cases[] = {
		{"{\"a\":1}", ""},
		{"{\"a\":1,\"a\":2}", "t: a second \"a\" in one object, which counts, at byte 7"},
		{"{\"a\":1,\"\\u0061\":2}",
		 "t: a second \"\\u0061\" in one object, which counts, at byte 7"},
		{"[\"\xff\",\"\xfe\"]", "t: bytes that are not UTF-8 at byte 2"},
		{"\"\\u0000 \\ud800 \\udc00\"", ""},
		{"123456789012345678901234567890", ""},
	};
	static const char *const bad[] = {"{\"a\":1",  "{} {}",    "\xef\xbb\xbf{}",
					  "\"\\ud8\"", "\"\x01\"", "{\"a\" 1}",
					  "",          "{'a':1}"};
	struct jspan found = {0};
	char note[JSCAN_NOTE_LEN];
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(jscan_check_lax("t", jspan_of(cases[i].text), note, &e), 0);
		assert_string_equal(note, cases[i].note);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(jscan_check_lax("t", jspan_of(bad[i]), NULL, &e), -1);
	assert_true(jspan_find(jspan_of("{\"a\":1,\"b\":0,\"a\":2}"), "a", &found));
	assert_int_equal(*found.p, '2');
	assert_true(jspan_is(jspan_of("\"\\ud800\\u0000\\ud83d\\ude00\""),
			     "\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80"));
}

static void depth_ends_at_64(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};
	int i;

	(void)state;
	for (i = 0; i < 64; i++)
		sb_puts(&sb, "[");
	for (i = 0; i < 64; i++)
		sb_puts(&sb, "]");
	assert_int_equal(jscan_check("t", jspan_of(sb_get(&sb)), 0, &e), 0);
	sb_clear(&sb);
	for (i = 0; i < 100000; i++)
		sb_puts(&sb, "{\"a\":");
	assert_int_equal(jscan_check("t", jspan_of(sb_get(&sb)), 0, &e), -1);
	assert_string_equal(e.msg, "t: more than 64 levels at byte 320");
}

static void many_members_cost_little(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};
	int64_t start;
	int i;

	(void)state;
	sb_puts(&sb, "{\"k0\":0");
	for (i = 1; i < JSON_MAX_NAMES; i++)
		sb_printf(&sb, ",\"k%d\":0", i);
	start = clock_now_ms();
	assert_int_equal(jscan_check("t", (struct jspan){sb.data, sb.len}, 0, &e), -1);
	assert_int_equal(jscan_check("t", jspan_of("{}"), 0, &e), 0);
	sb_puts(&sb, "}");
	assert_int_equal(jscan_check("t", (struct jspan){sb.data, sb.len}, 0, &e), 0);
	/* Comparing all with all would take half a minute. */
	assert_true(clock_now_ms() - start < test_ms(5000));
	sb.data[sb.len - 1] = ',';
	sb_puts(&sb, "\"k77\":1}");
	assert_int_equal(jscan_check("t", (struct jspan){sb.data, sb.len}, 0, &e), -1);
	assert_non_null(strstr(e.msg, "too many members in one object"));
}

static void a_double_among_many_is_found(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};
	int i;

	(void)state;
	sb_puts(&sb, "{\"k0\":0");
	for (i = 1; i < 100; i++)
		sb_printf(&sb, ",\"k%d\":0", i);
	sb_puts(&sb, ",\"\\u006b50\":1}");
	assert_int_equal(jscan_check("t", (struct jspan){sb.data, sb.len}, 0, &e), -1);
	assert_non_null(strstr(e.msg, "a second \"\\u006b50\" in one object"));
}

static void span_is(struct jspan s, const char *want)
{
	assert_int_equal(s.len, strlen(want));
	assert_memory_equal(s.p, want, s.len);
}

static void members_and_elements(void **state)
{
	struct jspan doc =
		jspan_of(" { \"a\" : [1 ,\"x]\\\"\", {\"b\":{}}] , \"n\":null,\"\\u0062\":-1e5 } ");
	struct jspan_iter it = jspan_begin(doc);
	struct jspan_iter in;
	struct jspan key, value, el;

	(void)state;
	assert_true(jspan_next_member(&it, &key, &value));
	span_is(key, "\"a\"");
	span_is(value, "[1 ,\"x]\\\"\", {\"b\":{}}]");
	in = jspan_begin(value);
	assert_true(jspan_next_element(&in, &el));
	span_is(el, "1");
	assert_true(jspan_next_element(&in, &el));
	span_is(el, "\"x]\\\"\"");
	assert_true(jspan_next_element(&in, &el));
	span_is(el, "{\"b\":{}}");
	assert_false(jspan_next_element(&in, &el));
	assert_true(jspan_next_member(&it, &key, &value));
	span_is(value, "null");
	assert_true(jspan_next_member(&it, &key, &value));
	span_is(key, "\"\\u0062\"");
	span_is(value, "-1e5");
	assert_false(jspan_next_member(&it, &key, &value));
	assert_true(jspan_find(doc, "b", &value));
	span_is(value, "-1e5");
	assert_false(jspan_find(doc, "c", &value));
	assert_false(jspan_find(jspan_of("[\"b\",1]"), "b", &value));
	it = jspan_begin(jspan_of("{ }"));
	assert_false(jspan_next_member(&it, &key, &value));
	it = jspan_begin(jspan_of("12"));
	assert_false(jspan_next_element(&it, &value));
}

static void types(void **state)
{
	(void)state;
	assert_int_equal(jspan_type(jspan_of(" {}")), JTYPE_OBJECT);
	assert_int_equal(jspan_type(jspan_of("[]")), JTYPE_ARRAY);
	assert_int_equal(jspan_type(jspan_of("\"\"")), JTYPE_STRING);
	assert_int_equal(jspan_type(jspan_of("-1")), JTYPE_NUMBER);
	assert_int_equal(jspan_type(jspan_of("false")), JTYPE_BOOL);
	assert_int_equal(jspan_type(jspan_of("null")), JTYPE_NULL);
	assert_int_equal(jspan_type(jspan_of(NULL)), JTYPE_NONE);
}

static void strings_decode(void **state)
{
	struct jspan s = jspan_of("\"a\\n\\u00e9\\ud83d\\ude00\\\"\\/\\\\\"");
	AUTO(free) char *text = jspan_decode(s);

	(void)state;
	assert_string_equal(text, "a\n\xc3\xa9\xf0\x9f\x98\x80\"/\\");
	assert_true(jspan_is(s, text));
	assert_false(jspan_is(s, "a\n"));
	assert_false(jspan_is(jspan_of("\"ab\""), "abc"));
	assert_true(jspan_starts(jspan_of("\"cni.dev\\/x\""), "cni.dev/"));
	assert_false(jspan_starts(jspan_of("\"cni.de\""), "cni.dev/"));
	assert_null(jspan_decode(jspan_of("1")));
	assert_false(jspan_is(jspan_of("1"), "1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_texts_are_refused),
		cmocka_unit_test(a_nul_byte_ends_nothing),
		cmocka_unit_test(every_prefix_of_a_conf_is_refused),
		cmocka_unit_test(good_texts_pass),
		cmocka_unit_test(flags),
		cmocka_unit_test(lax),
		cmocka_unit_test(depth_ends_at_64),
		cmocka_unit_test(many_members_cost_little),
		cmocka_unit_test(a_double_among_many_is_found),
		cmocka_unit_test(members_and_elements),
		cmocka_unit_test(types),
		cmocka_unit_test(strings_decode),
	};

	return cmocka_run_group_tests_name("jscan", tests, NULL, NULL);
}
