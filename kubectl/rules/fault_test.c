/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a fault, and what does not, in facts made by hand. */
#include "lib/base/test.h"

#include <string.h>

#include "kubectl/facts/facts.h"
#include "kubectl/rules/address.h"
#include "kubectl/rules/fault.h"
#include "kubectl/rules/place.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/text_test.h"

#define META(name)                                                           \
	"'metadata':{'name':'" name "','namespace':'default','uid':'u-" name \
	"','resourceVersion':'1'"
#define SPEC(pod, addr, mac)                                                                    \
	"'spec':{'subnet':'lan','podId':'" pod "','node':'n1','cidr':'" addr "/24','mac':'" mac \
	"','master':'ens4','vlan':5,'gateway':'10.0.0.1'"

static void add(struct facts *f, enum facts_kind kind, const char *text)
{
	AUTO(free) char *copy = xstrdup(text);
	AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(copy));
	struct jval root = jdoc_root(doc);
	struct err e = {0};
	int rc = kind == FACTS_SUBNETS   ? facts_add_subnet(f, &root, &e)
		 : kind == FACTS_RECORDS ? facts_add_record(f, &root, &e)
		 : kind == FACTS_PODS    ? facts_add_pod(f, &root, false, &e)
					 : facts_add_node(f, &root, &e);

	if (rc < 0)
		fail_msg("%s", e.msg);
}

static void add_subnet(struct facts *f, const char *used)
{
	AUTO(free)
	char *text = xasprintf(
		"{'metadata':{'name':'lan','namespace':'kube-system','uid':'s','resourceVersion':'1'},"
		"'spec':{'master':'ens4','vlan':5,'cidr':'10.0.0.0/24','exclude':['10.0.0.200']},"
		"'status':{'allocation':{'term':1,'commit':1,'holder':'h','used':[%s],"
		"'cooling':[{'until':'1970-01-01T01:23:20Z','addresses':['10.0.0.0/24 30']}],"
		"'quarantine':[{'until':'1970-01-01T01:40:00Z','addresses':['10.0.0.0/24 31']}]}}}",
		used);

	add(f, FACTS_SUBNETS, text);
}

static void add_pod(struct facts *f, const char *name, const char *status)
{
	AUTO(free)
	char *text = xasprintf("{" META("%s") "},'spec':{'nodeName':'n1'},'status':{%s}}", name,
			       name, status);

	add(f, FACTS_PODS, text);
}

static char *list(const struct faults *all)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	char text[IP_ADDR_LEN];

	for (size_t i = 0; i < all->n; i++)
		sb_printf(&sb, "%s %s %s%s\n", fault_kind_name(all->items[i].kind),
			  ip_format(&all->items[i].addr, text),
			  all->items[i].name && *all->items[i].name ? all->items[i].name : "-",
			  all->items[i].releasable ? " releasable" : "");
	return sb_take(&sb);
}

static void test_nothing_is_wrong(void **state)
{
	AUTO(facts_done) struct facts f = {0};
	AUTO(faults_done) struct faults all = {0};
	AUTO(free) char *is = NULL;

	(void)state;
	add_subnet(&f, "'10.0.0.0/24 10-13'");
	add(&f, FACTS_NODES, "{'metadata':{'name':'n1'}}");
	add_pod(&f, "a", "'podIP':'10.42.0.1'");
	add(&f, FACTS_RECORDS,
	    "{" META("a") "}," SPEC("u-a", "10.0.0.10", "02:00:00:00:00:0a") "}}");
	/* Held, ending, and kept: their pods are gone as they should be. */
	add(&f, FACTS_RECORDS,
	    "{" META("b") ",'annotations':{'tandem-cni.io/unwitnessed-since':'2026-01-01T00:00:00Z'}}," SPEC(
		    "u-b", "10.0.0.11", "02:00:00:00:00:0b") "}}");
	add(&f, FACTS_RECORDS,
	    "{" META("c") ",'deletionTimestamp':'2026-01-01T00:00:00Z'}," SPEC(
		    "u-c", "10.0.0.12", "02:00:00:00:00:0c") "}}");
	add(&f, FACTS_RECORDS,
	    "{" META("d") "},'spec':{'subnet':'lan','node':'n1','cidr':'10.0.0.13/24','mac':"
			  "'02:00:00:00:00:0d','master':'ens4','vlan':5}}");
	all = faults_find(&f);
	is = list(&all);
	assert_string_equal(is, "");
}

static void test_each_fault(void **state)
{
	AUTO(facts_done) struct facts f = {0};
	AUTO(faults_done) struct faults all = {0}, none = {0};
	AUTO(free) char *is = NULL;
	char live[400];

	(void)state;
	add_subnet(&f, "'10.0.0.0/24 10,12-14,40'");
	add(&f, FACTS_NODES, "{'metadata':{'name':'n2'}}");
	add_pod(&f, "a", "'podIP':'10.42.0.1'");
	add_pod(&f, "e", "'podIP':'10.42.0.2'");
	add(&f, FACTS_RECORDS,
	    "{" META("a") "}," SPEC("u-a", "10.0.0.10", "02:00:00:00:00:0a") "}}");
	add(&f, FACTS_RECORDS,
	    "{" META("b") "}," SPEC("u-b", "10.0.0.10", "02:00:00:00:00:0a") "}}");
	add(&f, FACTS_RECORDS,
	    "{" META("e") "}," SPEC("u-e", "10.0.0.11",
				    "02:00:00:00:00:0b") "},'status':{'phase':'Missing'}}");
	all = faults_find(&f);
	is = list(&all);
	assert_string_equal(is, "UsedWithoutRecord 10.0.0.12 -\n"
				"UsedWithoutRecord 10.0.0.13 -\n"
				"UsedWithoutRecord 10.0.0.14 -\n"
				"UsedWithoutRecord 10.0.0.40 -\n"
				"RecordWithoutNode 10.0.0.10 a\n"
				"RecordWithoutNode 10.0.0.10 b\n"
				"RecordWithoutPod 10.0.0.10 b releasable\n"
				"RecordNotUsed 10.0.0.11 e\n"
				"RecordWithoutNode 10.0.0.11 e\n"
				"PodWithoutCard 10.0.0.11 e\n"
				"AddressTwice 10.0.0.10 b\n"
				"MACTwice 10.0.0.10 b\n");
	assert_true(fault_live_card(&f, "default", "a", live, sizeof(live)));
	assert_string_equal(live,
			    "10.0.0.10 is the address of pod default/a on node n1, which lives");
	assert_false(fault_live_card(&f, "default", "b", live, sizeof(live)));
	/* What was not there at another look is none. */
	faults_keep(&all, &none);
	assert_int_equal(all.n, 0);
}

/* A record whose card its node reported last is not let go, pod or not. */
static void test_a_card_that_could_live(void **state)
{
	AUTO(facts_done) struct facts f = {0};
	char live[400];

	(void)state;
	add(&f, FACTS_RECORDS,
	    "{" META("a") "}," SPEC("u-a", "10.0.0.10",
				    "02:00:00:00:00:0a") "},'status':{'phase':'Attached'}}");
	add(&f, FACTS_RECORDS,
	    "{" META("b") "}," SPEC("u-b", "10.0.0.11",
				    "02:00:00:00:00:0b") "},'status':{'phase':'Attached',"
							 "'cardDown':'u-b'}}");
	assert_true(fault_live_card(&f, "default", "a", live, sizeof(live)));
	assert_string_equal(
		live, "10.0.0.10 may be on a card of node n1: that is what it reported last, and "
		      "it has not reported the card down");
	assert_false(fault_live_card(&f, "default", "b", live, sizeof(live)));
}

static void test_addresses_and_places(void **state)
{
	static const struct {
		const char *addr, *text;
	} rows[] = {{"10.0.0.1", "10.0.0.1 is the gateway of MacvlanSubnet lan"},
		    {"10.0.0.200", "10.0.0.200 is excluded in MacvlanSubnet lan"},
		    {"10.0.0.9", "10.0.0.9 is free in MacvlanSubnet lan"},
		    {"10.0.0.0",
		     "10.0.0.0 lies in the network, outside the ranges, of MacvlanSubnet lan"},
		    {"10.0.1.9", "10.0.1.9 is in no MacvlanSubnet's network"}};
	AUTO(facts_done) struct facts f = {0};
	AUTO(addresses_done) struct addresses all = {0};
	AUTO(sb_done) struct sb is = SB_INIT;
	char text[PLACE_LEN], addr[IP_ADDR_LEN];
	struct ip_addr a;

	(void)state;
	add_subnet(&f, "'10.0.0.0/24 10-12'");
	add(&f, FACTS_RECORDS,
	    "{" META("a") ",'annotations':{'tandem-cni.io/unwitnessed-since':'1970-01-01T01:00:00Z'}}," SPEC(
		    "u-a", "10.0.0.11", "02:00:00:00:00:0a") "}}");
	all = addresses_make(&f, 60);
	for (size_t i = 0; i < all.n; i++)
		sb_printf(&is, "%s %s %lld\n", ip_format(&all.items[i].addr, addr),
			  address_state_name(all.items[i].state), (long long)all.items[i].until);
	assert_string_equal(sb_get(&is), "10.0.0.10 unknown 0\n"
					 "10.0.0.11 held 3660\n"
					 "10.0.0.12 unknown 0\n"
					 "10.0.0.30 cooling 5000\n"
					 "10.0.0.31 quarantined 6000\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(ip_parse(rows[i].addr, &a), 0);
		assert_string_equal(place_of(&f, &a, text), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_wrong),
		cmocka_unit_test(test_each_fault),
		cmocka_unit_test(test_a_card_that_could_live),
		cmocka_unit_test(test_addresses_and_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
