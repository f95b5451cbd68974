/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <fcntl.h>

#include "lib/json/jread.h"
#include "lib/kube/fake_test.h"
#include "lib/kube/wait.h"

#define OBJ(version, state)                                                                     \
	"{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"" version "\"},\"state\":\"" state \
	"\"}"
#define LIST(version, items) \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define EVENT(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define GONE             "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"too old\",\"code\":410}"

#define GET_IT            "GET /api/v1/as/a "
#define LIST_IT           "GET /api/v1/as?fieldSelector=metadata.name%3Da&limit=500 "
#define WATCH_IT(version) "metadata.name%3Da&watch=true&resourceVersion=" version "&timeoutSeconds="

struct fixture {
	struct fake fake;
	struct kube_client *client;
	struct sb asked; /* what ready() was shown */
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
	kube_client_free(x->client);
	fake_stop(&x->fake);
	sb_done(&x->asked);
}

static int ready(void *ctx, const struct jval *obj, struct err *e)
{
	struct fixture *x = ctx;
	const char *is = "absent";

	if (obj && jneed_str(obj, "state", &is, e))
		return -1;
	sb_printf(&x->asked, "%s ", is);
	if (str_eq(is, "never"))
		return err_set(e, ERR_CONFIG, 0, "will never be");
	if (str_eq(is, "half"))
		err_set(e, ERR_AGAIN, 0, "the other half is missing");
	return str_eq(is, "ready");
}

static int wait_for(struct fixture *x, int timeout_ms)
{
	struct kube_wait w = {.collection = "/api/v1/as",
			      .name = "a",
			      .ready = ready,
			      .ctx = x,
			      .deadline_ms = in_ms(timeout_ms)};

	return kube_wait(x->client, &w, &x->e);
}

static void test_one_get(void **state)
{
	(void)state;
	BEGIN(x, {.match = GET_IT, .body = OBJ("1", "ready")});
	assert_int_equal(wait_for(&x, 5000), 0);
	assert_int_equal(fake_count(&x.fake, "GET"), 1);
	end(&x);
}

static void test_comes_by_watch(void **state)
{
	(void)state;
	BEGIN(x, {.match = GET_IT, .status = 404}, {.match = LIST_IT, .body = LIST("10", "")},
	      {.match = WATCH_IT("10"),
	       .kind = FAKE_HOLD,
	       .body = EVENT("ADDED", OBJ("11", "half")) EVENT("DELETED", OBJ("12", "half"))
		       EVENT("ADDED", OBJ("13", "ready"))});
	assert_int_equal(wait_for(&x, 5000), 0);
	assert_string_equal(sb_get(&x.asked), "absent absent half absent ready ");
	assert_int_equal(fake_count(&x.fake, "GET"), 3);
	end(&x);
}

static void test_came_between_get_and_list(void **state)
{
	(void)state;
	BEGIN(x, {.match = GET_IT, .status = 404},
	      {.match = LIST_IT, .body = LIST("10", OBJ("9", "ready"))});
	assert_int_equal(wait_for(&x, 5000), 0);
	assert_string_equal(sb_get(&x.asked), "absent ready ");
	end(&x);
}

static void test_survives_cuts(void **state)
{
	(void)state;
	BEGIN(x, {.match = GET_IT, .body = OBJ("1", "half")},
	      {.match = LIST_IT, .status = 403, .body = "not yet"},
	      {.match = LIST_IT, .body = LIST("10", OBJ("1", "half"))},
	      {.match = WATCH_IT("10"), .kind = FAKE_BREAK, .body = "{\"type\":\"ADD"},
	      {.match = WATCH_IT("10"), .kind = FAKE_STREAM},
	      {.match = WATCH_IT("10"), .kind = FAKE_CLOSE},
	      {.match = WATCH_IT("10"), .kind = FAKE_STREAM, .body = EVENT("ERROR", GONE)},
	      {.match = LIST_IT, .body = LIST("20", OBJ("1", "half"))},
	      {.match = WATCH_IT("20"), .status = 410, .body = GONE},
	      {.match = LIST_IT, .body = LIST("30", OBJ("1", "half"))},
	      {.match = WATCH_IT("30"),
	       .kind = FAKE_HOLD,
	       .body = EVENT("MODIFIED", OBJ("31", "ready"))});
	assert_int_equal(wait_for(&x, 8000), 0);
	assert_int_equal(fake_count(&x.fake, "GET"), 11);
	end(&x);
}

static void test_gives_up(void **state)
{
	(void)state;
	BEGIN(x, {.match = GET_IT, .body = OBJ("1", "never")}, {.match = GET_IT, .status = 404},
	      {.match = LIST_IT, .body = LIST("10", "")},
	      {.match = WATCH_IT("10"),
	       .kind = FAKE_HOLD,
	       .body = EVENT("ADDED", OBJ("11", "never"))});
	for (int i = 0; i < 2; i++) {
		assert_int_equal(wait_for(&x, 5000), -1);
		assert_int_equal(x.e.kind, ERR_CONFIG);
		assert_string_equal(x.e.msg, "/api/v1/as/a: will never be");
	}
	end(&x);
}

static void test_timeout_says_what_was_missing(void **state)
{
	int64_t start = clock_now_ms();

	(void)state;
	BEGIN(x, {.match = GET_IT, .body = OBJ("1", "half")},
	      {.match = LIST_IT, .body = LIST("10", OBJ("1", "half"))},
	      {.match = WATCH_IT("10"), .kind = FAKE_HOLD}, {.match = GET_IT, .status = 404},
	      {.match = LIST_IT, .body = LIST("10", "")},
	      {.match = WATCH_IT("10"), .kind = FAKE_HOLD});
	assert_int_equal(wait_for(&x, 300), -1);
	assert_int_equal(x.e.kind, ERR_TIMEOUT);
	assert_string_equal(x.e.msg, "/api/v1/as/a: deadline exceeded: the other half is missing");
	assert_in_range(clock_now_ms() - start, 300, test_ms(5000));
	assert_int_equal(wait_for(&x, 300), -1);
	assert_string_equal(x.e.msg, "/api/v1/as/a: deadline exceeded: it does not exist");
	end(&x);
}

static void test_refused_at_once(void **state)
{
	int64_t start = clock_now_ms();

	(void)state;
	BEGIN(x, {.match = GET_IT, .status = 403, .body = "no rights"});
	assert_int_equal(wait_for(&x, 5000), -1);
	assert_int_equal(x.e.kind, ERR_API);
	assert_int_equal(x.e.num, 403);
	assert_string_equal(x.e.msg, "waiting for a: GET /api/v1/as/a: HTTP status 403: no rights");
	assert_in_range(clock_now_ms() - start, 0, test_ms(4000));
	end(&x);
}

static void *cancel_later(void *ctx)
{
	struct fixture *x = ((void **)ctx)[0];
	int64_t deadline = in_ms(test_ms(5000));

	while (!fake_count(&x->fake, "watch=true") && clock_now_ms() < deadline)
		poll(NULL, 0, 2);
	if (write(*(int *)((void **)ctx)[1], "x", 1) != 1)
		abort();
	return NULL;
}

static void test_cancel(void **state)
{
	pthread_t thread;
	int p[2];

	(void)state;
	BEGIN(x, {.match = GET_IT, .status = 404}, {.match = LIST_IT, .body = LIST("10", "")},
	      {.match = WATCH_IT("10"), .kind = FAKE_HOLD});
	void *ctx[2] = {&x, &p[1]};

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	kube_client_set_cancel_fd(x.client, p[0]);
	pthread_create(&thread, NULL, cancel_later, ctx);
	assert_int_equal(wait_for(&x, 8000), -1);
	assert_int_equal(x.e.kind, ERR_CANCELLED);
	pthread_join(thread, NULL);
	close(p[0]);
	close(p[1]);
	end(&x);
}

/* ------------------------------------------------------------------ kube_list_all */

static void begin_list(void *ctx)
{
	sb_puts(&((struct fixture *)ctx)->asked, "| ");
}

static int item(void *ctx, const struct jval *obj, struct err *e)
{
	const char *is;

	if (jneed_str(obj, "state", &is, e))
		return -1;
	sb_printf(&((struct fixture *)ctx)->asked, "%s ", is);
	return 0;
}

static void test_list_all(void **state)
{
	struct kube_list list = {.path = "/api/v1/as", .begin = begin_list, .item = item};

	(void)state;
	BEGIN(x,
	      {.match = "limit=500 ",
	       .body = "{\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"t1\"},\"items\":[" OBJ(
		       "1", "one") "]}"},
	      {.match = "continue=t1", .status = 410, .body = GONE},
	      {.match = "limit=500 ",
	       .body = "{\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"t2\"},\"items\":[" OBJ(
		       "1", "two") "]}"},
	      {.match = "continue=t2", .body = LIST("1", OBJ("1", "three"))},
	      {.match = "limit=500 ", .body = LIST("1", "{}")});
	list.ctx = &x;
	list.deadline_ms = in_ms(test_ms(5000));
	assert_int_equal(kube_list_all(x.client, &list, &x.e), 0);
	assert_string_equal(sb_get(&x.asked), "| one | two three ");
	assert_int_equal(kube_list_all(x.client, &list, &x.e), -1);
	assert_int_equal(x.e.kind, ERR_DECODE);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_get),
		cmocka_unit_test(test_comes_by_watch),
		cmocka_unit_test(test_came_between_get_and_list),
		cmocka_unit_test(test_survives_cuts),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_timeout_says_what_was_missing),
		cmocka_unit_test(test_refused_at_once),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_list_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
