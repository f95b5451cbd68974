/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to the Services' networks, at an API server that plays each version. */
#include "controller/facts/facts.h"

#include "controller/cluster/cluster.h"
#include "controller/process/process.h"
#include "lib/base/test.h"
#include "lib/kube/fake_test.h"

#define EMPTY "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}"
#define WATCHES                                                    \
	{                                                          \
		.match = "watch=", .kind = FAKE_HOLD, .keep = true \
	}
#define EMPTY_LISTS                                                                     \
	{.match = "/configmaps?", .body = EMPTY, .keep = true},                         \
	{                                                                               \
		.match = "GET /api/v1/namespaces/kube-system/services?", .body = EMPTY, \
		.keep = true                                                            \
	}
#define KUBERNETES                                                                             \
	{                                                                                      \
		.match = "/namespaces/default/services?",                                      \
		.body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{" \
			"\"name\":\"kubernetes\",\"namespace\":\"default\",\"uid\":\"k\","     \
			"\"resourceVersion\":\"1\"},\"spec\":{\"clusterIP\":\"10.43.0.1\","    \
			"\"clusterIPs\":[\"10.43.0.1\",\"fd00:43::1\"]}}]}",                   \
		.keep = true                                                                   \
	}
#define REFUSED(range)                                                                         \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Invalid\",\"code\":422,"     \
	"\"message\":\"Service \\\"x\\\" is invalid: spec.clusterIPs: the provided IP is not " \
	"in the valid range. The range of valid IPs is " range "\"}"
#define FORBIDDEN                                                                            \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":403," \
	"\"message\":\"services is forbidden\"}"
#define NOT_SERVED                                                                          \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404," \
	"\"message\":\"the server could not find the requested resource\"}"
#define DRY     "POST /api/v1/namespaces/kube-system/services?dryRun=All"
#define EARNEST "POST /api/v1/namespaces/kube-system/services "
#define NO_CIDRS                                                                           \
	{                                                                                  \
		.match = "/servicecidrs?", .status = 404, .body = NOT_SERVED, .keep = true \
	}
/* The rest of what the first way has to be told: the ConfigMap is written. */
#define WRITTEN                                                                   \
	{                                                                         \
		.match = "/configmaps", .status = 500, .body = "{}", .keep = true \
	}

/* How often that was asked of the last one. */
static int n_dry, n_earnest, n_deleted;

/* The facts' requests go, and what has come is taken in. */
static void run_for_a_moment(struct facts *facts, struct kube_client *client)
{
	bool never = false;
	struct err e = {0};

	facts_run(facts);
	IGNORE(kube_client_wait(client, &never, in_ms(5), &e), "a slice of time");
}

/* What is found, or "" when it takes too long. */
static const char *services_of(struct fake_reply *replies, size_t n, struct fake *fake)
{
	static char text[256];
	struct process process = {.system_ns = "kube-system", .phase = PHASE_RUN};
	struct cluster_options opt = {.system_ns = "kube-system"};
	AUTO(free) char *found = NULL;
	struct facts_in in = {&process, NULL};
	struct facts *facts;

	*fake = (struct fake){.replies = replies, .n_replies = n};
	fake_start(fake);
	process.client = fake_client(fake, NULL);
	in.cluster = cluster_new(&opt);
	facts = facts_new(&in);
	assert_false(facts_are_settled(facts));
	for (int64_t until = in_ms(8000); clock_now_ms() < until && !facts_are_settled(facts);)
		run_for_a_moment(facts, process.client);
	assert_true(facts_are_settled(facts));
	found = ipam_nets_text(facts_services(facts));
	snprintf(text, sizeof(text), "%s", found);
	n_dry = (int)fake_count(fake, DRY);
	n_earnest = (int)fake_count(fake, EARNEST);
	n_deleted = (int)fake_count(fake, "DELETE /api/v1/namespaces/kube-system/services/");
	facts_free(facts);
	cluster_free(in.cluster);
	kube_client_free(process.client);
	fake_stop(fake);
	return text;
}
/* cppcheck-suppress preprocessorErrorDirective */
#define SERVICES_OF(r) services_of(r, ARRAY_SIZE(r), &fake)

/* 1.33: version v1; two objects, one with both families. */
static void objects_say_it(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		{.match = "/networking.k8s.io/v1/servicecidrs?",
		 .body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{"
			 "\"name\":\"kubernetes\",\"uid\":\"a\",\"resourceVersion\":\"1\"},"
			 "\"spec\":{\"cidrs\":[\"10.43.0.0/16\",\"fd00:43::/112\"]}},{\"metadata\":{"
			 "\"name\":\"more\",\"uid\":\"b\",\"resourceVersion\":\"1\"},"
			 "\"spec\":{\"cidrs\":[\"10.99.0.0/24\"]}}]}"},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "10.43.0.0/16,10.99.0.0/24,fd00:43::/112");
	assert_int_equal(n_dry + n_earnest, 0);
}

/* 1.31: version v1beta1 alone. */
static void objects_of_the_older_version_say_it(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		{.match = "/networking.k8s.io/v1/servicecidrs?", .status = 404, .body = NOT_SERVED},
		{.match = "/networking.k8s.io/v1beta1/servicecidrs?",
		 .body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{"
			 "\"name\":\"kubernetes\",\"uid\":\"a\",\"resourceVersion\":\"1\"},"
			 "\"spec\":{\"cidrs\":[\"10.96.0.0/12\"]}}]}"},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "10.96.0.0/12");
}

/* 1.22 to 1.30, two families: each is asked for by an address of it, in a dry run alone. */
static void a_dry_run_says_it(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		NO_CIDRS,
		{.match = DRY, .status = 422, .body = REFUSED("10.43.0.0/16")},
		{.match = DRY, .status = 422, .body = REFUSED("fd00:43::/112")},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "10.43.0.0/16,fd00:43::/112");
	assert_int_equal(n_dry, 2);
	assert_int_equal(n_earnest, 0);
}

/* The first address is one of the cluster's own: it is taken, and the other one is refused. */
static void an_own_address_is_no_stranger(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		NO_CIDRS,
		{.match = DRY, .status = 201, .body = "{}"},
		{.match = DRY, .status = 422, .body = REFUSED("192.0.2.0/24")},
		{.match = DRY, .status = 403, .body = FORBIDDEN},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "192.0.2.0/24");
}

/* 1.20: a dry run takes anything. In earnest nothing is, and what is all the same goes at once. */
static void in_earnest(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		NO_CIDRS,
		{.match = DRY, .status = 201, .body = "{}", .keep = true},
		{.match = EARNEST, .status = 201, .body = "{}"},
		{.match = EARNEST, .status = 422, .body = REFUSED("192.0.2.0/24")},
		{.match = EARNEST, .status = 422, .body = REFUSED("192.0.2.0/24")},
		{.match = "DELETE /api/v1/namespaces/kube-system/services/", .body = "{}"},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "192.0.2.0/24");
	assert_int_equal(n_dry, 4);
	assert_int_equal(n_earnest, 3);
	assert_int_equal(n_deleted, 1);
}

/* Refused for another reason: at least the Service that each cluster has. */
static void the_service_kubernetes_is_left(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		EMPTY_LISTS,
		KUBERNETES,
		NO_CIDRS,
		{.match = DRY, .status = 403, .body = FORBIDDEN, .keep = true},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "10.43.0.1/32,fd00:43::1/128");
}

/* Not to be had at all: settled, and not known. */
static void nothing_is_known(void **state)
{
	struct fake_reply r[] = {
		WATCHES,
		{.match = "/configmaps?", .body = EMPTY, .keep = true},
		{.match = "/services", .status = 403, .body = FORBIDDEN, .keep = true},
		{.match = "/servicecidrs?", .status = 403, .body = FORBIDDEN, .keep = true},
		WRITTEN,
	};
	struct fake fake;

	(void)state;
	assert_string_equal(SERVICES_OF(r), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_say_it),
		cmocka_unit_test(objects_of_the_older_version_say_it),
		cmocka_unit_test(a_dry_run_says_it),
		cmocka_unit_test(an_own_address_is_no_stranger),
		cmocka_unit_test(in_earnest),
		cmocka_unit_test(the_service_kubernetes_is_left),
		cmocka_unit_test(nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
