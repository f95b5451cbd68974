/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/httpd/request.h"

static const struct http_limits limits = {.head = 1024, .body = 4096};

static struct http_parser *fed(const char *text, size_t n)
{
	struct http_parser *p = http_parser_new(&limits);

	http_parser_feed(p, text, n);
	return p;
}

/* What the text is: a status when bad, 0 when more is needed, 1 when it is a request. */
static int verdict(const char *text, size_t n)
{
	AUTO(http_parser_free) struct http_parser *p = fed(text, n);
	const struct http_request *r = NULL;

	switch (http_parser_next(p, &r)) {
	case HTTP_PARSE_BAD:
		return http_parser_status(p);
	case HTTP_PARSE_REQUEST:
		return 1;
	default:
		return 0;
	}
}

static void test_a_get(void **state)
{
	static const char text[] =
		"GET /readyz?verbose=1&x HTTP/1.1\r\nHost: a:1\r\nx-Y:  b c\t\r\nEmpty:\r\n\r\n";
	AUTO(http_parser_free) struct http_parser *p = fed(text, sizeof(text) - 1);
	const struct http_request *r = NULL;

	(void)state;
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_REQUEST);
	assert_string_equal(r->method, "GET");
	assert_string_equal(r->path, "/readyz");
	assert_string_equal(r->query, "verbose=1&x");
	assert_string_equal(http_request_header(r, "X-y"), "b c");
	assert_string_equal(http_request_header(r, "empty"), "");
	assert_null(http_request_header(r, "absent"));
	assert_true(r->keep_alive);
	assert_int_equal(r->body_len, 0);
	http_parser_release(p);
	assert_true(http_parser_is_idle(p));
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_MORE);
}

static const char two[] =
	"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	"\r\nPOST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: foo, Close\r\n\r\n"
	"3;ext=\"a\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

static void expect_two(struct http_parser *p, const char *text, size_t n, size_t piece)
{
	const struct http_request *r = NULL;
	size_t at = 0, seen = 0;

	while (seen < 2) {
		enum http_parse rc = http_parser_next(p, &r);

		assert_int_not_equal(rc, HTTP_PARSE_BAD);
		if (rc == HTTP_PARSE_MORE) {
			size_t take = n - at < piece ? n - at : piece;

			assert_true(take > 0);
			http_parser_feed(p, text + at, take);
			at += take;
			continue;
		}
		assert_string_equal(r->path, seen ? "/b" : "/a");
		assert_string_equal(r->body, seen ? "abc0123456789" : "hello");
		assert_int_equal(r->body_len, seen ? 13 : 5);
		assert_int_equal(r->keep_alive, !seen);
		http_parser_release(p);
		seen++;
	}
	assert_int_equal(at, n);
	assert_true(http_parser_is_idle(p));
}

static void test_pieces_of_every_size(void **state)
{
	size_t n = sizeof(two) - 1;

	(void)state;
	for (size_t piece = 1; piece <= n; piece++) {
		AUTO(http_parser_free) struct http_parser *p = http_parser_new(&limits);

		expect_two(p, two, n, piece);
	}
}

/* Cut anywhere it is never bad, and never complete too early. */
static void test_every_prefix_wants_more(void **state)
{
	static const char one[] =
		"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(one) - 1; n++)
		assert_int_equal(verdict(one, n), 0);
	assert_int_equal(verdict(one, sizeof(one) - 1), 1);
}

#define HOST "Host: a\r\n"

static const struct {
	int status;
	const char *text;
} cases[] = {
	{1, "GET / HTTP/1.1\r\n" HOST "\r\n"},
	{1, "GET / HTTP/1.0\r\n\r\n"},
	{1, "\r\nGET / HTTP/1.1\r\n" HOST "\r\n"},
	{1, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"},
	{1, "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"},
	{400, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"},
	{400, "GET / HTTP/1.1\n" HOST "\r\n"},
	{400, "GET / HTTP/1.1\rX\n"},
	{400, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
	{400, "GET / HTTP/1.1 x\r\n" HOST "\r\n"},
	{400, "GET /\r\n\r\n"},
	{400, "GET http://a/ HTTP/1.1\r\n" HOST "\r\n"},
	{400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"},
	{400, "GET /\x80 HTTP/1.1\r\n" HOST "\r\n"},
	{400, "G(T / HTTP/1.1\r\n" HOST "\r\n"},
	{400, " / HTTP/1.1\r\n" HOST "\r\n"},
	{400, "GET / FTP/1.1\r\n" HOST "\r\n"},
	{505, "GET / HTTP/2.0\r\n" HOST "\r\n"},
	{505, "GET / HTTP/1.10\r\n" HOST "\r\n"},
	{400, "GET / HTTP/1.1\r\n\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n folded\r\n\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n"},
	{400, "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
	{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx"},
	{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx"},
	{400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"},
	{413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\n"},
	{413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n"},
	{400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
	{501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
	{417, "POST / HTTP/1.1\r\n" HOST "Expect: gold\r\nContent-Length: 1\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"},
	{400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1x\r\n"},
	{413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1001\r\n"},
	{413, "POST / HTTP/1.1\r\n" HOST
	      "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffffffff\r\n"},
	{413, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1000\r\n"},
	{400, "\x16\x03\x01\x02\x01\x01"},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int got = verdict(cases[i].text, strlen(cases[i].text));

		if (got != cases[i].status)
			print_message("case %zu: %s\n", i, cases[i].text);
		assert_int_equal(got, cases[i].status);
	}
	assert_int_equal(verdict("GET / HTTP/1.1\0\r\n", 17), 400);
}

/* A text of n times the piece, behind a beginning. */
static char *repeat(const char *begin, const char *piece, int n)
{
	struct sb sb = SB_INIT;

	sb_puts(&sb, begin);
	for (int i = 0; i < n; i++)
		sb_puts(&sb, piece);
	return sb_take(&sb);
}

static void test_what_is_too_much(void **state)
{
	AUTO(free) char *path = repeat("GET /", "aaaaaaaaaaaaaaaa", 64);
	AUTO(free) char *headers = repeat("GET / HTTP/1.1\r\n" HOST, "a: b\r\n", 64);
	AUTO(free) char *ended = xasprintf("%s\r\n", headers);
	AUTO(free)
	char *trailers = repeat("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n",
				"a: bbbbbbbbbb\r\n", 80);
	AUTO(free)
	char *size = repeat("PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
			    "0000000000000000", 20);

	(void)state;
	assert_int_equal(verdict(path, strlen(path)), 431);
	assert_int_equal(verdict(ended, strlen(ended)), 431);
	assert_int_equal(verdict(trailers, strlen(trailers)), 431);
	assert_int_equal(verdict(size, strlen(size)), 400);
}

static void test_broken_for_good(void **state)
{
	AUTO(http_parser_free) struct http_parser *p = fed("x\n", 2);
	const struct http_request *r = NULL;

	(void)state;
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_BAD);
	http_parser_feed(p, two, sizeof(two) - 1);
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_BAD);
	http_parser_release(p);
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_BAD);
	assert_int_equal(http_parser_status(p), 400);
}

static void test_continue(void **state)
{
	static const char head[] = "PUT / HTTP/1.1\r\n" HOST
				   "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
	AUTO(http_parser_free) struct http_parser *p = fed(head, sizeof(head) - 1);
	const struct http_request *r = NULL;

	(void)state;
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_MORE);
	assert_true(http_parser_wants_continue(p));
	assert_false(http_parser_wants_continue(p));
	http_parser_feed(p, "ab", 2);
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_REQUEST);
	assert_false(http_parser_wants_continue(p));
}

static void test_memory_is_given_back(void **state)
{
	struct http_limits large = {.head = 1024, .body = 1 << 20};
	AUTO(http_parser_free) struct http_parser *p = http_parser_new(&large);
	AUTO(free) char *body = xcalloc(1, 1 << 20);
	static const char head[] = "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n";
	const struct http_request *r = NULL;

	(void)state;
	http_parser_feed(p, head, sizeof(head) - 1);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_MORE);
		http_parser_feed(p, body, 1 << 14);
	}
	assert_int_equal(http_parser_next(p, &r), HTTP_PARSE_REQUEST);
	assert_int_equal(r->body_len, 1 << 20);
	assert_true(http_parser_size(p) >= 1 << 20);
	http_parser_release(p);
	assert_true(http_parser_size(p) < 1 << 16);
}

static unsigned int seed = 42;

static size_t random_below(size_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static void feed_in_pieces(struct http_parser *p, const char *text, size_t n)
{
	const struct http_request *r = NULL;

	for (size_t at = 0; at < n;) {
		size_t take = 1 + random_below(40);

		take = take < n - at ? take : n - at;
		http_parser_feed(p, text + at, take);
		at += take;
		while (http_parser_next(p, &r) == HTTP_PARSE_REQUEST) {
			assert_true(strlen(r->body) <= r->body_len);
			http_parser_release(p);
		}
		assert_true(http_parser_size(p) < 16384);
	}
}

/* Nothing that comes makes it read or keep what it must not (run under sanitizers, too). */
static void test_random_edits(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		AUTO(http_parser_free) struct http_parser *p = http_parser_new(&limits);
		char text[sizeof(two)];

		memcpy(text, two, sizeof(two));
		for (int edits = 0; edits < 3; edits++)
			text[random_below(sizeof(two) - 1)] = (char)random_below(256);
		feed_in_pieces(p, text, sizeof(two) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_get),
		cmocka_unit_test(test_pieces_of_every_size),
		cmocka_unit_test(test_every_prefix_wants_more),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_what_is_too_much),
		cmocka_unit_test(test_broken_for_good),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_memory_is_given_back),
		cmocka_unit_test(test_random_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
