/* SPDX-License-Identifier: Apache-2.0 */
#include "node/door/ask.h"

#include "lib/base/test.h"

#include <string.h>

#include "lib/base/sb.h"
#include "lib/door/frame.h"
#include "lib/door/message.h"
#include "lib/json/jread.h"
#include "lib/kube/client_int.h"
#include "lib/kube/fake_test.h"

#define PATH        "GET /apis/tandem-cni.io/v1/namespaces/a/macvlanips/b "
#define STATUS_PATH "PATCH /apis/tandem-cni.io/v1/namespaces/a/macvlanips/b/status "
#define META(version)                                                                                   \
	"\"metadata\":{\"namespace\":\"a\",\"name\":\"b\",\"uid\":\"r\",\"resourceVersion\":\"" version \
	"\"}"
/* Of pod "u", without an address and with one. */
#define PENDING(version) \
	"{" META(version) ",\"spec\":{\"subnet\":\"s\",\"podId\":\"u\",\"master\":\"m\"}}"
/* cppcheck-suppress preprocessorErrorDirective */
#define GIVEN(version)                                                                                            \
	"{" META(                                                                                                 \
		version) ",\"spec\":{\"subnet\":\"s\",\"podId\":\"u\",\"master\":\"m\",\"cidr\":\"10.0.0.2/24\"," \
			 "\"mac\":\"0a:00:00:00:00:02\"}}"
#define FAILURE(code, reason)                                                                  \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"" reason "\",\"message\":\"" \
	"no\",\"code\":" code "}"

/* Who asks, and what was answered: its resourceVersion, "none", or the error. */
struct guest {
	struct door_request req;
	struct question *question;
	char said[64];
	bool answered;
};

struct fixture {
	struct fake fake;
	struct kube_client *client;
	struct asker *asker;
};

static void begin(struct fixture *f, struct fake_reply *replies, size_t n)
{
	f->fake.replies = replies;
	f->fake.n_replies = n;
	fake_start(&f->fake);
	f->client = fake_client(&f->fake, NULL);
	f->asker = asker_new(f->client);
}

static void end(struct fixture *f)
{
	asker_free(f->asker);
	kube_client_free(f->client);
	fake_stop(&f->fake);
}

static void read_answer(const struct sb *text, char said[64])
{
	AUTO(door_answer_done) struct door_answer a = {0};
	struct err e = {0};
	struct jval meta;
	const char *version = "done";

	assert_int_equal(door_answer_read(text->data + DOOR_HEAD, text->len - DOOR_HEAD, &a, &e),
			 0);
	if (a.err.kind)
		version = err_kind_name(a.err.kind);
	else if (!a.found)
		version = "none";
	else if (jneed_obj(&a.object, "metadata", &meta, &e) == 0)
		IGNORE(jget_str(&meta, "resourceVersion", &version, &e), "of a pod there is none");
	snprintf(said, 64, "%s%s", version, a.unknown ? " perhaps" : "");
}

static void on_answer(void *ctx, struct sb *answer)
{
	struct guest *g = ctx;

	read_answer(answer, g->said);
	g->question = NULL;
	g->answered = true;
}

/* seen NULL: any version will do. */
static struct guest guest(int wait_ms, const char *seen)
{
	return (struct guest){.req = {.verb = DOOR_RECORD,
				      .ns = (char *)"a",
				      .name = (char *)"b",
				      .pod_uid = (char *)"u",
				      .seen = (char *)seen,
				      .wait_ms = wait_ms}};
}

static void ask(struct fixture *f, struct guest *g)
{
	g->question = asker_ask(f->asker, &g->req, on_answer, g);
}

/* Until flag is set, or for so long. An answer may change when the next thing is due: so in small steps. */
static void turn(struct fixture *f, const bool *flag, int64_t ms)
{
	int64_t until = clock_now_ms() + ms;
	struct err e = {0};

	while (!*flag && clock_now_ms() < until) {
		if (kube_client_wait(f->client, flag, clock_now_ms() + 5, &e) < 0)
			assert_int_equal(e.kind, ERR_TIMEOUT);
		asker_run(f->asker);
	}
}

static void wait_for_requests(struct fixture *f, size_t n)
{
	bool never = false;

	for (int i = 0; i < 1000 && fake_count(&f->fake, PATH) < n; i++)
		turn(f, &never, 5);
	assert_int_equal(fake_count(&f->fake, PATH), n);
}

#define LONG_MS ((int)test_ms(4000))

/* One alone asks, and that is the answer. */
static void hears(struct fixture *f, struct guest *g, const char *said)
{
	ask(f, g);
	turn(f, &g->answered, LONG_MS);
	assert_string_equal(g->said, said);
}

/* A GET that was under way already says nothing about a question that comes then; those that come share the next. */
static void test_never_from_before(void **state)
{
	struct fake_reply replies[] = {{.match = PATH, .body = GIVEN("1"), .delay_ms = 1000},
				       {.match = PATH, .body = GIVEN("2")}};
	struct guest first = guest(LONG_MS, NULL), second = first, third = first;
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	ask(&f, &first);
	wait_for_requests(&f, 1);
	ask(&f, &second);
	ask(&f, &third);
	turn(&f, &first.answered, LONG_MS);
	assert_string_equal(first.said, "1");
	assert_false(second.answered);
	turn(&f, &second.answered, LONG_MS);
	turn(&f, &third.answered, LONG_MS);
	assert_string_equal(second.said, "2");
	assert_string_equal(third.said, "2");
	assert_int_equal(fake_count(&f.fake, PATH), 2);
	assert_int_equal(asker_next_ms(f.asker), 0);
	end(&f);
}

/* The watch says when to look again, and a look that is under way then is not enough. */
static void test_waits(void **state)
{
	struct fake_reply replies[] = {
		{.match = PATH, .status = 404, .body = FAILURE("404", "NotFound")},
		{.match = PATH, .body = PENDING("1"), .delay_ms = 1000},
		{.match = PATH, .body = GIVEN("2")},
	};
	struct guest g = guest(LONG_MS, NULL);
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	ask(&f, &g);
	turn(&f, &g.answered, 100);
	assert_false(g.answered);
	assert_int_equal(fake_count(&f.fake, PATH), 1);
	asker_changed(f.asker, "a/c");
	asker_changed(f.asker, "a/b");
	wait_for_requests(&f, 2);
	asker_changed(f.asker, "a/b");
	turn(&f, &g.answered, LONG_MS);
	assert_string_equal(g.said, "2");
	assert_int_equal(fake_count(&f.fake, PATH), 3);
	end(&f);
}

static void test_seen(void **state)
{
	struct fake_reply replies[] = {{.match = PATH, .body = GIVEN("7")},
				       {.match = PATH, .body = GIVEN("8")}};
	struct guest g = guest(LONG_MS, "7");
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	ask(&f, &g);
	turn(&f, &g.answered, 100);
	assert_false(g.answered);
	asker_changed(f.asker, "a/b");
	turn(&f, &g.answered, LONG_MS);
	assert_string_equal(g.said, "8");
	end(&f);
}

/* At the end what is there is told, though the watch has shown nothing. */
static void test_last_look(void **state)
{
	struct fake_reply replies[] = {
		{.match = PATH, .status = 404, .body = FAILURE("404", "NotFound")},
		{.match = PATH, .body = PENDING("3"), .keep = true},
	};
	struct guest g = guest((int)test_ms(400), NULL);
	int64_t start = clock_now_ms();
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	hears(&f, &g, "3");
	assert_int_equal(fake_count(&f.fake, PATH), 2);
	assert_true(clock_now_ms() - start >= test_ms(400) / 2);
	end(&f);
}

/* Nor is what was seen forgotten when the last look gets no answer. */
static void test_last_look_fails(void **state)
{
	struct fake_reply replies[] = {{.match = PATH, .body = PENDING("3")},
				       {.match = PATH, .kind = FAKE_CLOSE, .keep = true}};
	struct guest g = guest((int)test_ms(400), NULL);
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	hears(&f, &g, "3");
	end(&f);
}

static void test_failures(void **state)
{
	static const struct {
		int status;
		const char *body, *said;
	} rows[] = {
		{403, FAILURE("403", "Forbidden"), "api"},
		{401, FAILURE("401", "Unauthorized"), "api"},
		{200, "{", "decode"},
		{200, "{" META("9") ",\"spec\":{\"subnet\":1}}", "9"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_reply replies[] = {
			{.match = PATH, .status = rows[i].status, .body = rows[i].body}};
		struct guest g = guest(LONG_MS, NULL);
		struct fixture f = {0};

		begin(&f, replies, ARRAY_SIZE(replies));
		hears(&f, &g, rows[i].said);
		end(&f);
	}
}

static void test_silence(void **state)
{
	struct fake_reply replies[] = {{.match = PATH, .body = GIVEN("1"), .delay_ms = 600000}};
	struct guest g = guest(200, NULL);
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	hears(&f, &g, "timeout");
	end(&f);
}

/* Who goes is not answered, and what was asked for him alone ends; the others go on. */
static void test_drop(void **state)
{
	struct fake_reply replies[] = {{.match = PATH, .body = GIVEN("1"), .delay_ms = 600000},
				       {.match = PATH, .body = GIVEN("2")}};
	struct guest first = guest(LONG_MS, NULL), second = first;
	struct fixture f = {0};

	(void)state;
	begin(&f, replies, ARRAY_SIZE(replies));
	ask(&f, &first);
	wait_for_requests(&f, 1);
	ask(&f, &second);
	question_drop(first.question);
	turn(&f, &second.answered, LONG_MS);
	assert_string_equal(second.said, "2");
	assert_false(first.answered);
	assert_int_equal(asker_next_ms(f.asker), 0);
	end(&f);
}

static void test_now(void **state)
{
	struct fake_reply replies[] = {
		{.match = PATH, .status = 404, .body = FAILURE("404", "NotFound")}};
	struct guest g = guest(LONG_MS, NULL);
	struct fixture f = {0};

	(void)state;
	g.req.pod_uid = NULL;
	begin(&f, replies, ARRAY_SIZE(replies));
	hears(&f, &g, "none");
	end(&f);
}

static void test_patch(void **state)
{
	static const struct {
		struct fake_reply reply;
		const char *said;
	} rows[] = {
		{{.match = STATUS_PATH, .body = GIVEN("2")}, "none"},
		{{.match = STATUS_PATH, .status = 409, .body = FAILURE("409", "Conflict")},
		 "conflict"},
		{{.match = STATUS_PATH, .status = 500, .body = FAILURE("500", "InternalError")},
		 "api perhaps"},
		{{.match = STATUS_PATH, .kind = FAKE_CLOSE}, "transport perhaps"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_reply replies[] = {rows[i].reply};
		struct guest g = guest(LONG_MS, NULL);
		struct fixture f = {0};

		g.req.verb = DOOR_PATCH;
		g.req.uid = (char *)"r";
		g.req.version = (char *)"1";
		g.req.message = (char *)"m";
		begin(&f, replies, ARRAY_SIZE(replies));
		hears(&f, &g, rows[i].said);
		assert_non_null(
			strstr(f.fake.log[0],
			       "\r\n\r\n{\"metadata\":{\"uid\":\"r\",\"resourceVersion\":\"1\"},"
			       "\"status\":{\"phase\":null,\"message\":\"m\"}}"));
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_from_before),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_last_look),
		cmocka_unit_test(test_last_look_fails),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_patch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
