/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/takeover.h"

#include "controller/records/rooms_test.h"

#include "controller/records/internal.h"
#include "controller/subnets/internal.h"
#include "lib/base/mem.h"

#define SUBNET                                                                         \
	"{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"net\",\"uid\":\"s\"," \
	"\"resourceVersion\":\"1\"},\"spec\":{\"master\":\"ens4\",\"cidr\":\"10.1.0.0/24\"}}"
#define POD                                                                              \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p2\",\"uid\":\"p2-uid\","         \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\"}]}}"
#define RECORD                                                                          \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p1\",\"uid\":\"r1\","            \
	"\"resourceVersion\":\"1\"},\"spec\":{\"subnet\":\"net\",\"podId\":\"p1-uid\"," \
	"\"node\":\"n1\",\"master\":\"ens4\"}}"

static void take_away(struct rooms *r, enum cluster_kind kind, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("test", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(kube_store_remove(cluster_store(r->cluster, kind), &root, &e), 0);
}

/* In a subnet that has 10.1.0.5 in use; takeover_free() and rooms_end() it. */
static struct takeover *begin(struct rooms *r)
{
	struct takeover_in in = {.process = &r->process, .hold_ms = 5000};
	struct ip_addr addr;

	rooms_begin(r);
	in.cluster = r->cluster;
	in.subnets = r->subnets;
	in.records = r->records;
	rooms_feed(r, CLUSTER_SUBNETS, SUBNET);
	assert_int_equal(ip_parse("10.1.0.5", &addr), 0);
	ipam_set_add(&subnets_find(r->subnets, "net")->record.pool.used, &addr);
	return takeover_new(&in);
}

/* The hold of an address without a record begins when a pod goes that may have had it, not when a record does. */
static void the_hold_begins_with_a_pod_that_goes(void **state)
{
	AUTO(ipam_set_done) struct ipam_set held = IPAM_SET_INIT;
	AUTO(takeover_free) struct takeover *t = NULL;
	struct rooms r = {.process = {.phase = PHASE_RUN}};
	struct subnet *subnet;

	(void)state;
	t = begin(&r);
	subnet = subnets_find(r.subnets, "net");
	subnet_settle(subnet);
	subnet_settled(subnet, &held, true);
	assert_true(subnet_has_orphans(subnet));

	rooms_feed(&r, CLUSTER_IPS, RECORD);
	rooms_feed(&r, CLUSTER_PODS, POD);
	assert_int_equal(takeover_orphans(t, 1000), 0);
	take_away(&r, CLUSTER_IPS, RECORD);
	assert_int_equal(takeover_orphans(t, 2000), 0);
	take_away(&r, CLUSTER_PODS, POD);
	assert_int_equal(takeover_orphans(t, 3000), 8000);
	assert_int_equal(takeover_orphans(t, 7999), 8000);
	assert_true(subnet_has_orphans(subnet));
	assert_int_equal(takeover_orphans(t, 8000), 0);
	assert_false(subnet_has_orphans(subnet));
	rooms_end(&r, NULL);
}

#define LIAR                                                                             \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p2\",\"uid\":\"p2-uid\","         \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\"}]},"              \
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"}}"
#define ASKED                                                                             \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"p2\",\"uid\":\"r2\","              \
	"\"resourceVersion\":\"1\",\"annotations\":{\"tandem-cni.io/tell-card\":"         \
	"\"p2-uid\"}},\"spec\":{\"subnet\":\"net\",\"podId\":\"p2-uid\",\"node\":\"n1\"," \
	"\"master\":\"ens4\"}}"

/* Nor is anything lost any more, while the record that asked is still there. */
static void the_hold_begins_with_the_last_answer(void **state)
{
	AUTO(ipam_set_done) struct ipam_set held = IPAM_SET_INIT;
	AUTO(takeover_free) struct takeover *t = NULL;
	struct rooms r = {.process = {.phase = PHASE_RUN}};
	struct subnet *subnet;
	struct entry *entry;

	(void)state;
	t = begin(&r);
	rooms_feed(&r, CLUSTER_PODS, LIAR);
	rooms_feed(&r, CLUSTER_IPS, ASKED);
	subnet = subnets_find(r.subnets, "net");
	subnet->fresh = true;
	subnet_settle(subnet);
	subnet_settled(subnet, &held, true);
	assert_int_equal(records_count_unknown(r.records, subnet), 1);
	assert_int_equal(takeover_orphans(t, 1000), 0);
	assert_true(subnet_is_blind(subnet));

	entry = records_find(r.records, "d/p2");
	entry->cardless = xstrdup("p2-uid");
	r.records->answered = true;
	assert_int_equal(records_count_unknown(r.records, subnet), 0);
	assert_int_equal(takeover_orphans(t, 2000), 7000);
	assert_false(subnet_is_blind(subnet));
	rooms_end(&r, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hold_begins_with_a_pod_that_goes),
		cmocka_unit_test(the_hold_begins_with_the_last_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
