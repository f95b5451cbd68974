/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <string.h>

#include "kubectl/ui/guard.h"
#include "lib/base/mem.h"
#include "lib/httpd/request.h"

#define SECRET "00112233445566778899aabbccddeeff"

static const struct guard guard = {.port = 4711, .secret = SECRET};

/* A request with these headers, names and values by turns, ended by NULL. */
static struct http_request request(const char *method, const char *const *headers)
{
	struct http_request r = {.method = method, .path = "/api/subnets", .query = ""};

	for (; headers[0]; headers += 2)
		r.headers[r.n_headers++] = (struct http_header){headers[0], headers[1]};
	return r;
}

#define REQUEST(method, ...) request(method, (const char *const[]){__VA_ARGS__, NULL})

static int origin(struct http_request r)
{
	const char *why = NULL;
	int status = guard_check_origin(&guard, &r, &why);

	assert_true(!status == !why);
	return status;
}

static int secret(struct http_request r)
{
	const char *why = NULL;
	int status = guard_check_secret(&guard, &r, &why);

	assert_true(!status == !why);
	return status;
}

static void test_host(void **state)
{
	static const char *const bad[] = {
		"",
		"127.0.0.1",
		"127.0.0.1:4712",
		"localhost",
		"evil.example:4711",
		"127.0.0.1:4711.",
		"127.0.0.1:4711.evil.example",
		"[::1]:4711",
		"LOCALHOST:4711",
		"127.0.0.1:04711",
		"evil@127.0.0.1:4711",
	};

	(void)state;
	assert_int_equal(origin(REQUEST("GET", "Host", "127.0.0.1:4711")), 0);
	assert_int_equal(origin(REQUEST("GET", "hOST", "localhost:4711")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(origin(REQUEST("GET", "Host", bad[i])), 421);
	assert_int_equal(origin(REQUEST("GET", "Accept", "*/*")), 421);
	assert_int_equal(origin(REQUEST("GET", "Host", "127.0.0.1:4711", "host", "localhost:4711")),
			 400);
}

static void test_other_pages(void **state)
{
	static const char *const sites[] = {"cross-site", "same-site", "", "same-origin, none"};
	static const char *const origins[] = {"null",
					      "http://evil.example",
					      "https://127.0.0.1:4711",
					      "http://127.0.0.1:4712",
					      "http://127.0.0.1",
					      ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
		assert_int_equal(origin(REQUEST("GET", "Host", "localhost:4711", "Sec-Fetch-Site",
						sites[i])),
				 403);
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++)
		assert_int_equal(
			origin(REQUEST("GET", "Host", "localhost:4711", "Origin", origins[i])),
			403);
	assert_int_equal(origin(REQUEST("GET", "Host", "localhost:4711", "Sec-Fetch-Site", "none")),
			 0);
	assert_int_equal(origin(REQUEST("POST", "Host", "localhost:4711", "Sec-Fetch-Site",
					"same-origin", "Origin", "http://localhost:4711")),
			 0);
	assert_int_equal(origin(REQUEST("GET", "Host", "localhost:4711", "Sec-Fetch-Site", "none",
					"sec-fetch-site", "none")),
			 400);
}

static void test_secret(void **state)
{
	static const char *const bad[] = {
		"",
		"00112233445566778899aabbccddeefe",
		"10112233445566778899aabbccddeeff",
		"00112233445566778899AABBCCDDEEFF",
		"00112233445566778899aabbccddeef",
		SECRET "0",
		SECRET SECRET,
	};

	(void)state;
	assert_int_equal(secret(REQUEST("GET", GUARD_HEADER, SECRET)), 0);
	assert_int_equal(secret(REQUEST("DELETE", "x-tandem-secret", SECRET)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(secret(REQUEST("GET", GUARD_HEADER, bad[i])), 401);
	assert_int_equal(secret(REQUEST("GET", "Cookie", GUARD_HEADER "=" SECRET)), 401);
	assert_int_equal(secret(REQUEST("GET", GUARD_HEADER, SECRET, GUARD_HEADER, SECRET)), 400);
}

static void test_body(void **state)
{
	static const char *const types[] = {"text/plain", "application/x-www-form-urlencoded",
					    "multipart/form-data", "application/json; x", ""};
	struct http_request r;

	(void)state;
	assert_int_equal(secret(REQUEST("POST", GUARD_HEADER, SECRET)), 415);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(
			secret(REQUEST("PATCH", GUARD_HEADER, SECRET, "Content-Type", types[i])),
			415);
	assert_int_equal(
		secret(REQUEST("POST", GUARD_HEADER, SECRET, "Content-Type", "application/json")),
		0);
	/* The secret first: whoever has none learns nothing. */
	assert_int_equal(secret(REQUEST("POST", "Content-Type", "text/plain")), 401);
	r = REQUEST("DELETE", GUARD_HEADER, SECRET);
	r.body = "{}";
	r.body_len = 2;
	assert_int_equal(secret(r), 400);
}

static void test_new_secrets(void **state)
{
	struct guard a = {0}, b = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(guard_make_secret(&a, &e), 0);
	assert_int_equal(guard_make_secret(&b, &e), 0);
	assert_int_equal(strlen(a.secret), 32);
	assert_int_equal(strspn(a.secret, "0123456789abcdef"), 32);
	assert_string_not_equal(a.secret, b.secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),        cmocka_unit_test(test_other_pages),
		cmocka_unit_test(test_secret),      cmocka_unit_test(test_body),
		cmocka_unit_test(test_new_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
