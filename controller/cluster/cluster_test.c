/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cluster/cluster.h"

#include "lib/base/test.h"
#include "lib/kube/fake_test.h"

/* Since the last sign of the API server, here a list. */
static void caches_grow_old(void **state)
{
	struct fake_reply replies[] = {
		{.match = "/nodes?limit",
		 .body = "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[]}"},
		{.match = "/nodes?watch", .kind = FAKE_HOLD, .keep = true}};
	struct fake fake = {.replies = replies, .n_replies = ARRAY_SIZE(replies)};
	struct cluster_options opt = {.system_ns = "kube-system"};
	struct cluster *c;
	bool never = false;
	struct err e = {0};
	int64_t listed_ms;

	(void)state;
	fake_start(&fake);
	opt.client = fake_client(&fake, NULL);
	c = cluster_new(&opt);
	assert_int_equal(cluster_age_ms(c, CLUSTER_NODES, clock_now_ms()), -1);
	assert_false(cluster_is_stale(c, clock_now_ms() + 1000000));
	cluster_start(c, CLUSTER_NODES);
	while (fake_count(&fake, "/nodes?watch") < 1)
		IGNORE(kube_client_wait(opt.client, &never, in_ms(5), &e), "a slice of time");
	listed_ms = clock_now_ms() - cluster_age_ms(c, CLUSTER_NODES, clock_now_ms());
	assert_int_equal(cluster_age_ms(c, CLUSTER_NODES, listed_ms + 7500) / 1000, 7);
	assert_int_equal(cluster_age_ms(c, CLUSTER_PODS, listed_ms + 7500), -1);
	assert_false(cluster_is_stale(c, listed_ms + 119000));
	assert_true(cluster_is_stale(c, listed_ms + 121000));
	cluster_free(c);
	kube_client_free(opt.client);
	fake_stop(&fake);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(cluster_kind_name(CLUSTER_SUBNETS), "macvlansubnet");
	assert_string_equal(cluster_kind_name(CLUSTER_IPS), "macvlanip");
	assert_string_equal(cluster_kind_name(CLUSTER_WORKLOADS + (int)API_CRONJOB), "cronjob");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caches_grow_old),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
