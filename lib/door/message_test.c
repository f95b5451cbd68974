/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/door/message.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/door/frame.h"

/* ------------------------------------------------------------------------------- frames */

static void test_pieces(void **state)
{
	static const char text[] = "\0\0\0\5hello";

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		AUTO(door_frame_done) struct door_frame f = {.max = 5};
		struct err e = {0};
		size_t at = 0, len = 0;

		while (at < sizeof(text) - 1) {
			size_t n = sizeof(text) - 1 - at;

			n = n < piece ? n : piece;
			at += n;
			assert_int_equal(door_frame_feed(&f, text + at - n, n, &e),
					 at == sizeof(text) - 1);
		}
		assert_string_equal(door_frame_text(&f, &len), "hello");
		assert_int_equal(len, 5);
		assert_int_equal(door_frame_feed(&f, "x", 1, &e), -1);
	}
}

static void test_wants(void **state)
{
	AUTO(door_frame_done) struct door_frame f = {.max = 5};
	struct err e = {0};

	(void)state;
	assert_int_equal(door_frame_wants(&f), 4);
	assert_int_equal(door_frame_feed(&f, "\0\0", 2, &e), 0);
	assert_int_equal(door_frame_wants(&f), 2);
	assert_int_equal(door_frame_feed(&f, "\0\3ab", 4, &e), 0);
	assert_int_equal(door_frame_wants(&f), 1);
	assert_int_equal(door_frame_feed(&f, "", 0, &e), 0);
	assert_int_equal(door_frame_feed(&f, "c", 1, &e), 1);
	assert_int_equal(door_frame_wants(&f), 0);
}

static void test_bad_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *msg;
	} rows[] = {
		{"\0\0\0\0", 4, "a message of 0 bytes; 1 to 5 are possible"},
		{"\0\0\0\6", 4, "a message of 6 bytes; 1 to 5 are possible"},
		{"\xff\xff\xff\xff", 4, "a message of 4294967295 bytes; 1 to 5 are possible"},
		{"\0\0\0\1ab", 6, "bytes beyond the end of the message"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(door_frame_done) struct door_frame f = {.max = 5};
		struct err e = {0};

		assert_int_equal(door_frame_feed(&f, rows[i].bytes, rows[i].n, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

/* A length is a promise: nothing is set aside for it. */
static void test_no_more_than_came(void **state)
{
	AUTO(door_frame_done) struct door_frame f = {.max = (size_t)1 << 30};
	struct err e = {0};

	(void)state;
	assert_int_equal(door_frame_feed(&f, "\x3f\0\0\0abc", 7, &e), 0);
	assert_true(f.in.cap < 4096);
}

/* ------------------------------------------------------------------------------- requests */

#define HEAD       "{\"version\":1,\"verb\":"
#define OF         ",\"namespace\":\"a\",\"name\":\"b\",\"waitMilliseconds\":5"
#define CONDITIONS ",\"uid\":\"u\",\"resourceVersion\":\"7\""

static void assert_text(const struct sb *message, const char *text)
{
	AUTO(door_frame_done) struct door_frame f = {.max = DOOR_ANSWER_MAX};
	struct err e = {0};
	size_t len = 0;

	assert_int_equal(door_frame_feed(&f, message->data, message->len, &e), 1);
	assert_string_equal(door_frame_text(&f, &len), text);
	assert_int_equal(len, strlen(text));
}

/* Each text is what is written for what was read of it. */
static void test_requests(void **state)
{
	static const char *const texts[] = {
		HEAD "\"record\"" OF "}",
		HEAD "\"record\"" OF ",\"podUID\":\"u\"}",
		HEAD "\"record\"" OF ",\"podUID\":\"u\",\"seen\":\"12\"}",
		HEAD "\"pod\"" OF "}",
		HEAD "\"patch\"" OF CONDITIONS
		     ",\"phase\":null,\"message\":null,\"clearCardDown\":true}",
		HEAD
		"\"patch\"" OF CONDITIONS
		",\"phase\":\"Conflict\",\"message\":\"say \\\"x\\\"\",\"clearCardDown\":false}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(door_request_done) struct door_request r = {.verb = DOOR_RECORD};
		AUTO(sb_done) struct sb out = SB_INIT;
		struct err e = {0};

		assert_int_equal(door_request_read(texts[i], strlen(texts[i]), &r, &e), 0);
		assert_string_equal(r.ns, "a");
		assert_string_equal(r.name, "b");
		assert_int_equal(r.wait_ms, 5);
		door_request_write(&r, &out);
		assert_text(&out, texts[i]);
	}
}

static void test_absent_words(void **state)
{
	static const char text[] = HEAD "\"patch\"" OF CONDITIONS "}";
	AUTO(door_request_done) struct door_request r = {.verb = DOOR_RECORD};
	struct err e = {0};

	(void)state;
	assert_int_equal(door_request_read(text, sizeof(text) - 1, &r, &e), 0);
	assert_int_equal(r.verb, DOOR_PATCH);
	assert_null(r.phase);
	assert_null(r.message);
	assert_false(r.clear_card_down);
	assert_string_equal(r.uid, "u");
	assert_string_equal(r.version, "7");
}

static void test_bad_requests(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
		const char *msg;
	} rows[] = {
		{"", ERR_DECODE, "request: empty, JSON was expected"},
		{"[]", ERR_DECODE, "request: must be an object"},
		{"{}", ERR_DECODE, "request: version: is missing"},
		{"{\"version\":\"1\"}", ERR_DECODE,
		 "request: version: must be a whole number from 0 to 2147483647"},
		{"{\"version\":0}", ERR_VERSION, "request: version 0, not 1"},
		{"{\"version\":2,\"verb\":7}", ERR_VERSION, "request: version 2, not 1"},
		{"{\"version\":1}", ERR_DECODE, "request: verb: is missing"},
		{HEAD "\"list\"}", ERR_UNSUPPORTED, "request: verb: \"list\" is not known"},
		{HEAD "\"pod\"}", ERR_DECODE, "request: namespace: is missing"},
		{HEAD "\"pod\",\"namespace\":\"\"}", ERR_DECODE, "request: namespace: is missing"},
		{HEAD "\"pod\",\"namespace\":\"a\"}", ERR_DECODE, "request: name: is missing"},
		{HEAD "\"pod\",\"namespace\":\"a\",\"name\":\"b\"}", ERR_DECODE,
		 "request: waitMilliseconds: is missing"},
		{HEAD "\"pod\",\"namespace\":\"a\",\"name\":\"b\",\"waitMilliseconds\":-1}",
		 ERR_DECODE, "request: waitMilliseconds: must be a whole number from 0 to 60000"},
		{HEAD "\"pod\",\"namespace\":\"a\",\"name\":\"b\",\"waitMilliseconds\":60001}",
		 ERR_DECODE, "request: waitMilliseconds: must be a whole number from 0 to 60000"},
		{HEAD "\"record\"" OF ",\"podUID\":\"\"}", ERR_DECODE, "request: podUID: is empty"},
		{HEAD "\"record\"" OF ",\"podUID\":1}", ERR_DECODE,
		 "request: podUID: must be a string"},
		{HEAD "\"patch\"" OF "}", ERR_DECODE, "request: uid: is missing"},
		{HEAD "\"patch\"" OF ",\"uid\":\"u\",\"resourceVersion\":\"\"}", ERR_DECODE,
		 "request: resourceVersion: is missing"},
		{HEAD "\"patch\"" OF CONDITIONS ",\"clearCardDown\":1}", ERR_DECODE,
		 "request: clearCardDown: must be true or false"},
		{HEAD "\"pod\"" OF "}}", ERR_DECODE,
		 "request: something follows the JSON text at byte 74"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct door_request r = {.wait_ms = 99};
		struct err e = {0};

		assert_int_equal(door_request_read(rows[i].text, strlen(rows[i].text), &r, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(r.wait_ms, 99);
	}
}

static void test_long_names(void **state)
{
	static const struct {
		const char *format, *key;
		size_t max;
	} rows[] = {
		{HEAD "\"pod\",\"name\":\"b\",\"waitMilliseconds\":5,\"namespace\":\"%s\"}",
		 "namespace", 253},
		{HEAD "\"pod\",\"namespace\":\"a\",\"waitMilliseconds\":5,\"name\":\"%s\"}", "name",
		 253},
		{HEAD "\"record\"" OF ",\"podUID\":\"%s\"}", "podUID", 128},
		{HEAD "\"record\"" OF ",\"seen\":\"%s\"}", "seen", 128},
		{HEAD "\"patch\"" OF ",\"resourceVersion\":\"7\",\"uid\":\"%s\"}", "uid", 128},
		{HEAD "\"patch\"" OF CONDITIONS ",\"message\":\"%s\"}", "message", 1024},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t more = 0; more < 2; more++) {
			AUTO(door_request_done) struct door_request r = {.verb = DOOR_RECORD};
			AUTO(free) char *name = xmalloc(rows[i].max + 2);
			AUTO(free) char *want = NULL;
			AUTO(free) char *text = NULL;
			struct err e = {0};

			memset(name, 'x', rows[i].max + more);
			name[rows[i].max + more] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			text = xasprintf(rows[i].format, name);
#pragma GCC diagnostic pop
			assert_int_equal(door_request_read(text, strlen(text), &r, &e),
					 more ? -1 : 0);
			want = xasprintf("request: %s: is longer than %zu bytes", rows[i].key,
					 rows[i].max);
			assert_string_equal(e.msg, more ? want : "");
		}
	}
}

/* ------------------------------------------------------------------------------- answers */

static void read_answer(const char *text, struct door_answer *a)
{
	struct err e = {0};

	assert_int_equal(door_answer_read(text, strlen(text), a, &e), 0);
}

static void test_objects(void **state)
{
	AUTO(door_answer_done) struct door_answer there = {0}, none = {0};
	AUTO(sb_done) struct sb out = SB_INIT, nothing = SB_INIT;
	const char *name = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(door_answer_object(jspan_of("{\"name\":\"x\"}"), &out, &e), 0);
	assert_text(&out, "{\"version\":1,\"object\":{\"name\":\"x\"}}");
	read_answer(out.data + DOOR_HEAD, &there);
	assert_true(there.found);
	assert_int_equal(there.err.kind, ERR_NONE);
	assert_int_equal(jneed_str(&there.object, "name", &name, &e), 0);
	assert_string_equal(name, "x");

	assert_int_equal(door_answer_object((struct jspan){0}, &nothing, &e), 0);
	assert_text(&nothing, "{\"version\":1,\"object\":null}");
	read_answer(nothing.data + DOOR_HEAD, &none);
	assert_false(none.found);
	assert_int_equal(none.err.kind, ERR_NONE);
}

static void test_too_large(void **state)
{
	AUTO(free) char *text = xmalloc(DOOR_ANSWER_MAX);
	AUTO(sb_done) struct sb out = SB_INIT;
	struct jspan object = {text, DOOR_ANSWER_MAX - 63};
	struct err e = {0};

	(void)state;
	memset(text, ' ', DOOR_ANSWER_MAX);
	text[0] = '{';
	text[object.len - 1] = '}';
	assert_int_equal(door_answer_object(object, &out, &e), -1);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_string_equal(e.msg, "an object of 1048513 bytes is too large for the door");
	assert_int_equal(out.len, 0);
}

static void test_errors(void **state)
{
	static const struct {
		enum err_kind said, heard;
		int num;
	} rows[] = {
		{ERR_API, ERR_API, 403},
		{ERR_TRANSPORT, ERR_TRANSPORT, 0},
		{ERR_NOT_FOUND, ERR_NOT_FOUND, 404},
		{ERR_CONFLICT, ERR_CONFLICT, 409},
		{ERR_GONE, ERR_GONE, 410},
		{ERR_TIMEOUT, ERR_TIMEOUT, 0},
		{ERR_DECODE, ERR_DECODE, 0},
		{ERR_INTERNAL, ERR_AGAIN, 0},
		{ERR_VERSION, ERR_AGAIN, 0},
		{ERR_UNSUPPORTED, ERR_AGAIN, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(door_answer_done) struct door_answer a = {0};
		AUTO(sb_done) struct sb out = SB_INIT;
		struct err e = {0};

		err_set(&e, rows[i].said, rows[i].num, "because");
		door_answer_error(&e, i % 2, &out);
		read_answer(out.data + DOOR_HEAD, &a);
		assert_int_equal(a.err.kind, rows[i].heard);
		assert_int_equal(a.err.num, rows[i].num);
		assert_string_equal(a.err.msg, "because");
		assert_int_equal(a.unknown, i % 2);
		assert_false(a.found);
	}
}

static void test_passes(void **state)
{
	static const struct {
		enum err_kind kind;
		int num;
		bool passes;
	} rows[] = {
		{ERR_TIMEOUT, 0, true}, {ERR_TRANSPORT, 0, true}, {ERR_API, 429, true},
		{ERR_API, 500, true},   {ERR_API, 503, true},     {ERR_API, 403, false},
		{ERR_API, 422, false},  {ERR_DECODE, 0, false},   {ERR_NOT_FOUND, 404, false},
		{ERR_NONE, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = {.kind = rows[i].kind, .num = rows[i].num};

		assert_int_equal(door_error_passes(&e), rows[i].passes);
	}
}

static void test_bad_answers(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
		const char *msg;
	} rows[] = {
		{"x", ERR_DECODE, "answer: no JSON value at byte 0"},
		{"{\"version\":2,\"object\":{}}", ERR_VERSION, "answer: version 2, not 1"},
		{"{\"version\":1,\"object\":[]}", ERR_DECODE, "answer: object: must be an object"},
		{"{\"version\":1,\"error\":\"no\"}", ERR_DECODE,
		 "answer: error: must be an object"},
		{"{\"version\":1,\"error\":{\"kind\":\"api\"}}", ERR_DECODE,
		 "answer: error.message: is missing"},
		{"{\"version\":1,\"error\":{\"message\":\"x\"}}", ERR_DECODE,
		 "answer: error.kind: is missing"},
		{"{\"version\":1,\"error\":{\"kind\":\"api\",\"message\":\"x\",\"status\":1000}}",
		 ERR_DECODE, "answer: error.status: must be a whole number from 0 to 999"},
		{"{\"version\":1,\"object\":{},\"error\":{\"kind\":\"api\",\"message\":\"x\"}}",
		 ERR_DECODE, "answer: error: stands beside an object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct door_answer a = {.found = true};
		struct err e = {0};

		assert_int_equal(door_answer_read(rows[i].text, strlen(rows[i].text), &a, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, rows[i].kind);
		assert_true(a.found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),       cmocka_unit_test(test_wants),
		cmocka_unit_test(test_bad_frames),   cmocka_unit_test(test_no_more_than_came),
		cmocka_unit_test(test_requests),     cmocka_unit_test(test_absent_words),
		cmocka_unit_test(test_bad_requests), cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_objects),      cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_errors),       cmocka_unit_test(test_passes),
		cmocka_unit_test(test_bad_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
