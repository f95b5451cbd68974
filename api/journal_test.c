/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include "api/journal.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/json/text_test.h"

#define LINE "1764500000 + 10.0.0.5 shop/web-1 p1 n1 02:00:00:00:00:05 r1 -"

static struct api_change change(void)
{
	struct api_change c = {.at = 1764500000,
			       .given = true,
			       .pod = "shop/web-1",
			       .pod_uid = "p1",
			       .node = "n1",
			       .mac = "02:00:00:00:00:05",
			       .record_uid = "r1"};

	assert_int_equal(ip_parse("10.0.0.5", &c.addr), 0);
	return c;
}

static void a_line_and_back(void **state)
{
	struct api_change c = change(), back;
	AUTO(free) char *tail = api_change_tail(&c);
	AUTO(free) char *line = api_change_line(&c, tail);

	(void)state;
	assert_string_equal(line, LINE);
	assert_int_equal(api_change_parse(line, &back), 0);
	assert_int_equal(back.at, 1764500000);
	assert_true(back.given);
	assert_true(ip_eq(&back.addr, &c.addr));
	assert_string_equal(back.pod, "shop/web-1");
	assert_string_equal(back.pod_uid, "p1");
	assert_string_equal(back.node, "n1");
	assert_string_equal(back.mac, "02:00:00:00:00:05");
	assert_string_equal(back.record_uid, "r1");
	assert_string_equal(back.why, "");
}

/* Nothing that somebody calls his node or pod makes a line of its own, or another field. */
static void hostile_names(void **state)
{
	struct api_change c = change(), back;
	AUTO(free) char *tail = NULL, *line = NULL;

	(void)state;
	c.node = "n1 x\n1 + 10.0.0.9 a b c d e f";
	tail = api_change_tail(&c);
	line = api_change_line(&c, tail);
	assert_string_equal(line, "1764500000 + 10.0.0.5 shop/web-1 p1 "
				  "n1?x?1?+?10.0.0.9?a?b?c?d?e?f 02:00:00:00:00:05 r1 -");
	assert_int_equal(api_change_parse(line, &back), 0);
}

static void lines_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"1 + 10.0.0.5 a b c d e",
		"1 + 10.0.0.5 a b c d e f g",
		"x + 10.0.0.5 a b c d e f",
		"1 * 10.0.0.5 a b c d e f",
		"1 + 10.0.0.500 a b c d e f",
		"1",
		"1 +",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(free) char *copy = xstrdup(bad[i]);
		struct api_change c;

		assert_int_equal(api_change_parse(copy, &c), -1);
	}
}

static struct api_lines lines(uint64_t next, const char *const *texts, size_t n)
{
	struct api_lines l = {.next = next};

	for (size_t i = 0; i < n; i++)
		api_lines_add(&l, xstrdup(texts[i]));
	return l;
}

static char *written(const struct api_lines *l, const struct api_lines *more, size_t max)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	api_lines_write(&w, l, more, max);
	jw_finish(&w);
	return sb_take(&sb);
}

static void waiting_lines(void **state)
{
	static const char *const old[] = {"aa", "bb", "cc"}, *const new[] = {"dd", "ee"};
	AUTO(api_lines_done) struct api_lines l = lines(10, old, 3), more = lines(0, new, 2);
	AUTO(api_lines_done) struct api_lines back = {0};
	AUTO(free) char *all = written(&l, &more, 1000);
	AUTO(free) char *some = written(&l, &more, 20);
	AUTO(free) char *none = written(&l, &more, 0);
	AUTO(jdoc_free) struct jdoc *doc = json_text(some);
	struct jval root = jdoc_root(doc);

	(void)state;
	assert_string_equal(all, "{\"next\":15,\"lines\":[\"aa\",\"bb\",\"cc\",\"dd\",\"ee\"]}");
	assert_string_equal(some, "{\"next\":15,\"lines\":[\"bb\",\"cc\",\"dd\",\"ee\"]}");
	assert_string_equal(none, "{\"next\":15,\"lines\":[]}");
	api_lines_read(&root, &back);
	assert_int_equal(back.next, 15);
	assert_int_equal(back.n, 4);
	assert_int_equal(api_lines_number(&back, 0), 11);
	api_lines_cut(&back, 13);
	assert_int_equal(back.n, 2);
	assert_int_equal(back.bytes, 4);
	assert_string_equal(back.v[0], "dd");
	assert_int_equal(api_lines_number(&back, 0), 13);
	api_lines_cut(&back, 99);
	assert_int_equal(back.n, 0);
	assert_int_equal(back.next, 15);
}

static void waiting_lines_that_are_none(void **state)
{
	static const char *const bad[] = {"{}", "{'next':1,'lines':['a','b']}",
					  "{'next':'x','lines':[]}", "{'next':-1,'lines':[]}",
					  "{'next':3}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(free) char *copy = xstrdup(bad[i]);
		AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(copy));
		AUTO(api_lines_done) struct api_lines l = {0};
		struct jval root = jdoc_root(doc);

		api_lines_read(&root, &l);
		assert_int_equal(l.next, 0);
		assert_int_equal(l.n, 0);
	}
}

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void heads(void **state)
{
	static const char *const bad[] = {"",
					  "1 2",
					  "1 2 zz 3 4",
					  "1 2 " HASH " 3",
					  "1 2 " HASH " 3 4 5",
					  "1 2 " HASH " -3 4",
					  "1 2 " HASH "0 3 4"};
	struct api_journal_head h = {0};
	AUTO(free) char *text = NULL;
	char key[24];

	(void)state;
	assert_int_equal(api_journal_head_parse("1 27 " HASH " 300 1764500000", &h), 0);
	assert_int_equal(h.part, 1);
	assert_int_equal(h.batch, 27);
	assert_string_equal(h.hash, HASH);
	assert_int_equal(h.bytes, 300);
	assert_int_equal(h.newest, 1764500000);
	text = api_journal_head_text(&h);
	assert_string_equal(text, "1 27 " HASH " 300 1764500000");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(api_journal_head_parse(bad[i], &h), -1);
	assert_string_equal(api_journal_key(27, key), "0000000027");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_and_back),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(waiting_lines),
		cmocka_unit_test(waiting_lines_that_are_none),
		cmocka_unit_test(heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
