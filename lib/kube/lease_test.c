/* SPDX-License-Identifier: Apache-2.0 */
/* What a real API server cannot be made to do; the rest is in real_test.c. */
#include "lib/base/test.h"

#include "lib/kube/fake_test.h"
#include "lib/kube/lease.h"

#define PATH "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define LEASE(version, holder, seconds, renewed, transitions)                                    \
	"{\"metadata\":{\"resourceVersion\":\"" version                                          \
	"\"},\"spec\":{\"holderIdentity\":\"" holder "\",\"leaseDurationSeconds\":" seconds      \
	",\"renewTime\":\"" renewed "\",\"acquireTime\":\"a\",\"leaseTransitions\":" transitions \
	"}}"
#define MINE(version)                                                          \
	"{\"metadata\":{\"resourceVersion\":\"" version                        \
	"\"},\"spec\":{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15," \
	"\"renewTime\":\"r" version "\",\"acquireTime\":\"a\",\"leaseTransitions\":3}}"
#define NOT_FOUND "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"none\",\"code\":404}"
#define CONFLICT  "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"old\",\"code\":409}"
#define READ(...)                                         \
	{                                                 \
		.match = "GET " PATH "/name", __VA_ARGS__ \
	}
#define WRITE(...)                                          \
	{                                                   \
		.match = "PATCH " PATH "/name", __VA_ARGS__ \
	}

/* The end of a script: a read that is answered when the test is over. */
#define SILENCE READ(.delay_ms = 20000)

/* The log of what the lease tells. */
struct told {
	struct sb log;
	const char *until;
	bool done;
};

struct fixture {
	struct fake fake;
	struct kube_client *client;
	struct kube_lease *lease;
	struct told told;
};

static void note(struct told *t, const char *what, const char *detail)
{
	sb_printf(&t->log, "%s%s%s; ", what, *detail ? " " : "", detail);
	t->done = t->until && str_eq(sb_get(&t->log), t->until);
}

static void acquired(void *ctx)
{
	note(ctx, "acquired", "");
}

static void lost(void *ctx, const char *why)
{
	note(ctx, "lost:", why);
}

static void holder(void *ctx, const char *identity)
{
	note(ctx, "holder", *identity ? identity : "nobody");
}

static void failed(void *ctx, const struct err *why)
{
	note(ctx, "failed", err_kind_name(why->kind));
}

static const struct kube_lease_ops ops = {
	.acquired = acquired, .lost = lost, .holder = holder, .failed = failed};

static void begin(struct fixture *x, struct fake_reply *replies, size_t n, int deadline_ms)
{
	struct kube_lease_options opt = {.ns = "ns",
					 .name = "name",
					 .identity = "me",
					 .duration_ms = 15000,
					 .renew_deadline_ms = deadline_ms,
					 .retry_ms = 20,
					 .ops = &ops,
					 .ctx = &x->told};

	memset(x, 0, sizeof(*x));
	x->fake.replies = replies;
	x->fake.n_replies = n;
	fake_start(&x->fake);
	x->client = fake_client(&x->fake, NULL);
	x->lease = kube_lease_new(x->client, &opt);
}

#define BEGIN(x, deadline_ms, ...)                    \
	struct fake_reply replies_[] = {__VA_ARGS__}; \
	struct fixture x;                             \
	begin(&x, replies_, sizeof(replies_) / sizeof(replies_[0]), deadline_ms)

/* Run until the log reads exactly so. */
static void until(struct fixture *x, const char *log)
{
	struct err e = {0};

	x->told.until = log;
	x->told.done = str_eq(sb_get(&x->told.log), log);
	if (kube_client_wait(x->client, &x->told.done, in_ms(test_ms(10000)), &e))
		assert_string_equal(sb_get(&x->told.log), log);
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
	int64_t deadline = in_ms(test_ms(10000));

	while (fake_count(&x->fake, what) < n) {
		assert_true(clock_now_ms() < deadline);
		run_a_little(x);
	}
}

static void end(struct fixture *x)
{
	kube_lease_free(x->lease);
	kube_client_free(x->client);
	fake_stop(&x->fake);
	sb_done(&x->told.log);
}

/* Its duration counts, on our clock; that the other's clock is years off does not, nor a new version. */
static void test_waits_by_its_own_clock(void **state)
{
	int64_t began = clock_now_ms();
	BEGIN(x, 10000, READ(.body = LEASE("5", "other", "1", "1970-01-01T00:00:00.000000Z", "2")),
	      READ(.delay_ms = 200,
		   .body = LEASE("6", "other", "1", "2970-01-01T00:00:00.000000Z", "2")),
	      READ(.keep = true,
		   .body = LEASE("9", "other", "1", "2970-01-01T00:00:00.000000Z", "2")),
	      WRITE(.body = MINE("10")));

	(void)state;
	until(&x, "holder other; acquired; ");
	assert_true(clock_now_ms() - began >= 1200);
	assert_int_equal(fake_count(&x.fake, "\"resourceVersion\":\"9\"}"), 1);
	assert_int_equal(fake_count(&x.fake, "\"leaseTransitions\":3"), 1);
	end(&x);
}

static void test_makes_it(void **state)
{
	BEGIN(x, 10000, READ(.status = 404, .body = NOT_FOUND),
	      {.match = "POST " PATH, .status = 201, .body = MINE("1")}, READ(.body = MINE("1")),
	      WRITE(.body = MINE("2")), SILENCE);

	(void)state;
	until(&x, "holder nobody; acquired; ");
	assert_true(kube_lease_is_held(x.lease));
	assert_int_equal(
		fake_count(&x.fake,
			   "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
			   "\"metadata\":{\"name\":\"name\",\"namespace\":\"ns\"},\"spec\":{"
			   "\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,"),
		1);
	assert_int_equal(fake_count(&x.fake, "\"leaseTransitions\":0"), 1);
	until_asked(&x, "GET", 3);
	/* A renewal touches neither the time of the acquisition nor the count. */
	assert_int_equal(fake_count(&x.fake, "PATCH"), 1);
	assert_int_equal(fake_count(&x.fake, "acquireTime"), 1);
	end(&x);
}

static void test_answers_that_are_lost(void **state)
{
	BEGIN(x, 10000, READ(.body = LEASE("1", "", "1", "r", "2")),
	      /* The acquisition was done, a renewal was not. */
	      WRITE(.kind = FAKE_CLOSE), READ(.body = MINE("2")), WRITE(.body = MINE("3")),
	      READ(.body = MINE("3")), WRITE(.kind = FAKE_CUT, .body = "{}"),
	      READ(.body = MINE("3")), WRITE(.body = MINE("4")), SILENCE);

	(void)state;
	until(&x, "holder nobody; acquired; ");
	until_asked(&x, "GET", 5);
	assert_true(kube_lease_is_held(x.lease));
	assert_string_equal(sb_get(&x.told.log), "holder nobody; acquired; ");
	/* What was acquired once is not acquired again. */
	assert_int_equal(fake_count(&x.fake, "\"leaseTransitions\":3"), 1);
	end(&x);
}

static void test_another_has_it(void **state)
{
	BEGIN(x, 10000, READ(.body = LEASE("1", "", "1", "r", "2")), WRITE(.body = MINE("2")),
	      READ(.body = MINE("2")), WRITE(.status = 409, .body = CONFLICT),
	      READ(.body = LEASE("3", "other", "15", "r", "4")));

	(void)state;
	until(&x, "holder nobody; acquired; lost: other has it; ");
	assert_false(kube_lease_is_held(x.lease));
	assert_int_equal(fake_count(&x.fake, "GET"), 3);
	end(&x);
}

static void test_taken_away(void **state)
{
	BEGIN(x, 10000, READ(.body = MINE("1")), WRITE(.body = MINE("2")),
	      READ(.body = LEASE("3", "", "1", "r", "4")));

	(void)state;
	until(&x, "acquired; lost: another process has it; ");
	end(&x);
}

static void test_too_late(void **state)
{
	BEGIN(x, 1000, READ(.body = MINE("1")), WRITE(.body = MINE("2")),
	      READ(.kind = FAKE_HOLD, .delay_ms = 20000),
	      READ(.kind = FAKE_HOLD, .delay_ms = 20000),
	      READ(.kind = FAKE_HOLD, .delay_ms = 20000));
	int64_t began = clock_now_ms();

	(void)state;
	until(&x, "acquired; ");
	while (kube_lease_is_held(x.lease))
		poll(NULL, 0, 5);
	/* Known to whoever asks, though nothing has been dispatched. */
	assert_true(clock_now_ms() - began >= 1000);
	sb_clear(&x.told.log);
	while (!strstr(sb_get(&x.told.log), "lost: it could not be renewed in time; ")) {
		assert_true(clock_now_ms() < began + 10000);
		run_a_little(&x);
	}
	end(&x);
}

static void test_acquired_too_late(void **state)
{
	BEGIN(x, 1000, READ(.body = LEASE("1", "", "1", "r", "2")),
	      WRITE(.delay_ms = 500, .body = MINE("2")), READ(.body = MINE("2")),
	      WRITE(.body = MINE("3")), SILENCE);

	(void)state;
	until_asked(&x, "PATCH", 1);
	/* The process sleeps; the answer waits for it. */
	poll(NULL, 0, 1050);
	until(&x, "holder nobody; acquired; ");
	assert_true(kube_lease_is_held(x.lease));
	assert_int_equal(fake_count(&x.fake, "PATCH"), 2);
	end(&x);
}

static void test_doubt(void **state)
{
	BEGIN(x, 10000, READ(.body = MINE("1")), WRITE(.body = MINE("2")), READ(.delay_ms = 20000),
	      READ(.body = MINE("2")), WRITE(.body = MINE("3")),
	      READ(.body = LEASE("4", "other", "15", "r", "4")));

	(void)state;
	kube_lease_doubt(x.lease);
	assert_false(kube_lease_in_doubt(x.lease));
	until(&x, "acquired; ");
	until_asked(&x, "GET", 2);
	/* The read that is under way was sent too early to tell. */
	kube_lease_doubt(x.lease);
	assert_true(kube_lease_in_doubt(x.lease));
	for (int64_t stop = in_ms(test_ms(10000)); kube_lease_in_doubt(x.lease);) {
		assert_true(clock_now_ms() < stop);
		run_a_little(&x);
	}
	until(&x, "acquired; lost: other has it; ");
	end(&x);
}

static void test_refused(void **state)
{
	BEGIN(x, 10000, READ(.status = 403, .body = "{}"), READ(.body = "[]"),
	      READ(.body = "{\"metadata\":{}}"),
	      READ(.body = "{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{\"holderIdentity\":7}}"),
	      WRITE(.status = 403, .body = "{}"), READ(.body = LEASE("2", "", "1", "r", "2")),
	      WRITE(.body = MINE("3")));

	(void)state;
	until(&x,
	      "failed api; failed decode; failed decode; holder nobody; failed api; acquired; ");
	end(&x);
}

static void test_release(void **state)
{
	BEGIN(x, 10000, READ(.body = MINE("1")), WRITE(.body = MINE("2")),
	      WRITE(.status = 409, .body = CONFLICT), READ(.body = MINE("3")),
	      WRITE(.body = LEASE("4", "", "1", "r", "3")));
	struct err e = {0};

	(void)state;
	until(&x, "acquired; ");
	assert_int_equal(kube_lease_release(x.lease, in_ms(test_ms(5000)), &e), 0);
	assert_false(kube_lease_is_held(x.lease));
	assert_int_equal(
		fake_count(&x.fake,
			   "{\"metadata\":{\"resourceVersion\":\"3\"},\"spec\":{"
			   "\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"renewTime\":"),
		1);
	/* Once. */
	assert_int_equal(kube_lease_release(x.lease, in_ms(test_ms(5000)), &e), 0);
	assert_int_equal(fake_count(&x.fake, "PATCH"), 3);
	assert_string_equal(sb_get(&x.told.log), "acquired; ");
	end(&x);
}

static void test_release_of_another_s(void **state)
{
	BEGIN(x, 10000, READ(.body = MINE("1")), WRITE(.body = MINE("2")),
	      WRITE(.status = 409, .body = CONFLICT),
	      READ(.body = LEASE("3", "other", "15", "r", "4")));
	struct err e = {0};

	(void)state;
	until(&x, "acquired; ");
	assert_int_equal(kube_lease_release(x.lease, in_ms(test_ms(5000)), &e), 0);
	assert_int_equal(fake_count(&x.fake, "PATCH"), 2);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_by_its_own_clock),
		cmocka_unit_test(test_makes_it),
		cmocka_unit_test(test_answers_that_are_lost),
		cmocka_unit_test(test_another_has_it),
		cmocka_unit_test(test_taken_away),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_acquired_too_late),
		cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_release_of_another_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
