/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/publish/netstatus.h"

#include "controller/records/rooms_test.h"

#include "lib/kube/queue.h"

#define POD                                                                              \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"p1-uid\","         \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{}]}}"

static size_t waiting(const struct netstatus *s)
{
	struct kube_queue_gauge g;

	netstatus_gauge(s, &g);
	return g.waiting + g.later;
}

/* Nothing is written there, and nobody empties its queue. */
static void a_standby_forgets_pods_that_have_gone(void **state)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct rooms r = {.process = {.phase = PHASE_STANDBY}};
	struct publish_in in = {.process = &r.process};
	struct netstatus *s;
	struct err e = {0};
	struct jval root;

	(void)state;
	rooms_begin(&r);
	in.cluster = r.cluster;
	in.records = r.records;
	s = netstatus_new(&in);
	rooms_feed(&r, CLUSTER_PODS, POD);
	assert_int_equal(netstatus_run(s), 0);
	assert_int_equal(waiting(s), 1);
	assert_int_equal(jdoc_parse("test", POD, strlen(POD), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(kube_store_remove(cluster_store(r.cluster, CLUSTER_PODS), &root, &e), 0);
	assert_int_equal(waiting(s), 0);
	netstatus_free(s);
	rooms_end(&r, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_standby_forgets_pods_that_have_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
