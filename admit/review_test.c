/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdio.h>
#include <string.h>

#include "admit/review.h"
#include "lib/base/mem.h"

#define HEAD "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":"
#define CREATE                                                                                      \
	HEAD "{\"uid\":\"u1\",\"kind\":{\"group\":\"apps\"},\"resource\":{\"group\":\"apps\","      \
	     "\"version\":\"v1\",\"resource\":\"deployments\"},\"namespace\":\"n\",\"name\":\"d\"," \
	     "\"operation\":\"CREATE\",\"object\":{\"a\":9223372036854775807},\"oldObject\":null}}"

static void test_create(void **state)
{
	AUTO(admit_review_done) struct admit_review r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(admit_review_parse(CREATE, strlen(CREATE), &r, &e), 0);
	assert_string_equal(r.uid, "u1");
	assert_string_equal(r.group, "apps");
	assert_string_equal(r.resource, "deployments");
	assert_string_equal(r.subresource, "");
	assert_string_equal(r.ns, "n");
	assert_string_equal(r.name, "d");
	assert_int_equal(r.operation, ADMIT_CREATE);
	assert_int_equal(r.object.len, 25);
	assert_null(r.old.p);
}

static const char *const bad[] = {
	"",
	"[]",
	"{}",
	"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1beta1\",\"request\":{}}",
	HEAD "null}",
	HEAD "[]}",
	HEAD "{\"uid\":1,\"resource\":{\"resource\":\"pods\"}}}",
	HEAD "{\"uid\":\"u\",\"resource\":{}}}",
	HEAD "{\"uid\":\"u\",\"resource\":{\"resource\":\"pods\"},\"operation\":\"CREATE\"}}",
	HEAD
	"{\"uid\":\"u\",\"resource\":{\"resource\":\"p\"},\"operation\":\"CREATE\",\"object\":[]}}",
	HEAD
	"{\"uid\":\"u\",\"resource\":{\"resource\":\"p\"},\"operation\":\"UPDATE\",\"object\":{}}}",
	HEAD
	"{\"uid\":\"u\",\"resource\":{\"resource\":\"p\"},\"operation\":\"DELETE\",\"object\":{}}}",
	CREATE "x",
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct admit_review r = {0};
		struct err e = {0};

		assert_int_equal(admit_review_parse(bad[i], strlen(bad[i]), &r, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_null(r.uid);
	}
	/* Cut anywhere. */
	for (size_t n = 0; n < strlen(CREATE); n++) {
		AUTO(free) char *cut = xmemdup(CREATE, n);
		struct admit_review r = {0};
		struct err e = {0};

		assert_int_equal(admit_review_parse(cut, n, &r, &e), -1);
	}
}

static char *answer_text(const struct admit_answer *a)
{
	struct admit_review r = {.uid = (char *)"u\"1"};
	struct sb sb = SB_INIT;

	admit_answer_write(&r, a, &sb);
	return sb_take(&sb);
}

#define ANSWER \
	"{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":\"u\\\"1\","

static void test_answers(void **state)
{
	AUTO(admit_answer_done) struct admit_answer fine = {0}, refused = {0}, later = {0};
	AUTO(free) char *t1 = NULL, *t2 = NULL, *t3 = NULL;

	(void)state;
	t1 = answer_text(&fine);
	assert_string_equal(t1, ANSWER "\"allowed\":true}}");
	assert_false(admit_refuse(&refused, "no %s", "way"));
	admit_refuse(&refused, "second");
	admit_postpone(&refused, 1, "third");
	for (int i = 0; i < 20; i++)
		admit_warn(&refused, "w%d", i);
	t2 = answer_text(&refused);
	assert_string_equal(
		t2,
		ANSWER "\"allowed\":false,\"status\":{\"status\":\"Failure\",\"message\":\"no "
		       "way\",\"reason\":\"Forbidden\",\"code\":403},\"warnings\":[\"w0\",\"w1\","
		       "\"w2\",\"w3\",\"w4\",\"w5\",\"w6\",\"w7\"]}}");
	admit_postpone(&later, 2, "starting");
	t3 = answer_text(&later);
	assert_string_equal(
		t3,
		ANSWER "\"allowed\":false,\"status\":{\"status\":\"Failure\",\"message\":"
		       "\"starting\",\"reason\":\"ServiceUnavailable\",\"code\":503,\"details\":{"
		       "\"retryAfterSeconds\":2}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
