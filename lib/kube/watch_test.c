/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/kube/json.h"
#include "lib/kube/request.h"
#include "lib/kube/watch.h"

static const char stream[] =
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}}\n"
	"\n"
	"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"b \\u00e9\"}}}\r\n"
	"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"c\"}}}\n"
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n"
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\","
	"\"message\":\"too old\"}}\n";

/* What came out, as text. */
static void drain(struct kube_decoder *d, struct sb *out)
{
	struct kube_event event;
	struct err e = {0};
	int rc;

	while ((rc = kube_decoder_next(d, &event, &e)) == 1) {
		const char *name = kube_json_meta(event.object, "name");

		sb_printf(out, "%s %s;", kube_event_name(event.type), name ? name : "-");
	}
	assert_int_equal(rc, 0);
}

#define WANTED "ADDED a;MODIFIED b \xc3\xa9;DELETED c;BOOKMARK -;ERROR -;"

static void feed_in_pieces(size_t (*piece)(void))
{
	AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};

	for (size_t at = 0; at < strlen(stream);) {
		size_t n = piece();

		if (n > strlen(stream) - at)
			n = strlen(stream) - at;
		assert_int_equal(kube_decoder_feed(d, stream + at, n, &e), 0);
		drain(d, &out);
		at += n;
	}
	assert_string_equal(sb_get(&out), WANTED);
	assert_int_equal(kube_decoder_pending(d), 0);
}

static size_t one(void)
{
	return 1;
}

static size_t all(void)
{
	return sizeof(stream);
}

static uint32_t seed;

static size_t some(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 16 & 63;
}

static void test_any_pieces(void **state)
{
	(void)state;
	feed_in_pieces(one);
	feed_in_pieces(all);
	for (seed = 0; seed < 200; seed++) {
		uint32_t kept = seed;

		feed_in_pieces(some);
		seed = kept;
	}
}

static void test_feed_without_taking(void **state)
{
	AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
	AUTO(sb_done) struct sb out = SB_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(kube_decoder_feed(d, stream, 100, &e), 0);
	assert_int_equal(kube_decoder_feed(d, "", 0, &e), 0);
	assert_int_equal(kube_decoder_feed(d, stream + 100, strlen(stream) - 100, &e), 0);
	drain(d, &out);
	assert_string_equal(sb_get(&out), WANTED);
	assert_int_equal(kube_decoder_feed(d, "{\"ty", 4, &e), 0);
	drain(d, &out);
	assert_int_equal(kube_decoder_pending(d), 4);
}

static void test_error_event(void **state)
{
	AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
	const char *line = strstr(stream, "{\"type\":\"ERROR");
	struct kube_event event;
	char reason[40] = "";
	struct err e = {0};

	(void)state;
	assert_int_equal(kube_decoder_feed(d, line, strlen(line), &e), 0);
	assert_int_equal(kube_decoder_next(d, &event, &e), 1);
	assert_int_equal(kube_status_err(event.object, 0, reason, &e), -1);
	assert_int_equal(e.kind, ERR_GONE);
	assert_int_equal(e.num, 410);
	assert_string_equal(e.msg, "too old");
	assert_string_equal(reason, "Expired");
}

static void test_not_events(void **state)
{
	static const struct {
		const char *line, *msg;
	} rows[] = {
		{"{\"type\":\"FOO\",\"object\":{}}\n", "watch: type: not an event: \"FOO\""},
		{"[]\n", NULL},
		{"{\"object\":{}}\n", NULL},
		{"{\"type\":\"ADDED\"}\n", NULL},
		{"{\"type\":\"ADDED\",\"object\":[]}\n", NULL},
		{"{\"type\":\"ADDED\",\"object\":{}\n", NULL},
		{"{\"type\":\"ADDED\",\"object\":{}}x\n", NULL},
		{"\x01\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
		struct kube_event event;
		struct err e = {0};

		assert_int_equal(kube_decoder_feed(d, rows[i].line, strlen(rows[i].line), &e), 0);
		assert_int_equal(kube_decoder_next(d, &event, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		if (rows[i].msg)
			assert_string_equal(e.msg, rows[i].msg);
		/* Lost for good. */
		assert_int_equal(kube_decoder_next(d, &event, &e), -1);
		assert_int_equal(kube_decoder_feed(d, "x", 1, &e), -1);
		assert_string_equal(e.msg, "watch: the stream is lost");
	}
}

static void test_line_limit(void **state)
{
	AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
	AUTO(sb_done) struct sb line = SB_INIT;
	struct kube_event event;
	struct err e = {0};

	(void)state;
	sb_puts(&line, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"big\"},\"a\":\"");
	while (line.len < KUBE_WATCH_LINE_MAX - 3)
		sb_putc(&line, 'x');
	sb_puts(&line, "\"}}\n");
	/* One byte more than the limit before its newline. */
	assert_int_equal(line.len, KUBE_WATCH_LINE_MAX + 1);
	assert_int_equal(kube_decoder_feed(d, line.data, line.len, &e), 0);
	assert_int_equal(kube_decoder_next(d, &event, &e), 1);
	assert_string_equal(kube_json_meta(event.object, "name"), "big");
	assert_int_equal(kube_decoder_next(d, &event, &e), 0);
	line.data[line.len - 1] = ' ';
	for (size_t at = 0; at < KUBE_WATCH_LINE_MAX; at += 65536)
		assert_int_equal(kube_decoder_feed(d, line.data + at, 65536, &e), 0);
	assert_int_equal(kube_decoder_feed(d, " ", 1, &e), -1);
	assert_string_equal(e.msg, "watch: a line is longer than 16777216 bytes");
}

/* A user may write a NUL into an annotation; it must not stop the stream. */
static void test_escaped_nul(void **state)
{
	char text[] = "{\"a\":\"x\\u0000y\",\"b\":\"\\\\u0000\",\"c\":\"\\\\\\u0000\"}";
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	const char *s = NULL;
	struct err e = {0};
	struct jval root;

	(void)state;
	assert_int_equal(kube_json_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(jget_str(&root, "a", &s, &e), 1);
	assert_string_equal(s, "x\xef\xbf\xbdy");
	assert_int_equal(jget_str(&root, "b", &s, &e), 1);
	assert_string_equal(s, "\\u0000");
	assert_int_equal(jget_str(&root, "c", &s, &e), 1);
	assert_string_equal(s, "\\\xef\xbf\xbd");
}

/* What users and their clients may write, and the API server hands on. */
static void test_managed_fields_refuse_nothing(void **state)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct jval root, meta, fields;
	struct err e = {0};

	(void)state;
	sb_puts(&text, "{\"metadata\":{\"name\":\"a\",\"managedFields\" : [{\"f:a\\u0000\":{},"
		       "\"f:a\\ufffd\":{},\"]\\\"\":");
	for (int i = 0; i < 20000; i++)
		sb_puts(&text, "{\"f:a\":");
	sb_puts(&text, "1");
	for (int i = 0; i < 20000; i++)
		sb_puts(&text, "}");
	sb_puts(&text, "}],\"labels\":{\"managedFields\":\"[\"}}}");
	assert_int_equal(kube_json_parse("t", text.data, text.len, &doc, &e), 0);
	root = jdoc_root(doc);
	assert_string_equal(kube_json_meta(&root, "name"), "a");
	assert_int_equal(jget_obj(&root, "metadata", &meta, &e), 1);
	assert_int_equal(jget_arr(&meta, "managedFields", &fields, &e), 1);
	assert_int_equal(jlen(&fields), 0);
	assert_non_null(strstr(text.data, "\"labels\":{\"managedFields\":\"[\"}"));
}

static void test_depth_is_cut(void **state)
{
	AUTO(sb_done) struct sb text = SB_INIT, want = SB_INIT;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		sb_puts(&text, "[");
		sb_puts(&want, i < 64 ? "[" : " ");
	}
	for (int i = 0; i < 10000; i++) {
		sb_puts(&text, "]");
		sb_puts(&want, i < 10000 - 64 ? " " : "]");
	}
	assert_int_equal(kube_json_parse("t", text.data, text.len, &doc, &e), 0);
	assert_string_equal(text.data, want.data);
}

static void test_many_annotations(void **state)
{
	AUTO(sb_done) struct sb text = SB_INIT;
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};

	(void)state;
	sb_puts(&text, "{\"a\":0");
	for (int i = 0; i < 66000; i++)
		sb_printf(&text, ",\"%x\":\"\"", i);
	sb_puts(&text, "}");
	text.data[2] = '_';
	assert_int_equal(kube_json_parse("t", text.data, text.len, &doc, &e), 0);
}

/* One object that cannot be read costs itself; the stream goes on. */
static void test_unreadable_object(void **state)
{
	static const char lines[] =
		"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"labels\":{\"name\":\"x\"},"
		"\"namespace\":\"ns\",\"name\":\"a\"},\"b\":1,\"b\":2}}\n"
		"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"c\"},\"b\":01}}\n"
		"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"d\"}}}\n";
	AUTO(kube_decoder_free) struct kube_decoder *d = kube_decoder_new();
	struct kube_event event;
	struct err e = {0};

	(void)state;
	assert_int_equal(kube_decoder_feed(d, lines, strlen(lines), &e), 0);
	assert_int_equal(kube_decoder_next(d, &event, &e), 1);
	assert_int_equal(event.type, KUBE_EVENT_MODIFIED);
	assert_null(event.object);
	assert_string_equal(event.key, "ns/a");
	assert_string_equal(event.why->msg, "watch: a second \"b\" in one object at byte 98");
	assert_int_equal(kube_decoder_next(d, &event, &e), 1);
	assert_int_equal(event.type, KUBE_EVENT_DELETED);
	assert_null(event.object);
	assert_string_equal(event.key, "c");
	assert_int_equal(kube_decoder_next(d, &event, &e), 1);
	assert_string_equal(kube_json_meta(event.object, "name"), "d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_feed_without_taking),
		cmocka_unit_test(test_error_event),
		cmocka_unit_test(test_not_events),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_escaped_nul),
		cmocka_unit_test(test_managed_fields_refuse_nothing),
		cmocka_unit_test(test_depth_is_cut),
		cmocka_unit_test(test_many_annotations),
		cmocka_unit_test(test_unreadable_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
