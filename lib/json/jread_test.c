/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time_test.h"
#include "lib/json/jread.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jscan.h"

static const char text[] =
	"{\"name\":\"cbr0\",\"n\":null,\"yes\":true,\"lax\":\"false\",\"i\":-7,\"f\":1.5,"
	"\"max\":9007199254740991,\"big\":9007199254740993,\"huge\":1e300,"
	"\"plugins\":[{\"type\":\"a\"},{\"ipam\":{\"routes\":[{\"dst\":5}],\"a.b/c\":1}}]}";

static struct jdoc *parse(const char *s)
{
	struct err e = {0};
	struct jdoc *doc = NULL;

	assert_int_equal(jdoc_parse("stdin", s, strlen(s), &doc, &e), 0);
	return doc;
}

static void getters_find(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = parse(text);
	struct jval root = jdoc_root(doc);
	struct err e = {0};
	const char *s = NULL;
	bool b = false;
	int64_t i = 0;

	(void)state;
	assert_int_equal(jget_str(&root, "name", &s, &e), 1);
	assert_string_equal(s, "cbr0");
	assert_int_equal(jget_str(&root, "Name", &s, &e), 0);
	assert_int_equal(jget_str(&root, "n", &s, &e), 0);
	assert_string_equal(s, "cbr0");
	assert_int_equal(jget_bool(&root, "yes", &b, &e), 1);
	assert_true(b);
	assert_int_equal(jget_bool_lax(&root, "lax", &b, &e), 1);
	assert_false(b);
	assert_int_equal(jget_bool_lax(&root, "yes", &b, &e), 1);
	assert_true(b);
	assert_int_equal(jget_i64(&root, "i", JRANGE(-7, 7), &i, &e), 1);
	assert_int_equal(i, -7);
	assert_int_equal(jget_i64(&root, "max", JRANGE(0, INT64_MAX), &i, &e), 1);
	assert_true(i == 9007199254740991);
	assert_string_equal(e.msg, "");
}

static void wrong_types_name_the_path(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = parse(text);
	struct jval root = jdoc_root(doc);
	struct jval list, plugin, ipam, routes, route;
	struct err e = {0};
	const char *s = NULL;
	bool b;
	int64_t i = 3;

	(void)state;
	assert_int_equal(jneed_arr(&root, "plugins", &list, &e), 0);
	assert_int_equal(jat(&list, 1, &plugin), 1);
	assert_int_equal(jat(&list, 2, &plugin), 0);
	assert_int_equal(jneed_obj(&plugin, "ipam", &ipam, &e), 0);
	assert_int_equal(jneed_arr(&ipam, "routes", &routes, &e), 0);
	assert_int_equal(jat(&routes, 0, &route), 1);
	assert_int_equal(jneed_str(&route, "dst", &s, &e), -1);
	assert_string_equal(e.msg, "stdin: plugins[1].ipam.routes[0].dst: must be a string");
	assert_int_equal(e.kind, ERR_DECODE);
	assert_int_equal(jneed_str(&route, "gw", &s, &e), -1);
	assert_string_equal(e.msg, "stdin: plugins[1].ipam.routes[0].gw: is missing");
	assert_int_equal(jget_str(&ipam, "a.b/c", &s, &e), -1);
	assert_string_equal(e.msg, "stdin: plugins[1].ipam[\"a.b/c\"]: must be a string");
	assert_int_equal(jget_bool(&root, "lax", &b, &e), -1);
	assert_string_equal(e.msg, "stdin: lax: must be true or false");
	assert_int_equal(jget_bool_lax(&root, "name", &b, &e), -1);
	assert_int_equal(jget_obj(&root, "plugins", &ipam, &e), -1);
	assert_string_equal(e.msg, "stdin: plugins: must be an object");
	assert_int_equal(jget_arr(&root, "name", &list, &e), -1);
	assert_string_equal(e.msg, "stdin: name: must be an array");
	assert_int_equal(jget_str(&list, "x", &s, &e), -1);
	assert_string_equal(e.msg, "stdin: plugins: must be an object");
	assert_int_equal(jneed_str(&root, "missing", &s, &e), -1);
	assert_string_equal(e.msg, "stdin: missing: is missing");
	assert_int_equal(i, 3);
}

static void integers_are_exact_or_refused(void **state)
{
	static const char *const bad[] = {"f", "big", "huge", "name", "yes"};
	AUTO(jdoc_free) struct jdoc *doc = parse(text);
	struct jval root = jdoc_root(doc);
	struct err e = {0};
	int64_t v = 42;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_int_equal(jget_i64(&root, bad[i], JRANGE(INT64_MIN, INT64_MAX), &v, &e), -1);
	assert_int_equal(jget_i64(&root, "i", JRANGE(0, 4094), &v, &e), -1);
	assert_string_equal(e.msg, "stdin: i: must be a whole number from 0 to 4094");
	assert_int_equal(v, 42);
}

static void absent_objects_have_no_members(void **state)
{
	struct jval none = {0};
	struct err e = {0};
	const char *s = "x";

	(void)state;
	assert_int_equal(jget_str(&none, "a", &s, &e), 0);
	assert_int_equal(jneed_str(&none, "a", &s, &e), -1);
	assert_string_equal(e.msg, "a is missing");
	assert_int_equal(jlen(&none), 0);
}

static void walking(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = parse("{\"a\":1,\"b\":[\"x\",2,null]}");
	struct jval root = jdoc_root(doc);
	struct jiter it = jiter_of(&root);
	struct jval v, el;

	(void)state;
	assert_true(jiter_next(&it, &v));
	assert_string_equal(v.key, "a");
	assert_true(jis_num(&v));
	assert_true(jiter_next(&it, &v));
	assert_string_equal(v.key, "b");
	assert_false(jiter_next(&it, &el));
	assert_int_equal(jlen(&v), 3);
	assert_int_equal(jat(&v, 0, &el), 1);
	assert_string_equal(jstr(&el), "x");
	assert_null(el.key);
	assert_int_equal(jat(&v, 2, &el), 1);
	assert_true(jis_null(&el));
	assert_int_equal(jat(&root, 0, &el), 0);
	assert_int_equal(jmember(&root, 1, &el), 1);
	assert_true(jis_arr(&el));
	assert_int_equal(jmember(&v, 0, &el), 0);
}

static void errors_of_callers(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = parse("{\"spec\":{\"vlan\":1}}");
	struct jval root = jdoc_root(doc);
	struct jval spec;
	struct err e = {0};

	(void)state;
	assert_int_equal(jneed_obj(&root, "spec", &spec, &e), 0);
	assert_int_equal(jerr(&spec, "vlan", &e, ERR_CONFIG, "%d is odd", 1), -1);
	assert_string_equal(e.msg, "stdin: spec.vlan: 1 is odd");
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_int_equal(jas_obj(&spec, &e), 0);
}

static void what_the_scanner_refuses_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"a\":1} x", "{\"a\":1,\"a\":2}", "\"\\u0000\"", "\"\xff\"", "",
		/* cJSON takes 63 characters of a number. */
		"1234567890123456789012345678901234567890123456789012345678901234567890"};
	struct jdoc *doc = NULL;
	struct err e = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		assert_int_equal(jdoc_parse("stdin", bad[i], strlen(bad[i]), &doc, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_null(doc);
	}
	assert_string_equal(e.msg, "stdin: a number of more than 63 characters at byte 0");
}

static void big_lists_are_walked_in_linear_time(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, items, item, meta;
	struct jiter it;
	struct err e = {0};
	const char *name = NULL;
	int64_t start = clock_now_ms();
	int i, n = 0;

	(void)state;
	sb_puts(&sb, "{\"items\":[");
	for (i = 0; i < 100000; i++)
		sb_printf(&sb,
			  "%s{\"metadata\":{\"name\":\"p%d\",\"bad\":1},\"spec\":{\"a\":[1,2,3]}}",
			  i ? "," : "", i);
	sb_puts(&sb, "]}");
	assert_int_equal(jdoc_parse("list", sb.data, sb.len, &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jneed_arr(&root, "items", &items, &e), 0);
	for (it = jiter_of(&items); jiter_next(&it, &item); n++) {
		assert_int_equal(jneed_obj(&item, "metadata", &meta, &e), 0);
		assert_int_equal(jneed_str(&meta, "name", &name, &e), 0);
	}
	assert_int_equal(n, 100000);
	assert_string_equal(name, "p99999");
	/* The path of what lies too deep in is not searched to the end. */
	assert_int_equal(jneed_str(&meta, "bad", &name, &e), -1);
	assert_string_equal(e.msg, "list: ...bad: must be a string");
	assert_true(clock_now_ms() - start < test_ms(10000));
}

/* Others' texts: the last of two counts, and what is half a character does not end a string. */
static void lax_documents(void **state)
{
	static const char doubled[] =
		"{\"a\":1,\"o\":{\"x\":1},\"a\":\"\xff\\ud83d \\u0000\\ud83d\\ude00\\\\u0000\",\"o\":{\"y\":2,\"y\":3}}";
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, o, x = {0};
	const char *a = NULL;
	struct err e = {0};
	int64_t y = 0;

	(void)state;
	assert_int_equal(jdoc_parse_lax("t", jspan_of(doubled), &doc, NULL, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jget_str(&root, "a", &a, &e), 1);
	assert_string_equal(a, "\xff\xef\xbf\xbd \xef\xbf\xbd\xf0\x9f\x98\x80\\u0000");
	assert_int_equal(jget_obj(&root, "o", &o, &e), 1);
	assert_int_equal(jget(&o, "x", &x, &e), 0);
	assert_int_equal(jget_i64(&o, "y", JRANGE(0, 9), &y, &e), 1);
	assert_int_equal(y, 3);
	assert_int_equal(jlen(&root), 2);
}

/* Names in any case once it is asked for, levels and digits beyond what cJSON reads. */
static void as_go_reads(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL, *deep = NULL;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jval root, at;
	const char *s = NULL;
	struct err e = {0};
	int64_t n = 0;
	int i;

	(void)state;
	sb_puts(&sb,
		"{\"NAME\":\"a\",\"Name\":\"b\",\"naMe\":null,\"x\":1,\"X\":2,\"y\":null,\"Y\":3,\"s\":\"");
	for (i = 0; i < 100; i++)
		sb_puts(&sb, "7");
	sb_puts(&sb, "\",\"long\":1.");
	for (i = 0; i < 100; i++)
		sb_puts(&sb, "0");
	sb_puts(&sb, "e2}");
	assert_int_equal(jdoc_parse_lax("t", (struct jspan){sb.data, sb.len}, &doc, NULL, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jget_str(&root, "name", &s, &e), 0);
	jdoc_any_case(doc);
	assert_int_equal(jget_str(&root, "name", &s, &e), 1);
	assert_string_equal(s, "b");
	assert_int_equal(jget_i64(&root, "x", JRANGE(0, 9), &n, &e), 1);
	assert_int_equal(n, 1);
	assert_int_equal(jget_i64(&root, "y", JRANGE(0, 9), &n, &e), 1);
	assert_int_equal(n, 3);
	assert_int_equal(jget_i64(&root, "long", JRANGE(0, 999), &n, &e), 1);
	assert_int_equal(n, 100);
	assert_int_equal(jget_str(&root, "s", &s, &e), 1);
	assert_int_equal(strlen(s), 100);

	sb.len = 0;
	for (i = 0; i < JSON_LAX_DEPTH; i++)
		sb_puts(&sb, "[");
	for (i = 0; i < JSON_LAX_DEPTH; i++)
		sb_puts(&sb, "]");
	assert_int_equal(jdoc_parse("t", sb.data, sb.len, &deep, &e), -1);
	assert_string_equal(e.msg, "t: more than 64 levels at byte 64");
	assert_int_equal(jdoc_parse_lax("t", (struct jspan){sb.data, sb.len}, &deep, NULL, &e), 0);
	/* The way to the innermost is told. */
	at = jdoc_root(deep);
	while (jat(&at, 0, &at))
		;
	assert_int_equal(jas_obj(&at, &e), -1);
	assert_true(str_starts(e.msg, "t: [0][0][0]"));
	sb_puts(&sb, "]");
	sb.data[JSON_LAX_DEPTH] = '[';
	err_clear(&e);
	jdoc_free(deep);
	deep = NULL;
	assert_int_equal(jdoc_parse_lax("t", (struct jspan){sb.data, sb.len}, &deep, NULL, &e), -1);
	assert_string_equal(e.msg, "t: more than 1000 levels at byte 1000");
}

/* A user's strings in what is ours: as strict as ever, but for them. */
static void odd_documents(void **state)
{
	static const char odd[] = "{\"a\":\"\\u0000 \\ud800x\\ud83d\\ude00\"}";
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jdoc *no = NULL;
	struct err e = {0};
	const char *a = "";
	struct jval root;

	(void)state;
	assert_int_equal(jdoc_parse("t", odd, strlen(odd), &no, &e), -1);
	assert_int_equal(jdoc_parse_odd("t", jspan_of(odd), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jget_str(&root, "a", &a, &e), 1);
	assert_string_equal(a, "\xef\xbf\xbd \xef\xbf\xbdx\xf0\x9f\x98\x80");
	assert_int_equal(jdoc_parse_odd("t", jspan_of("{\"a\":1,\"a\":2}"), &no, &e), -1);
	assert_int_equal(jdoc_parse_odd("t", jspan_of("\"\xff\""), &no, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lax_documents),
		cmocka_unit_test(as_go_reads),
		cmocka_unit_test(odd_documents),
		cmocka_unit_test(getters_find),
		cmocka_unit_test(wrong_types_name_the_path),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(absent_objects_have_no_members),
		cmocka_unit_test(walking),
		cmocka_unit_test(errors_of_callers),
		cmocka_unit_test(what_the_scanner_refuses_is_refused),
		cmocka_unit_test(big_lists_are_walked_in_linear_time),
	};

	return cmocka_run_group_tests_name("jread", tests, NULL, NULL);
}
