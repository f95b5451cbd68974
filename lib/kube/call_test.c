/* SPDX-License-Identifier: Apache-2.0 */
/* What is done after each way in which an attempt can end: no server, no curl, no clock. */
#include "lib/base/test.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/kube/client_int.h"

#define NOW      1000000
#define DEADLINE (NOW + 10000)

enum kind { READ, WRITE, WATCH };

struct row {
	const char *name;
	enum kind kind;
	unsigned int attempts;
	enum kube_http_result result;
	int status;
	int retry_after_s;
	const char *body;
	bool token_file, sent, over_cap;
	/* what is wanted */
	enum kube_call_next next;
	int pause_ms; /* with random = 0: three quarters */
	enum err_kind err;
	int num;
	bool unknown;
	const char *msg;
};

#define STATUS_TEXT(code, message) \
	"{\"kind\":\"Status\",\"message\":\"" message "\",\"code\":" code "}"
#define OF_READ  "GET /p: "
#define OF_WRITE "PATCH /p: "

static const struct row rows[] = {
	{"read is answered", READ, 1, KUBE_HTTP_ANSWERED, 200, 0, "{}", .sent = true,
	 .next = KUBE_CALL_DONE},
	{"write is answered", WRITE, 1, KUBE_HTTP_ANSWERED, 201, 0, "{}", .sent = true,
	 .next = KUBE_CALL_DONE},
	{"not found is for good", READ, 1, KUBE_HTTP_ANSWERED, 404, 0, STATUS_TEXT("404", "no x"),
	 .sent = true, .next = KUBE_CALL_FAIL, .err = ERR_NOT_FOUND, .num = 404,
	 .msg = OF_READ "no x"},
	{"a conflict is for good", WRITE, 1, KUBE_HTTP_ANSWERED, 409, 0, STATUS_TEXT("409", "old"),
	 .sent = true, .next = KUBE_CALL_FAIL, .err = ERR_CONFLICT, .num = 409,
	 .msg = OF_WRITE "old"},
	{"gone is for good", READ, 1, KUBE_HTTP_ANSWERED, 410, 0, STATUS_TEXT("410", "gone"),
	 .sent = true, .next = KUBE_CALL_FAIL, .err = ERR_GONE, .num = 410, .msg = OF_READ "gone"},
	{"a proxy's text", READ, 1, KUBE_HTTP_ANSWERED, 403, 0, "no\r\nentry", .sent = true,
	 .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 403, .msg = OF_READ "HTTP status 403: no"},

	{"too many requests: a read pauses", READ, 1, KUBE_HTTP_ANSWERED, 429, 0, "", .sent = true,
	 .next = KUBE_CALL_PAUSE, .pause_ms = 37, .err = ERR_API, .num = 429},
	{"too many requests: a write pauses", WRITE, 1, KUBE_HTTP_ANSWERED, 429, 0, "",
	 .sent = true, .next = KUBE_CALL_PAUSE, .pause_ms = 37, .err = ERR_API, .num = 429},
	{"too many requests: a watch does not", WATCH, 1, KUBE_HTTP_ANSWERED, 429, 0, "",
	 .sent = true, .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 429},
	{"the server's pause holds, not ours", READ, 1, KUBE_HTTP_ANSWERED, 429, 3, "",
	 .sent = true, .next = KUBE_CALL_PAUSE, .pause_ms = 3000, .err = ERR_API, .num = 429},
	{"a pause until the deadline is none", READ, 1, KUBE_HTTP_ANSWERED, 429, 10, "",
	 .sent = true, .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 429},
	{"a pause beyond it neither", WRITE, 1, KUBE_HTTP_ANSWERED, 429, 600, "", .sent = true,
	 .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 429},

	{"503: a read pauses", READ, 2, KUBE_HTTP_ANSWERED, 503, 0, "", .sent = true,
	 .next = KUBE_CALL_PAUSE, .pause_ms = 75, .err = ERR_API, .num = 503},
	{"503: a write may have been done", WRITE, 1, KUBE_HTTP_ANSWERED, 503, 0, "", .sent = true,
	 .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 503, .unknown = true},
	{"the pause has an end", READ, 40, KUBE_HTTP_ANSWERED, 503, 0, "", .sent = true,
	 .next = KUBE_CALL_PAUSE, .pause_ms = 1500, .err = ERR_API, .num = 503},

	{"401 with a token file", READ, 1, KUBE_HTTP_ANSWERED, 401, 0, "", .token_file = true,
	 .sent = true, .next = KUBE_CALL_RENEW_TOKEN, .err = ERR_API, .num = 401},
	{"401 for a write", WRITE, 1, KUBE_HTTP_ANSWERED, 401, 0, "", .token_file = true,
	 .sent = true, .next = KUBE_CALL_RENEW_TOKEN, .err = ERR_API, .num = 401},
	{"401 for a watch", WATCH, 1, KUBE_HTTP_ANSWERED, 401, 0, "", .token_file = true,
	 .sent = true, .next = KUBE_CALL_RENEW_TOKEN, .err = ERR_API, .num = 401},
	{"401 without one", READ, 1, KUBE_HTTP_ANSWERED, 401, 0, "", .sent = true,
	 .next = KUBE_CALL_FAIL, .err = ERR_API, .num = 401},

	{"a read is cut", READ, 1, KUBE_HTTP_CUT, 0, 0, "", .sent = true, .next = KUBE_CALL_PAUSE,
	 .pause_ms = 37, .err = ERR_TRANSPORT},
	{"a write is cut after it left", WRITE, 1, KUBE_HTTP_CUT, 0, 0, "", .sent = true,
	 .next = KUBE_CALL_FAIL, .err = ERR_TRANSPORT, .unknown = true, .msg = OF_WRITE "why"},
	{"a write that never left", WRITE, 1, KUBE_HTTP_CUT, 0, 0, "", .next = KUBE_CALL_FAIL,
	 .err = ERR_TRANSPORT, .msg = OF_WRITE "why"},
	{"a watch is cut", WATCH, 1, KUBE_HTTP_CUT, 0, 0, "", .sent = true, .next = KUBE_CALL_FAIL,
	 .err = ERR_TRANSPORT, .msg = OF_READ "why"},
	{"a bad certificate", READ, 1, KUBE_HTTP_REFUSED, 0, 0, "", .next = KUBE_CALL_FAIL,
	 .err = ERR_TRANSPORT, .msg = OF_READ "why"},
	{"an answer that is too long", READ, 1, KUBE_HTTP_REFUSED, 0, 0, "", .sent = true,
	 .over_cap = true, .next = KUBE_CALL_FAIL, .err = ERR_DECODE, .num = EFBIG,
	 .msg = OF_READ "the answer is larger than 100 bytes"},
};

static int on_data(void *ctx, const char *data, size_t len, struct err *e)
{
	(void)ctx;
	(void)data;
	(void)len;
	(void)e;
	return 0;
}

static struct kube_call call_of(const struct row *r)
{
	static char get[] = "GET", patch[] = "PATCH", path[] = "/p";
	struct kube_call call = {
		.state = CALL_RUNNING,
		.method = r->kind == WRITE ? patch : get,
		.path = path,
		.is_read = r->kind != WRITE,
		.data = r->kind == WATCH ? on_data : NULL,
		.max_body = 100,
		.deadline_ms = DEADLINE,
		.attempts = r->attempts,
		.sent = r->sent,
		.over_cap = r->over_cap,
		.may_renew_token = r->token_file,
		.in = SB_INIT,
	};

	if (r->body && *r->body)
		sb_puts(&call.in, r->body);
	return call;
}

static void call_done(struct kube_call *call)
{
	sb_done(&call->in);
	kube_response_done(&call->res);
}

static void ends_of_attempts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		struct kube_http_end end = {r->result, r->status, r->retry_after_s, "why"};
		struct kube_call call = call_of(r);
		int64_t pause_ms = 0;

		print_message("%s\n", r->name);
		assert_int_equal(kube_call_judge(&call, &end, NOW, 0, &pause_ms), r->next);
		if (r->next == KUBE_CALL_PAUSE)
			assert_int_equal(pause_ms, r->pause_ms);
		assert_int_equal(call.failed, r->next == KUBE_CALL_FAIL);
		assert_int_equal(call.err.kind, r->err);
		assert_int_equal(call.err.num, r->num);
		assert_int_equal(call.res.unknown, r->unknown);
		assert_int_equal(call.res.status, r->status);
		if (r->msg)
			assert_string_equal(call.err.msg, r->msg);
		if (r->next == KUBE_CALL_DONE)
			assert_string_equal(call.res.body, r->body);
		call_done(&call);
	}
}

/* What a server asks for reaches who calls, but not without bound. */
static void retry_after_is_bounded(void **state)
{
	static const struct {
		int header_s;
		const char *body;
		int want_ms;
	} cases[] = {
		{0, "", 0},
		{7, "", 7000},
		{30, "", 30000},
		{31, "", 30000},
		{2000000000, "", 30000},
		{0, "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":9}}", 9000},
		{0, "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":2147483647}}", 30000},
		{5, "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":9}}", 5000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct row r = {.kind = WATCH, .attempts = 1, .body = cases[i].body};
		struct kube_http_end end = {KUBE_HTTP_ANSWERED, 429, cases[i].header_s, ""};
		struct kube_call call = call_of(&r);
		int64_t pause_ms = 0;

		assert_int_equal(kube_call_judge(&call, &end, NOW, 0, &pause_ms), KUBE_CALL_FAIL);
		assert_int_equal(call.err.retry_after_ms, cases[i].want_ms);
		call_done(&call);
	}
}

static void token_is_renewed_once(void **state)
{
	const struct row r = {.kind = WRITE, .attempts = 1, .token_file = true, .sent = true};
	struct kube_http_end end = {.status = 401};
	struct kube_call call = call_of(&r);
	int64_t pause_ms = 0;

	(void)state;
	assert_int_equal(kube_call_judge(&call, &end, NOW, 0, &pause_ms), KUBE_CALL_RENEW_TOKEN);
	assert_int_equal(kube_call_judge(&call, &end, NOW, 0, &pause_ms), KUBE_CALL_FAIL);
	assert_false(call.res.unknown);
	call_done(&call);
}

static void success_after_failures_is_success(void **state)
{
	const struct row r = {.kind = READ, .attempts = 1, .sent = true};
	struct kube_http_end cut = {KUBE_HTTP_CUT, 0, 0, "cut"};
	struct kube_http_end ok = {.status = 200};
	struct kube_call call = call_of(&r);
	int64_t pause_ms = 0;

	(void)state;
	assert_int_equal(kube_call_judge(&call, &cut, NOW, 0, &pause_ms), KUBE_CALL_PAUSE);
	assert_int_equal(kube_call_judge(&call, &ok, NOW, 0, &pause_ms), KUBE_CALL_DONE);
	assert_int_equal(call.err.kind, ERR_NONE);
	assert_int_equal(call.res.status, 200);
	call_done(&call);
}

static void deadline_passes(void **state)
{
	static const struct {
		enum kind kind;
		bool running, sent;
		const char *before;
		enum err_kind err;
		bool unknown;
		const char *msg;
	} cases[] = {
		{READ, true, true, NULL, ERR_TIMEOUT, false,
		 OF_READ "no answer before the deadline"},
		{READ, false, true, "cut", ERR_TIMEOUT, false,
		 OF_READ "no answer before the deadline; before that: cut"},
		{WRITE, false, false, NULL, ERR_TIMEOUT, false,
		 OF_WRITE "no answer before the deadline"},
		{WRITE, true, false, NULL, ERR_TIMEOUT, false,
		 OF_WRITE "no answer before the deadline"},
		{WRITE, true, true, NULL, ERR_TRANSPORT, true,
		 OF_WRITE "the deadline passed before the answer came"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct row r = {.kind = cases[i].kind, .attempts = 1, .sent = cases[i].sent};
		struct kube_call call = call_of(&r);

		call.state = cases[i].running ? CALL_RUNNING : CALL_PAUSED;
		if (cases[i].before)
			err_set(&call.err, ERR_TRANSPORT, 0, "%s", cases[i].before);
		kube_call_judge_expired(&call, DEADLINE);
		assert_true(call.failed);
		assert_int_equal(call.err.kind, cases[i].err);
		assert_int_equal(call.res.unknown, cases[i].unknown);
		assert_string_equal(call.err.msg, cases[i].msg);
		call_done(&call);
	}
}

static void silence_ends_a_stream(void **state)
{
	const struct row r = {.kind = WATCH, .attempts = 1, .sent = true};
	struct kube_call call = call_of(&r);

	(void)state;
	call.max_silence_ms = 75000;
	kube_call_judge_expired(&call, DEADLINE - 1);
	assert_true(call.failed);
	assert_int_equal(call.err.kind, ERR_TIMEOUT);
	assert_false(call.res.unknown);
	assert_string_equal(call.err.msg, OF_READ "nothing came for 75000 ms");
	call_done(&call);
}

static void jitter_spreads_by_a_quarter(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (uint64_t random = 0; random < 1000; random++) {
		int64_t ms = kube_jitter(random, 400);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_int_equal(least, 300);
	assert_int_equal(most, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_of_attempts),
		cmocka_unit_test(retry_after_is_bounded),
		cmocka_unit_test(token_is_renewed_once),
		cmocka_unit_test(success_after_failures_is_success),
		cmocka_unit_test(deadline_passes),
		cmocka_unit_test(silence_ends_a_stream),
		cmocka_unit_test(jitter_spreads_by_a_quarter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
