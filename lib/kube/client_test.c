/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <fcntl.h>

#include "lib/json/jread.h"
#include "lib/kube/fake_test.h"
#include "lib/kube/wait.h"

#define CONFLICT                                                                           \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"object was modified\"," \
	"\"reason\":\"Conflict\",\"code\":409}"
#define EXISTS                                                                                \
	"{\"kind\":\"Status\",\"message\":\"a already exists\",\"reason\":\"AlreadyExists\"," \
	"\"code\":409}"

/* A server with this script, a client of it, and what one call gave. */
struct fixture {
	struct fake fake;
	struct kube_client *client;
	struct kube_response res;
	struct err e;
};

static void begin(struct fixture *x, struct fake_reply *replies, size_t n)
{
	memset(x, 0, sizeof(*x));
	x->fake.replies = replies;
	x->fake.n_replies = n;
	fake_start(&x->fake);
	x->client = fake_client(&x->fake, NULL);
}

#define BEGIN(x, ...)                                 \
	struct fake_reply replies_[] = {__VA_ARGS__}; \
	struct fixture x;                             \
	begin(&x, replies_, sizeof(replies_) / sizeof(replies_[0]))

static void end(struct fixture *x)
{
	kube_response_done(&x->res);
	kube_client_free(x->client);
	fake_stop(&x->fake);
}

static int get(struct fixture *x, int timeout_ms)
{
	struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(timeout_ms));

	return kube_do(x->client, &req, &x->res, &x->e);
}

static int create(struct fixture *x, int timeout_ms)
{
	struct kube_request req = kube_request_create("/api/v1/as", "{\"a\":1}", in_ms(timeout_ms));

	return kube_do(x->client, &req, &x->res, &x->e);
}

static void test_get(void **state)
{
	(void)state;
	BEGIN(x, {.match = "GET /api/v1/a?limit=2 ", .body = "{\"a\":1}"});
	struct kube_request req = kube_request_get("/api/v1/a", "limit=2", in_ms(test_ms(5000)));

	assert_int_equal(kube_do(x.client, &req, &x.res, &x.e), 0);
	assert_int_equal(x.res.status, 200);
	assert_string_equal(x.res.body, "{\"a\":1}");
	assert_int_equal(x.res.body_len, 7);
	assert_int_equal(fake_count(&x.fake, "Accept: application/json\r\n"), 1);
	assert_int_equal(fake_count(&x.fake, "User-Agent: tandem/"), 1);
	assert_int_equal(fake_count(&x.fake, "Authorization"), 0);
	end(&x);
}

static void test_one_connection_serves_all(void **state)
{
	struct kube_client_stats stats;

	(void)state;
	BEGIN(x, {.body = "1"}, {.body = "2"}, {.body = "3"});
	for (int i = 0; i < 3; i++)
		assert_int_equal(get(&x, 5000), 0);
	assert_string_equal(x.res.body, "3");
	kube_client_stats(x.client, &stats);
	assert_int_equal(stats.connections, 1);
	assert_int_equal(stats.requests, 3);
	end(&x);
}

static void test_writes_carry_their_body(void **state)
{
	const char *options = "{\"preconditions\":{\"uid\":\"u-1\",\"resourceVersion\":\"77\"}}";
	struct kube_request patch, delete;

	(void)state;
	BEGIN(x, {.match = "POST /api/v1/as ", .status = 201, .body = "{}"},
	      {.match = "PATCH /api/v1/as/b ", .body = "{}"},
	      {.match = "DELETE /api/v1/as/b ", .body = "{}"});
	assert_int_equal(create(&x, 5000), 0);
	assert_int_equal(x.res.status, 201);
	assert_int_equal(fake_count(&x.fake, "Content-Type: application/json\r\n"), 1);
	assert_int_equal(fake_count(&x.fake, "\r\n\r\n{\"a\":1}"), 1);
	patch = kube_request_merge_patch("/api/v1/as/b", "{\"b\":2}", in_ms(test_ms(5000)));
	assert_int_equal(kube_do(x.client, &patch, &x.res, &x.e), 0);
	assert_int_equal(fake_count(&x.fake, "Content-Type: application/merge-patch+json\r\n"), 1);
	assert_int_equal(fake_count(&x.fake, "\r\n\r\n{\"b\":2}"), 1);
	delete = kube_request_delete("/api/v1/as/b", options, in_ms(test_ms(5000)));
	assert_int_equal(kube_do(x.client, &delete, &x.res, &x.e), 0);
	assert_int_equal(fake_count(&x.fake, "\"resourceVersion\":\"77\"}}"), 1);
	end(&x);
}

static void test_statuses_become_errors(void **state)
{
	(void)state;
	BEGIN(x,
	      {.status = 404,
	       .body = "{\"kind\":\"Status\",\"message\":\"as \\\"a\\\" not found\",\"reason\":"
		       "\"NotFound\",\"code\":404}"},
	      {.status = 409, .body = CONFLICT}, {.status = 409, .body = EXISTS},
	      {.status = 410, .body = "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410}"},
	      {.status = 422, .body = "not json\nat all"}, {.status = 403}, {.status = 302});
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_NOT_FOUND);
	assert_int_equal(x.e.num, 404);
	assert_string_equal(x.e.msg, "GET /api/v1/a: as \"a\" not found");
	assert_string_equal(x.res.reason, "NotFound");
	assert_int_equal(x.res.status, 404);
	assert_null(x.res.body);
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_CONFLICT);
	assert_true(kube_response_is_reason(&x.res, "Conflict"));
	assert_int_equal(create(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_CONFLICT);
	assert_true(kube_response_is_reason(&x.res, "AlreadyExists"));
	assert_false(x.res.unknown);
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_GONE);
	assert_string_equal(x.e.msg, "GET /api/v1/a: HTTP status 410 (Expired)");
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 422);
	assert_string_equal(x.e.msg, "GET /api/v1/a: HTTP status 422: not json");
	assert_int_equal(get(&x, 5000), -1);
	assert_string_equal(x.e.msg, "GET /api/v1/a: HTTP status 403 without a Status");
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 302);
	end(&x);
}

static void test_reads_are_repeated(void **state)
{
	(void)state;
	BEGIN(x, {.status = 500, .body = "x"}, {.status = 503}, {.kind = FAKE_CLOSE},
	      {.kind = FAKE_CUT, .body = "{\"half"}, {.body = "whole"});
	assert_int_equal(get(&x, 10000), 0);
	assert_string_equal(x.res.body, "whole");
	assert_int_equal(fake_count(&x.fake, "GET /api/v1/a "), 5);
	end(&x);
}

static void test_retry_after_is_waited_for(void **state)
{
	int64_t start = clock_now_ms();

	(void)state;
	BEGIN(x, {.status = 429, .headers = "Retry-After: 1\r\n"}, {.body = "now"},
	      {.status = 429, .headers = "Retry-After: 1\r\n"}, {.status = 201, .body = "made"},
	      {.status = 429, .headers = "Retry-After: 60\r\n"});
	assert_int_equal(get(&x, 10000), 0);
	assert_in_range(clock_now_ms() - start, 1000, test_ms(9000));
	/* A write too: the server says that it has not done it. */
	assert_int_equal(create(&x, 10000), 0);
	assert_string_equal(x.res.body, "made");
	/* Beyond the deadline: told at once, with the time. */
	start = clock_now_ms();
	assert_int_equal(get(&x, 10000), -1);
	assert_in_range(clock_now_ms() - start, 0, test_ms(5000));
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 429);
	assert_int_equal(x.e.retry_after_ms, 30000);
	end(&x);
}

static void test_writes_are_not_repeated(void **state)
{
	(void)state;
	BEGIN(x, {.status = 500, .body = "x"}, {.kind = FAKE_CLOSE}, {.body = "1"},
	      {.kind = FAKE_CLOSE}, {.kind = FAKE_CUT, .status = 201, .body = "{"});
	assert_int_equal(create(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 500);
	assert_true(x.res.unknown);
	/* The first on this connection. */
	assert_int_equal(create(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_true(x.res.unknown);
	assert_int_equal(x.res.status, 0);
	/* A kept connection dies under it: curl alone would send it a second time. */
	assert_int_equal(get(&x, 5000), 0);
	assert_int_equal(create(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_string_equal(x.e.msg,
			    "POST /api/v1/as: the connection was closed before the answer came");
	assert_true(x.res.unknown);
	/* The answer is cut behind its good status. */
	assert_int_equal(create(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_true(x.res.unknown);
	assert_int_equal(fake_count(&x.fake, "POST /api/v1/as "), 4);
	end(&x);
}

static void test_deadline(void **state)
{
	int64_t start = clock_now_ms();

	(void)state;
	BEGIN(x, {.delay_ms = 8000, .body = "late"}, {.delay_ms = 8000, .body = "late"},
	      {.status = 500, .body = "sick"}, {.delay_ms = 8000});
	assert_int_equal(get(&x, 200), -1);
	assert_int_equal(x.e.kind, ERR_TIMEOUT);
	assert_string_equal(x.e.msg, "GET /api/v1/a: no answer before the deadline");
	assert_in_range(clock_now_ms() - start, 200, test_ms(5000));
	assert_int_equal(create(&x, 200), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_string_equal(x.e.msg, "POST /api/v1/as: the deadline passed before the answer came");
	assert_true(x.res.unknown);
	assert_int_equal(get(&x, 400), -1);
	assert_int_equal(x.e.kind, ERR_TIMEOUT);
	assert_string_equal(x.e.msg, "GET /api/v1/a: no answer before the deadline; before that: "
				     "HTTP status 500: sick");
	end(&x);
}

static void test_body_cap(void **state)
{
	struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(test_ms(5000)));

	(void)state;
	BEGIN(x, {.body = "12345678"}, {.body = "123456789"},
	      {.kind = FAKE_STREAM, .body = "123456789"},
	      {.status = 403, .body = "longer than that"});
	req.max_body = 8;
	assert_int_equal(kube_do(x.client, &req, &x.res, &x.e), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kube_do(x.client, &req, &x.res, &x.e), -1);
		assert_int_equal(x.e.kind, ERR_DECODE);
		assert_string_equal(x.e.msg, "GET /api/v1/a: the answer is larger than 8 bytes");
	}
	/* An error's text is not what the cap is for. */
	assert_int_equal(kube_do(x.client, &req, &x.res, &x.e), -1);
	assert_int_equal(x.e.num, 403);
	end(&x);
}

static int free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	close(fd);
	return ntohs(at.sin_port);
}

static void test_refused_then_up(void **state)
{
	struct fake_reply replies[] = {{.body = "up"}};
	struct fixture x = {0};

	(void)state;
	x.fake.replies = replies;
	x.fake.n_replies = 1;
	x.fake.port = free_port();
	x.client = fake_client(&x.fake, NULL);
	assert_int_equal(get(&x, 300), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_non_null(strstr(x.e.msg, "GET /api/v1/a: Failed to connect to 127.0.0.1"));
	/* A write that found nobody is known not to have been done. */
	assert_int_equal(create(&x, 300), -1);
	assert_int_equal(x.e.kind, ERR_TRANSPORT);
	assert_false(x.res.unknown);
	x.fake.start_delay_ms = 300;
	fake_start(&x.fake);
	assert_int_equal(get(&x, 5000), 0);
	assert_string_equal(x.res.body, "up");
	end(&x);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_token_is_read_again(void **state)
{
	struct fake_reply replies[] = {
		{.body = "1"}, {.status = 401}, {.body = "2"}, {.status = 401}, {.status = 401}};
	char path[] = "/tmp/kube-token-XXXXXX";
	int fd = mkstemp(path);
	struct fixture x = {0};
	struct kube_config cfg = {
		.source = (char *)"test", .token_file = path, .token = (char *)"old"};
	char server[64];

	(void)state;
	close(fd);
	x.fake.replies = replies;
	x.fake.n_replies = ARRAY_SIZE(replies);
	fake_start(&x.fake);
	snprintf(server, sizeof(server), "http://127.0.0.1:%d", x.fake.port);
	cfg.server = server;
	assert_int_equal(kube_client_new(&cfg, NULL, &x.client, &x.e), 0);
	assert_int_equal(get(&x, 5000), 0);
	assert_int_equal(fake_count(&x.fake, "Authorization: Bearer old\r\n"), 1);
	write_file(path, "new\n");
	assert_int_equal(create(&x, 5000), 0);
	assert_string_equal(x.res.body, "2");
	assert_int_equal(fake_count(&x.fake, "Authorization: Bearer old\r\n"), 2);
	assert_int_equal(fake_count(&x.fake, "Authorization: Bearer new\r\n"), 1);
	/* Once only. */
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 401);
	assert_int_equal(fake_count(&x.fake, "HTTP/1.1"), 5);
	unlink(path);
	end(&x);
}

static void test_cancel_fd(void **state)
{
	int64_t start = clock_now_ms();
	int p[2];

	(void)state;
	BEGIN(x, {.delay_ms = 8000}, {.body = "fine"});
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	kube_client_set_cancel_fd(x.client, p[0]);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(get(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_CANCELLED);
	assert_string_equal(x.e.msg, "GET /api/v1/a: cancelled");
	assert_in_range(clock_now_ms() - start, 0, test_ms(4000));
	close(p[0]);
	close(p[1]);
	end(&x);
}

/* ------------------------------------------------------------------ in a loop */

struct tally {
	int ok, failed;
	struct err last;
	struct kube_client *client;
	bool done;
	int submit_more, stop_at;
};

static void on_tally(void *ctx, struct kube_response *res, const struct err *e)
{
	struct tally *t = ctx;

	(void)res;
	if (e)
		t->last = *e;
	t->ok += !e;
	t->failed += e != NULL;
	if (t->submit_more) {
		struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(test_ms(5000)));

		t->submit_more--;
		kube_submit(t->client, &req, on_tally, t);
	}
	if (t->ok + t->failed == t->stop_at)
		t->done = true;
}

static void test_many_in_a_loop(void **state)
{
	enum { N = 60 };
	struct kube_client_options opt = {.max_connections = 3};
	struct fake_reply replies[N] = {{.body = "0"}};
	struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(test_ms(10000)));
	struct kube_client_stats stats;
	struct fixture x = {0};
	struct tally t = {.stop_at = N, .submit_more = 20};

	(void)state;
	for (int i = 0; i < N; i++)
		replies[i].body = "x";
	x.fake.replies = replies;
	x.fake.n_replies = N;
	fake_start(&x.fake);
	x.client = t.client = fake_client(&x.fake, &opt);
	for (int i = 0; i < N - 20; i++)
		kube_submit(x.client, &req, on_tally, &t);
	kube_client_stats(x.client, &stats);
	assert_int_equal(stats.queued, N - 20);
	assert_int_equal(t.ok, 0);
	assert_int_equal(kube_client_wait(x.client, &t.done, in_ms(test_ms(10000)), &x.e), 0);
	assert_int_equal(t.ok, N);
	kube_client_stats(x.client, &stats);
	assert_int_equal(stats.connections, 3);
	assert_int_equal(stats.running, 0);
	assert_int_equal(stats.queued, 0);
	end(&x);
}

static void count_sent(void *ctx)
{
	++*(int *)ctx;
}

static void test_urgent_first(void **state)
{
	int sent = 0;
	struct kube_client_options opt = {
		.max_connections = 1, .before_send = count_sent, .ctx = &sent};
	struct fake_reply replies[] = {{.keep = true, .body = "x"}};
	static const enum kube_priority priorities[] = {KUBE_IDLE, KUBE_NORMAL, KUBE_URGENT,
							KUBE_NORMAL, KUBE_URGENT};
	static const char *const order[] = {"/2", "/4", "/1", "/3", "/0"};
	struct tally t = {.stop_at = ARRAY_SIZE(priorities)};
	struct fixture x = {0};

	(void)state;
	x.fake.replies = replies;
	x.fake.n_replies = 1;
	fake_start(&x.fake);
	x.client = t.client = fake_client(&x.fake, &opt);
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		AUTO(free) char *path = xasprintf("/%zu", i);
		struct kube_request req = kube_request_get(path, NULL, in_ms(test_ms(10000)));

		req.priority = priorities[i];
		kube_submit(x.client, &req, on_tally, &t);
	}
	assert_int_equal(kube_client_wait(x.client, &t.done, in_ms(test_ms(10000)), &x.e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(strncmp(x.fake.log[i] + strlen("GET "), order[i], 2), 0);
	assert_int_equal(sent, 5);
	end(&x);
}

static void test_cancel_in_every_state(void **state)
{
	struct kube_client_options opt = {.max_connections = 1};
	struct fake_reply replies[] = {{.match = "/slow", .delay_ms = 8000},
				       {.match = "/sick", .status = 503},
				       {.match = "/v1/a", .body = "x"}};
	struct kube_request slow = kube_request_get("/slow", NULL, in_ms(test_ms(9000)));
	struct kube_request sick = kube_request_get("/sick", NULL, in_ms(test_ms(9000)));
	struct tally t = {.stop_at = 1};
	struct fixture x = {0};
	struct kube_call *calls[3];
	bool never = false;

	(void)state;
	x.fake.replies = replies;
	x.fake.n_replies = ARRAY_SIZE(replies);
	fake_start(&x.fake);
	x.client = t.client = fake_client(&x.fake, &opt);
	calls[0] = kube_submit(x.client, &slow, on_tally, &t);
	calls[1] = kube_submit(x.client, &slow, on_tally, &t);
	assert_int_equal(kube_client_wait(x.client, &never, in_ms(100), &x.e), -1);
	kube_cancel(calls[1]); /* queued */
	kube_cancel(calls[0]); /* running */
	calls[2] = kube_submit(x.client, &sick, on_tally, &t);
	while (!fake_count(&x.fake, "/sick"))
		assert_int_equal(kube_client_wait(x.client, &never, in_ms(5), &x.e), -1);
	kube_cancel(calls[2]); /* before a repeat, or about to be */
	kube_cancel(NULL);
	assert_int_equal(get(&x, 5000), 0);
	assert_int_equal(t.ok + t.failed, 0);
	end(&x);
}

static void test_free_with_calls_under_way(void **state)
{
	struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(test_ms(9000)));
	struct tally t = {.stop_at = 1};
	bool never = false;

	(void)state;
	/* Eight run, the others wait. */
	BEGIN(x, {.delay_ms = 8000}, {.delay_ms = 8000}, {.delay_ms = 8000}, {.delay_ms = 8000},
	      {.delay_ms = 8000}, {.delay_ms = 8000}, {.delay_ms = 8000}, {.delay_ms = 8000});
	for (int i = 0; i < 20; i++)
		kube_submit(x.client, &req, on_tally, &t);
	assert_int_equal(kube_client_wait(x.client, &never, in_ms(50), &x.e), -1);
	assert_int_equal(x.e.kind, ERR_TIMEOUT);
	end(&x);
	assert_int_equal(t.ok + t.failed, 0);
}

static void test_rate_limit(void **state)
{
	enum { N = 12 };
	struct kube_client_options opt = {.qps = 20, .burst = 2};
	struct kube_request req = kube_request_get("/api/v1/a", NULL, in_ms(test_ms(9000)));
	struct fake_reply replies[N] = {{.body = "0"}};
	struct tally t = {.stop_at = N};
	struct fixture x = {0};
	int64_t start;

	(void)state;
	x.fake.replies = replies;
	x.fake.n_replies = N;
	fake_start(&x.fake);
	x.client = fake_client(&x.fake, &opt);
	start = clock_now_ms();
	for (int i = 0; i < N; i++)
		kube_submit(x.client, &req, on_tally, &t);
	assert_int_equal(kube_client_wait(x.client, &t.done, in_ms(test_ms(9000)), &x.e), 0);
	assert_int_equal(t.ok, N);
	/* Two at once, ten more at 20 a second. */
	assert_in_range(clock_now_ms() - start, 480, test_ms(9000));
	end(&x);
}

static void test_queued_past_its_deadline(void **state)
{
	struct kube_client_options opt = {.qps = 0.1, .burst = 1};
	struct kube_request req = kube_request_create("/api/v1/as", "{}", in_ms(300));
	struct fake_reply replies[] = {{.body = "x"}};
	struct tally t = {.stop_at = 2};
	struct fixture x = {0};

	(void)state;
	x.fake.replies = replies;
	x.fake.n_replies = 1;
	fake_start(&x.fake);
	x.client = fake_client(&x.fake, &opt);
	kube_submit(x.client, &req, on_tally, &t);
	kube_submit(x.client, &req, on_tally, &t);
	assert_int_equal(kube_client_wait(x.client, &t.done, in_ms(test_ms(5000)), &x.e), 0);
	assert_int_equal(t.ok, 1);
	/* Never sent, so it is known not to have been done. */
	assert_int_equal(t.last.kind, ERR_TIMEOUT);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_one_connection_serves_all),
		cmocka_unit_test(test_writes_carry_their_body),
		cmocka_unit_test(test_statuses_become_errors),
		cmocka_unit_test(test_reads_are_repeated),
		cmocka_unit_test(test_retry_after_is_waited_for),
		cmocka_unit_test(test_writes_are_not_repeated),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_body_cap),
		cmocka_unit_test(test_refused_then_up),
		cmocka_unit_test(test_token_is_read_again),
		cmocka_unit_test(test_cancel_fd),
		cmocka_unit_test(test_many_in_a_loop),
		cmocka_unit_test(test_urgent_first),
		cmocka_unit_test(test_cancel_in_every_state),
		cmocka_unit_test(test_free_with_calls_under_way),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_queued_past_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
