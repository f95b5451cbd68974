/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "kubectl/print/bar.h"
#include "kubectl/print/table.h"
#include "kubectl/print/yaml.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/text_test.h"

static void test_table(void **state)
{
	static const char *const heads[] = {"NAME", "WHY"};
	AUTO(table_done) struct table t = table_begin(heads, 2);
	AUTO(sb_done) struct sb out = SB_INIT;

	(void)state;
	table_print(&t, (struct table_look){0}, &out);
	assert_string_equal(sb_get(&out), "");
	table_add(&t, PRINT_GOOD, "a");
	table_add(&t, PRINT_PLAIN, NULL);
	table_addf(&t, PRINT_PLAIN, "%s-%d", "gr\xc3\xbc\xc3\x9f", 7);
	table_add(&t, PRINT_PLAIN,
		  "x\033[2J\r\n\x7f\xc2\x9b"
		  "1m\xff y");
	table_print(&t, (struct table_look){0}, &out);
	assert_string_equal(sb_get(&out), "NAME     WHY\n"
					  "a        -\n"
					  "gr\xc3\xbc\xc3\x9f-7   x?[2J????1m? y\n");
	sb_clear(&out);
	table_print(&t, (struct table_look){.colour = true, .no_headers = true}, &out);
	assert_string_equal(sb_get(&out), "\033[32ma\033[0m        -\n"
					  "gr\xc3\xbc\xc3\x9f-7   x?[2J????1m? y\n");
}

static void test_span(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} rows[] = {{-5, "0s"},     {0, "0s"},      {119, "119s"},      {120, "2m"},
		    {7199, "119m"}, {7200, "2h0m"}, {172799, "47h59m"}, {172800, "2d"}};
	char buf[PRINT_SPAN_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(print_span(rows[i].s, buf), rows[i].text);
}

static void test_bar(void **state)
{
	static const struct {
		struct bar_counts n;
		const char *text;
	} rows[] = {
		{{0, 0, 0, 0, 0}, "[]"},
		{{100, 0, 0, 0, 0}, "[....................]"},
		{{100, 100, 0, 0, 0}, "[####################]"},
		{{100, 50, 0, 0, 0}, "[##########..........]"},
		/* Whatever there is can be seen, however little. */
		{{65536, 1, 1, 2, 1}, "[#rcq................]"},
		{{65536, 65535, 0, 0, 0}, "[###################.]"},
		{{20, 3, 1, 3, 1}, "[###rccq.............]"},
		/* More than it could give, after an edit. */
		{{10, 15, 0, 5, 0}, "[###############ccccc]"},
	};
	char buf[BAR_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(bar_text(&rows[i].n, buf), rows[i].text);
}

static void test_documents(void **state)
{
	char text[] =
		"{'items':[{'a':'plain-1.2/x','b':'1.2','c':true,'d':'yes','e':-7,'f':null,'g':[],"
		"'h':{}},'x',[1]],'k y':'a: b','l':{'m':'line\\nline','n':['',{'o':1}]}}";
	AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(text));
	AUTO(sb_done) struct sb out = SB_INIT;
	struct jval root = jdoc_root(doc);

	(void)state;
	print_yaml(&root, &out);
	assert_string_equal(sb_get(&out), "items:\n"
					  "- a: plain-1.2/x\n"
					  "  b: \"1.2\"\n"
					  "  c: true\n"
					  "  d: \"yes\"\n"
					  "  e: -7\n"
					  "  f: null\n"
					  "  g: []\n"
					  "  h: {}\n"
					  "- x\n"
					  "-\n"
					  "  - 1\n"
					  "\"k y\": \"a: b\"\n"
					  "l:\n"
					  "  m: \"line\\nline\"\n"
					  "  \"n\":\n"
					  "  - \"\"\n"
					  "  - o: 1\n");
	sb_clear(&out);
	print_json(&root, &out);
	assert_non_null(
		strstr(sb_get(&out),
		       "{\n    \"items\": [\n        {\n            \"a\": \"plain-1.2/x\",\n"));
	assert_non_null(strstr(
		sb_get(&out),
		"            \"g\": [],\n            \"h\": {}\n        },\n        \"x\",\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
