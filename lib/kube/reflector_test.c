/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/fake_test.h"
#include "lib/kube/path.h"
#include "lib/kube/reflector.h"
#include "lib/kube/store.h"

#define OBJ(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define LIST(version, next, items)                                                \
	"{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" next \
	"\"},\"items\":[" items "]}"
#define EVENT(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define GONE                                                                                        \
	"{\"kind\":\"Status\",\"metadata\":{\"continue\":\"inconsistent\"},\"reason\":\"Expired\"," \
	"\"message\":\"too old\",\"code\":410}"

/* The log of changes ("+a" came, "-a" went, "~a" changed, "!" synced), and when to stop. */
struct seen {
	struct sb log;
	const char *until;
	bool done;
};

static int decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	(void)ctx;
	(void)obj;
	(void)e;
	*out = xstrdup("object");
	return 0;
}

static void note(struct seen *s, const char *sign, const char *key)
{
	sb_printf(&s->log, "%s%s ", sign, key);
	s->done = s->until && str_eq(sb_get(&s->log), s->until);
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	note(ctx, !old ? "+" : obj ? "~" : "-", key);
}

static void synced(void *ctx)
{
	note(ctx, "!", "");
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	assert_int_equal(why->kind, ERR_DECODE);
	note(ctx, "?", key);
}

static const struct kube_store_ops ops = {
	.decode = decode, .free = free, .changed = changed, .synced = synced, .bad = bad};

struct fixture {
	struct fake fake;
	struct kube_client *client;
	struct kube_store *store;
	struct kube_reflector *reflector;
	struct kube_reflector_stats stats;
	struct seen seen;
};

static void begin(struct fixture *x, struct fake_reply *replies, size_t n)
{
	struct kube_reflector_options opt = {
		.path = "/api/v1/as", .query = "labelSelector=x", .page = 2, .backoff_max_ms = 200};

	memset(x, 0, sizeof(*x));
	x->fake.replies = replies;
	x->fake.n_replies = n;
	fake_start(&x->fake);
	x->client = fake_client(&x->fake, NULL);
	x->store = kube_store_new(&ops, &x->seen);
	x->reflector = kube_reflector_new(x->client, x->store, &opt);
}

#define BEGIN(x, ...)                                 \
	struct fake_reply replies_[] = {__VA_ARGS__}; \
	struct fixture x;                             \
	begin(&x, replies_, sizeof(replies_) / sizeof(replies_[0]))

/* Run until the log reads exactly so. */
static void until(struct fixture *x, const char *log)
{
	struct err e = {0};

	x->seen.until = log;
	x->seen.done = str_eq(sb_get(&x->seen.log), log);
	if (kube_client_wait(x->client, &x->seen.done, in_ms(test_ms(5000)), &e))
		assert_string_equal(sb_get(&x->seen.log), log);
}

static void run_a_little(struct fixture *x)
{
	bool never = false;
	struct err e = {0};

	IGNORE(kube_client_wait(x->client, &never, in_ms(5), &e), "a slice of time");
}

/* Run until the server has had n requests with this in them. */
static void until_asked(struct fixture *x, const char *what, size_t n)
{
	int64_t deadline = in_ms(test_ms(5000));

	while (fake_count(&x->fake, what) < n) {
		assert_true(clock_now_ms() < deadline);
		run_a_little(x);
	}
}

static void end(struct fixture *x)
{
	kube_reflector_free(x->reflector);
	kube_store_free(x->store);
	kube_client_free(x->client);
	fake_stop(&x->fake);
	sb_done(&x->seen.log);
}

#define FIRST_PAGE "as?labelSelector=x&limit=2 "
#define WATCH(version) \
	"&watch=true&allowWatchBookmarks=true&resourceVersion=" version "&timeoutSeconds="

static void test_list_and_watch(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "t1", OBJ("a", "1") "," OBJ("b", "2"))},
	      {.match = "&limit=2&continue=t1 ", .body = LIST("10", "", OBJ("c", "3"))},
	      {.match = WATCH("10"),
	       .kind = FAKE_HOLD,
	       .body = EVENT("MODIFIED", OBJ("a", "11")) EVENT("DELETED", OBJ("b", "12"))
		       EVENT("ADDED", OBJ("d", "13"))});
	until(&x, "+a +b +c ! ~a -b +d ");
	assert_int_equal(kube_store_count(x.store), 3);
	assert_true(kube_reflector_is_watching(x.reflector));
	assert_int_equal(kube_reflector_error(x.reflector)->kind, ERR_NONE);
	kube_reflector_stats(x.reflector, &x.stats);
	assert_int_equal(x.stats.lists, 1);
	assert_int_equal(x.stats.watches, 1);
	assert_int_equal(x.stats.events, 3);
	assert_int_equal(x.stats.failures, 0);
	end(&x);
}

static void test_quiet_watch_is_a_watch(void **state)
{
	int64_t deadline = in_ms(3000);

	(void)state;
	BEGIN(x,
	      {.match = FIRST_PAGE,
	       .body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":null}"},
	      {.match = WATCH("5"), .kind = FAKE_HOLD});
	until(&x, "! ");
	while (!kube_reflector_is_watching(x.reflector) && clock_now_ms() < deadline)
		run_a_little(&x);
	assert_true(kube_reflector_is_watching(x.reflector));
	end(&x);
}

/* Cut inside a line: the whole events count, and the watch goes on from the last one. */
static void test_cut_and_resumed(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = WATCH("10"),
	       .kind = FAKE_BREAK,
	       .body = EVENT("ADDED", OBJ("b", "11")) "{\"type\":\"ADDED\",\"obj"},
	      {.match = WATCH("11"), .kind = FAKE_CLOSE},
	      {.match = WATCH("11"), .kind = FAKE_HOLD, .body = EVENT("ADDED", OBJ("c", "12"))});
	until(&x, "+a ! +b +c ");
	kube_reflector_stats(x.reflector, &x.stats);
	assert_int_equal(x.stats.lists, 1);
	assert_int_equal(x.stats.watches, 3);
	assert_int_equal(x.stats.failures, 2);
	end(&x);
}

static void test_bookmark_moves_the_version(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = WATCH("10"), .kind = FAKE_STREAM, .body = EVENT("BOOKMARK", OBJ("", "50"))},
	      {.match = WATCH("50"), .kind = FAKE_HOLD, .body = EVENT("ADDED", OBJ("b", "51"))});
	until(&x, "+a ! +b ");
	end(&x);
}

static void test_gone_lists_again(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1") "," OBJ("b", "2"))},
	      {.match = WATCH("10"), .kind = FAKE_STREAM, .body = EVENT("ERROR", GONE)},
	      {.match = FIRST_PAGE, .body = LIST("20", "", OBJ("b", "2"))},
	      {.match = WATCH("20"), .status = 410, .body = GONE},
	      {.match = FIRST_PAGE, .body = LIST("30", "", OBJ("b", "25"))},
	      {.match = WATCH("30"), .kind = FAKE_HOLD});
	until(&x, "+a +b ! -a ! ~b ! ");
	kube_reflector_stats(x.reflector, &x.stats);
	assert_int_equal(x.stats.lists, 3);
	end(&x);
}

static void test_gone_in_the_middle_of_a_list(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "t1", OBJ("a", "1"))},
	      {.match = "continue=t1 ", .status = 410, .body = GONE},
	      {.match = FIRST_PAGE, .body = LIST("20", "t2", OBJ("b", "2"))},
	      {.match = "continue=t2 ", .body = LIST("20", "", OBJ("c", "3"))},
	      {.match = WATCH("20"), .kind = FAKE_HOLD});
	until(&x, "+a +b +c -a ! ");
	assert_int_equal(fake_count(&x.fake, "inconsistent"), 0);
	end(&x);
}

static void test_version_that_went_back(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("100", "", OBJ("a", "1"))},
	      {.match = WATCH("100"), .kind = FAKE_HOLD, .body = EVENT("BOOKMARK", OBJ("", "40"))},
	      {.match = FIRST_PAGE, .body = LIST("41", "", OBJ("z", "41"))},
	      {.match = WATCH("41"), .kind = FAKE_HOLD});
	until(&x, "+a ! +z -a ! ");
	end(&x);
}

static void test_failed_watches_end_in_a_list(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = WATCH("10"), .kind = FAKE_CLOSE}, {.match = WATCH("10"), .status = 503},
	      {.match = WATCH("10"), .kind = FAKE_CLOSE},
	      {.match = WATCH("10"), .kind = FAKE_CLOSE},
	      {.match = FIRST_PAGE, .body = LIST("20", "", OBJ("b", "2"))},
	      {.match = WATCH("20"), .kind = FAKE_HOLD});
	until(&x, "+a ! +b -a ! ");
	end(&x);
}

static void test_junk_is_survived(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = "{\"items\":[]"},
	      {.match = FIRST_PAGE, .body = "{}"},
	      {.match = FIRST_PAGE, .status = 403, .body = "no"},
	      {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = WATCH("10"), .kind = FAKE_STREAM, .body = "junk\n"},
	      {.match = FIRST_PAGE, .body = LIST("20", "", OBJ("a", "1"))},
	      {.match = WATCH("20"), .kind = FAKE_HOLD});
	until(&x, "+a ! ! ");
	end(&x);
}

static void test_relist(void **state)
{
	(void)state;
	BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = WATCH("10"), .kind = FAKE_HOLD},
	      {.match = FIRST_PAGE, .body = LIST("20", "", OBJ("b", "2"))},
	      {.match = WATCH("20"), .kind = FAKE_HOLD});
	until(&x, "+a ! ");
	until_asked(&x, WATCH("10"), 1);
	kube_reflector_relist(x.reflector);
	until(&x, "+a ! +b -a ! ");
	until_asked(&x, WATCH("20"), 1);
	end(&x);
}

/* Not a failure: on some servers a collection in which nothing happens has no bookmarks. */
static void test_silent_watch_is_asked_for_anew(void **state)
{
	struct kube_reflector_options opt = {.path = "/api/v1/as", .silence_ms = 150};
	int64_t age_ms;

	(void)state;
	BEGIN(x, {.match = "/as?limit=500 ", .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = "as?watch=true", .kind = FAKE_HOLD},
	      {.match = "as?watch=true", .kind = FAKE_HOLD},
	      {.match = "as?watch=true", .kind = FAKE_HOLD},
	      {.match = "as?watch=true", .kind = FAKE_HOLD, .body = EVENT("ADDED", OBJ("b", "11"))});
	kube_reflector_free(x.reflector);
	x.reflector = kube_reflector_new(x.client, x.store, &opt);
	assert_int_equal(kube_reflector_age_ms(x.reflector, clock_now_ms()), -1);
	until(&x, "+a ! +b ");
	age_ms = kube_reflector_age_ms(x.reflector, clock_now_ms());
	assert_in_range(age_ms, 0, 100);
	assert_int_equal(kube_reflector_age_ms(x.reflector, clock_now_ms() + 60000) / 1000, 60);
	kube_reflector_stats(x.reflector, &x.stats);
	assert_int_equal(x.stats.failures, 0);
	assert_int_equal(x.stats.lists, 1);
	assert_int_equal(x.stats.watches, 4);
	end(&x);
}

/* When the reflector's call, the only one, is to be sent again. */
static int64_t next_call_in_ms(struct fixture *x, const char *what)
{
	until_asked(x, what, 1);
	while (x->client->heap.n != 1 ||
	       CONTAINER_OF(x->client->heap.at[0], struct kube_call, wake)->state != CALL_PAUSED)
		run_a_little(x);
	return x->client->heap.at[0]->at_ms - clock_now_ms();
}

/* One answer of whatever stands between us and the server may not blind a cache for longer than this. */
static void test_long_retry_after_is_cut_short(void **state)
{
	(void)state;
	{
		BEGIN(x, {.match = FIRST_PAGE, .status = 429, .headers = "Retry-After: 600\r\n"});
		assert_in_range(next_call_in_ms(&x, FIRST_PAGE), 25000, 30000);
		end(&x);
	}
	{
		BEGIN(x, {.match = FIRST_PAGE, .body = LIST("10", "", OBJ("a", "1"))},
		      {.match = WATCH("10"), .status = 503, .headers = "Retry-After: 600\r\n"});
		assert_in_range(next_call_in_ms(&x, WATCH("10")), 25000, 30000);
		end(&x);
	}
}

/* Cannot be read by itself. What was known of it stays, for it is there. */
#define TORN(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"},\"x\":1,\"x\":2}"

static void test_unreadable_objects_cost_themselves(void **state)
{
	(void)state;
	BEGIN(x,
	      {.match = FIRST_PAGE,
	       .body = LIST("10", "", OBJ("a", "1") "," TORN("b", "2") "," OBJ("c", "3"))},
	      {.match = WATCH("10"),
	       .kind = FAKE_STREAM,
	       .body = EVENT("MODIFIED", TORN("a", "11")) EVENT("ADDED", OBJ("d", "12"))
		       EVENT("ERROR", GONE)},
	      {.match = FIRST_PAGE,
	       .body = LIST("20", "", TORN("a", "1") "," OBJ("d", "12") ",{\"x\":01},{}")},
	      {.match = WATCH("20"), .kind = FAKE_HOLD, .body = EVENT("DELETED", TORN("a", "21"))});
	until(&x, "?b +a +c ! ?a +d ?a ?(unknown) ?(unknown) -c ! -a ");
	end(&x);
}

static char *list_of(size_t bytes)
{
	AUTO(sb_done) struct sb list = SB_INIT;

	sb_puts(&list, "{\"metadata\":{\"resourceVersion\":\"10\"},\"x\":\"");
	while (list.len < bytes)
		sb_putc(&list, 'x');
	sb_puts(&list, "\",\"items\":[]}");
	return sb_take(&list);
}

/* Twice as small each time, also behind the first page. */
static void test_too_large_a_page_is_asked_for_in_halves(void **state)
{
	AUTO(free) char *large = list_of(KUBE_BODY_MAX);
	struct kube_reflector_options opt = {.path = "/api/v1/as", .page = 5};

	(void)state;
	BEGIN(x, {.match = "/as?limit=5 ", .body = LIST("10", "t", OBJ("a", "1"))},
	      {.match = "/as?limit=5&continue=t ", .body = large},
	      {.match = "/as?limit=2&continue=t ", .body = large},
	      {.match = "/as?limit=1&continue=t ", .body = LIST("10", "", OBJ("b", "2"))},
	      {.match = "as?watch=true", .kind = FAKE_HOLD});
	kube_reflector_free(x.reflector);
	x.reflector = kube_reflector_new(x.client, x.store, &opt);
	until(&x, "+a +b ! ");
	kube_reflector_stats(x.reflector, &x.stats);
	assert_int_equal(x.stats.failures, 0);
	end(&x);
}

static unsigned int n_failed;

static void failed(const char *path, const struct err *why)
{
	n_failed++;
	assert_string_equal(path, "/api/v1/as");
	assert_string_equal(why->msg, "GET /api/v1/as: HTTP status 403: no");
}

static void test_failures_are_told_once_a_minute(void **state)
{
	struct kube_reflector_options opt = {
		.path = "/api/v1/as", .page = 5, .backoff_max_ms = 10, .failed = failed};

	(void)state;
	BEGIN(x, {.match = "/as?limit=5 ", .status = 403, .body = "no"},
	      {.match = "/as?limit=5 ", .status = 403, .body = "no"},
	      {.match = "/as?limit=5 ", .body = LIST("10", "", OBJ("a", "1"))},
	      {.match = "as?watch=true", .kind = FAKE_HOLD});
	n_failed = 0;
	kube_reflector_free(x.reflector);
	x.reflector = kube_reflector_new(x.client, x.store, &opt);
	until(&x, "+a ! ");
	assert_int_equal(n_failed, 1);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_and_watch),
		cmocka_unit_test(test_quiet_watch_is_a_watch),
		cmocka_unit_test(test_cut_and_resumed),
		cmocka_unit_test(test_bookmark_moves_the_version),
		cmocka_unit_test(test_gone_lists_again),
		cmocka_unit_test(test_gone_in_the_middle_of_a_list),
		cmocka_unit_test(test_version_that_went_back),
		cmocka_unit_test(test_failed_watches_end_in_a_list),
		cmocka_unit_test(test_junk_is_survived),
		cmocka_unit_test(test_relist),
		cmocka_unit_test(test_silent_watch_is_asked_for_anew),
		cmocka_unit_test(test_long_retry_after_is_cut_short),
		cmocka_unit_test(test_unreadable_objects_cost_themselves),
		cmocka_unit_test(test_too_large_a_page_is_asked_for_in_halves),
		cmocka_unit_test(test_failures_are_told_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
