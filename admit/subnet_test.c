/* SPDX-License-Identifier: Apache-2.0 */
#include "admit/subnet.h"
#include "admit/world_test.h"

#define ENS4(rest) "'master':'ens4','cidr':" rest

static const char *check(struct lab *lab, const char *name, const char *was, const char *now)
{
	struct api_subnet *old = was ? spec_of(name, was) : NULL, *new = spec_of(name, now);

	admit_subnet_check(&lab->world, old, new, &lab->answer);
	api_subnet_free(old);
	api_subnet_free(new);
	return lab_says(lab);
}

#define BEGIN()         \
	struct lab lab; \
	(void)state;    \
	lab_init(&lab)
#define SAYS(want, ...) assert_string_equal(check(&lab, __VA_ARGS__), want)

static void test_overlap_with_every_neighbour(void **state)
{
	BEGIN();
	lab_add(&lab, "low",
		ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.19'}]"));
	lab_add(&lab, "bad", NULL);
	lab_add(&lab, "high",
		ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.30','rangeEnd':'10.1.0.39'}]"));
	/* Between the two, and the same spec under another VLAN. */
	SAYS("ok", "new", NULL,
	     ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.20','rangeEnd':'10.1.0.29'}]"));
	SAYS("ok", "new", NULL, ENS4("'10.1.0.0/24','vlan':7"));
	/* The second neighbour, not only the first. */
	SAYS("spec.ranges: shares 1 address, from 10.1.0.39 on, with MacvlanSubnet high (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap",
	     "new", NULL,
	     ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.39','rangeEnd':'10.1.0.49'}]"));
	/* A larger CIDR around it. */
	SAYS("spec.cidr: shares 10 addresses, from 10.1.0.30 on, with MacvlanSubnet high (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap",
	     "new", NULL, ENS4("'10.1.0.0/16'"));
	/* Not with itself. */
	SAYS("ok", "low", NULL,
	     ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.29'}]"));
	SAYS("ok; 10.1.0.10 is also in the ranges of MacvlanSubnet low on master ens4; if that and bond0 are one network, set ranges that do not overlap",
	     "new", NULL,
	     "'master':'bond0','cidr':'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.1','rangeEnd':'10.1.0.12'}]");
	lab_done(&lab);
}

static void test_overlap_of_the_second_family(void **state)
{
	BEGIN();
	lab_add(&lab, "dual", ENS4("'10.1.0.0/24','ipv6':{'cidr':'fd00::/64'}"));
	SAYS("spec.cidr: shares 65534 addresses, from fd00::2 on, with MacvlanSubnet dual (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap",
	     "six", NULL, ENS4("'fd00::/64'"));
	SAYS("spec.ipv6.ranges: shares 16 addresses, from fd00::10 on, with MacvlanSubnet dual (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap",
	     "two", NULL,
	     ENS4("'10.2.0.0/24','ipv6':{'cidr':'fd00::/64','ranges':[{'rangeStart':'fd00::10','rangeEnd':'fd00::1f'}]}"));
	lab_done(&lab);
}

/* An overlap that stands already (the webhook was away) does not keep other fields from being edited. */
static void test_what_was_so_before(void **state)
{
	static const char was[] =
		ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.12'}]");
	static const char routed[] = ENS4(
		"'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.12'}],'routes':[{'dst':'10.9.0.0/16'}]");
	static const char warning[] =
		"ok; spec.ranges: shares 1 address, from 10.1.0.12 on, with MacvlanSubnet other (10.1.0.0/24) on the same master ens4, untagged; set ranges that do not overlap";

	BEGIN();
	lab_add(&lab, "other",
		ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.12','rangeEnd':'10.1.0.20'}]"));
	SAYS(warning, "mine", was, routed);
	SAYS("ok", "mine", was,
	     ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.11'}]"));
	SAYS(warning + 4, "mine", NULL, was);
	lab_done(&lab);
}

#define RANGE(first, last) ",'ranges':[{'rangeStart':'" first "','rangeEnd':'" last "'}]"

/* The cluster's networks: what could be given of them is refused, and a LAN that only contains them is not. */
static void test_the_clusters_own_networks(void **state)
{
	static const char was[] = ENS4("'10.43.0.0/24'" RANGE("10.43.0.10", "10.43.0.12"));
	static const char routed[] = ENS4("'10.43.0.0/24','routes':[{'dst':'10.9.0.0/16'}]" RANGE(
		"10.43.0.10", "10.43.0.12"));
	static const char warning[] =
		"ok; spec.ranges: 10.43.0.10 is in the service network 10.43.0.0/16, where it would not be reached; set ranges outside of it";

	BEGIN();
	lab.kept[0].net = "10.43.0.0/16";
	lab.kept[0].kind = "service";
	lab.kept[1].net = "10.42.7.0/24";
	lab.kept[1].kind = "pod";
	lab.kept[1].node = "n7";
	lab.kept[2].net = "fd00:42::/56";
	lab.kept[2].kind = "pod";
	SAYS("spec.cidr: 10.43.0.2 is in the service network 10.43.0.0/16, where it would not be reached; set ranges outside of it",
	     "new", NULL, ENS4("'10.43.0.0/24'"));
	SAYS("spec.ranges: 10.42.7.5 is in the pod network 10.42.7.0/24 of node n7, where it would not be reached; set ranges outside of it",
	     "new", NULL, ENS4("'10.42.0.0/16'" RANGE("10.42.7.5", "10.42.7.9")));
	SAYS("spec.ipv6.cidr: fd00:42::2 is in the pod network fd00:42::/56, where it would not be reached; set ranges outside of it",
	     "new", NULL, ENS4("'10.1.0.0/24','ipv6':{'cidr':'fd00:42::/64'}"));
	/* Beside it, in one address up to its end. */
	SAYS("ok", "new", NULL, ENS4("'10.44.0.0/24'"));
	SAYS("spec.ranges: 10.43.255.255 is in the service network 10.43.0.0/16, where it would not be reached; set ranges outside of it",
	     "new", NULL, ENS4("'10.0.0.0/8'" RANGE("10.43.255.255", "10.44.0.9")));
	/* A LAN around it. */
	SAYS("ok; spec.cidr: \"10.0.0.0/8\" meets the service network 10.43.0.0/16, which pods go on reaching by eth0; spec.cidr: \"10.0.0.0/8\" meets the pod network 10.42.7.0/24, which pods go on reaching by eth0",
	     "new", NULL, ENS4("'10.0.0.0/8'" RANGE("10.44.0.0", "10.44.0.9")));
	/* A route into it is what the user wants. */
	SAYS("ok", "new", NULL, ENS4("'10.1.0.0/24','routes':[{'dst':'10.43.7.0/24'}]"));
	/* One that was there before the network was known can be edited, and so left. */
	SAYS(warning, "old", was, routed);
	SAYS("ok", "old", was, ENS4("'10.44.0.0/24'"));
	SAYS("spec.ranges: 10.43.0.13 is in the service network 10.43.0.0/16, where it would not be reached; set ranges outside of it",
	     "old", was, ENS4("'10.43.0.0/24'" RANGE("10.43.0.10", "10.43.0.13")));
	lab_done(&lab);
}

static void test_gateways(void **state)
{
	BEGIN();
	lab_add(&lab, "low",
		ENS4("'10.1.0.0/24','gateway':'10.1.0.254','ranges':[{'rangeStart':'10.1.0.1','rangeEnd':'10.1.0.19'}]"));
	SAYS("spec.gateway: \"10.1.0.5\" is in the ranges of MacvlanSubnet low on the same master and VLAN; exclude it there, or set another gateway",
	     "new", NULL,
	     ENS4("'10.1.0.0/24','gateway':'10.1.0.5','ranges':[{'rangeStart':'10.1.0.20','rangeEnd':'10.1.0.29'}]"));
	SAYS("spec.ranges: 10.1.0.254 is the gateway of MacvlanSubnet low on the same master and VLAN; add it to spec.exclude",
	     "new", NULL,
	     ENS4("'10.1.0.0/24','gateway':'10.1.0.253','ranges':[{'rangeStart':'10.1.0.250','rangeEnd':'10.1.0.254'}]"));
	SAYS("ok", "new", NULL,
	     ENS4("'10.1.0.0/24','gateway':'10.1.0.253','exclude':['10.1.0.254'],'ranges':[{'rangeStart':'10.1.0.250','rangeEnd':'10.1.0.254'}]"));
	SAYS("ok; spec.gateway: \"10.1.0.1\" (the default) is in the ranges of MacvlanSubnet low on the same master and VLAN; exclude it there, or set another gateway",
	     "new", NULL,
	     ENS4("'10.1.0.0/24','ranges':[{'rangeStart':'10.1.0.20','rangeEnd':'10.1.0.29'}]"));
	lab_done(&lab);
}

static void test_kinds_on_one_wire(void **state)
{
	BEGIN();
	lab_add(&lab, "mac", ENS4("'10.1.0.0/24','vlan':7"));
	lab_add(&lab, "alone", ENS4("'10.3.0.0/24','mode':'passthru'"));
	SAYS("spec.linkType: \"ipvlan\" cannot be on master ens4, VLAN 7, where MacvlanSubnet mac is macvlan: a NIC carries links of one type only",
	     "new", NULL, ENS4("'10.2.0.0/24','vlan':7,'linkType':'ipvlan'"));
	SAYS("ok", "new", NULL, ENS4("'10.2.0.0/24','vlan':8,'linkType':'ipvlan'"));
	SAYS("spec.mode: \"passthru\" needs master ens4, VLAN 7 for itself, where MacvlanSubnet mac is already",
	     "new", NULL, ENS4("'10.2.0.0/24','vlan':7,'mode':'passthru'"));
	SAYS("spec.master: \"ens4\", untagged belongs to MacvlanSubnet alone alone (mode passthru); choose another master or VLAN",
	     "new", NULL, ENS4("'10.2.0.0/24'"));
	lab_done(&lab);
}

/* A selector is no evidence of being elsewhere: what addresses would meet is refused, other mistakes are named. */
static void test_selectors(void **state)
{
#define SEL(sel, rest) "'masterSelector':{" sel "},'cidr':" rest
	BEGIN();
	lab_add(&lab, "named",
		ENS4("'10.1.0.0/24','gateway':'10.1.0.254','ranges':[{'rangeStart':'10.1.0.10','rangeEnd':'10.1.0.19'}]"));
	lab_add(&lab, "found", SEL("'addressIn':'10.2.0.0/16'", "'10.2.0.0/24'"));
	SAYS("ok", "new", NULL, SEL("'driver':'igb'", "'10.3.0.0/24'"));
	SAYS("spec.cidr: shares 10 addresses, from 10.1.0.10 on, with MacvlanSubnet named (10.1.0.0/24) on what may be the same LAN (masterSelector driver=igb here, master ens4 there); set ranges that do not overlap",
	     "new", NULL, SEL("'driver':'igb'", "'10.1.0.0/24','gateway':'10.1.0.254'"));
	SAYS("spec.cidr: shares 253 addresses, from 10.2.0.2 on, with MacvlanSubnet found (10.2.0.0/24) on what may be the same LAN (master ens5 here, masterSelector addressIn=10.2.0.0/16 there); set ranges that do not overlap",
	     "new", NULL, "'master':'ens5','cidr':'10.2.0.0/24'");
	/* It may find the link of that VLAN. */
	SAYS("spec.cidr: shares 253 addresses, from 10.2.0.2 on, with MacvlanSubnet found (10.2.0.0/24) on what may be the same LAN (masterSelector driver=igb here, masterSelector addressIn=10.2.0.0/16 there); set ranges that do not overlap",
	     "new", NULL, SEL("'driver':'igb'", "'10.2.0.0/24','vlan':7"));
	SAYS("spec.cidr: shares 253 addresses, from 10.2.0.2 on, with MacvlanSubnet found (10.2.0.0/24) on the same masterSelector addressIn=10.2.0.0/16, untagged; set ranges that do not overlap",
	     "new", NULL, SEL("'addressIn':'10.2.0.0/16'", "'10.2.0.0/24'"));
	SAYS("ok", "new", NULL, SEL("'addressIn':'10.2.0.0/16'", "'10.2.0.0/24','vlan':7"));
	SAYS("spec.gateway: \"10.1.0.12\" is in the ranges of MacvlanSubnet named on what may be the same LAN; exclude it there, or set another gateway",
	     "new", NULL,
	     SEL("'driver':'igb'",
		 "'10.1.0.0/24','gateway':'10.1.0.12','ranges':[{'rangeStart':'10.1.0.20','rangeEnd':'10.1.0.29'}]"));
	SAYS("spec.linkType: \"ipvlan\" cannot be on masterSelector addressIn=10.2.0.0/16, untagged, where MacvlanSubnet found is macvlan: a NIC carries links of one type only",
	     "new", NULL, SEL("'addressIn':'10.2.0.0/16'", "'10.3.0.0/24','linkType':'ipvlan'"));
	SAYS("ok; MacvlanSubnet found (macvlan, mode bridge) may be on the same NIC: where it is, pods of one of the two do not start; MacvlanSubnet named (macvlan, mode bridge) may be on the same NIC: where it is, pods of one of the two do not start",
	     "new", NULL, SEL("'driver':'igb'", "'10.3.0.0/24','linkType':'ipvlan'"));
	/* In use it stays where it is. */
	lab_pod(&lab, (struct pod_row){"default/p1", NULL, "found", "10.2.0.5", NULL, false});
	SAYS("spec.masterSelector: cannot change from \"addressIn=10.2.0.0/16\" to \"addressIn=10.2.0.0/24\" while pods have addresses of this subnet: default/p1 (10.2.0.5)",
	     "found", SEL("'addressIn':'10.2.0.0/16'", "'10.2.0.0/24'"),
	     SEL("'addressIn':'10.2.0.0/24'", "'10.2.0.0/24'"));
	SAYS("spec.master: cannot change from \"addressIn=10.2.0.0/16\" to \"ens4\" while pods have addresses of this subnet: default/p1 (10.2.0.5)",
	     "found", SEL("'addressIn':'10.2.0.0/16'", "'10.2.0.0/24'"), ENS4("'10.2.0.0/24'"));
	lab_done(&lab);
}

#define USED(rest) "'master':'ens4','cidr':'10.1.0.0/24'" rest

static void test_what_pods_stand_on(void **state)
{
	BEGIN();
	lab_add(&lab, "net", USED(",'vlan':7"));
	SAYS("ok", "net", USED(",'vlan':7"), ENS4("'10.2.0.0/24','vlan':8"));
	lab_pod(&lab, (struct pod_row){"default/p1", NULL, "net", "10.1.0.5", NULL, false});
	SAYS("spec.cidr: cannot change from \"10.1.0.0/24\" to \"10.2.0.0/24\" while pods have addresses of this subnet: default/p1 (10.1.0.5)",
	     "net", USED(",'vlan':7"), ENS4("'10.2.0.0/24','vlan':7"));
	for (int i = 0; i < 6; i++)
		lab_pod(&lab, (struct pod_row){"x/p", NULL, "net", "10.1.0.6", NULL, true});
	SAYS("spec.vlan: cannot change from \"7\" to \"0\" while pods have addresses of this subnet: default/p1 (10.1.0.5), x/p (10.1.0.6), x/p (10.1.0.6), x/p (10.1.0.6) and 3 more",
	     "net", USED(",'vlan':7"), USED(""));
	lab.n_pods = 1;
	SAYS("spec.master: cannot change from \"ens4\" to \"ens5\" while pods have addresses of this subnet: default/p1 (10.1.0.5)",
	     "net", USED(""), "'master':'ens5','cidr':'10.1.0.0/24'");
	SAYS("spec.linkType: cannot change from \"macvlan\" to \"ipvlan\" while pods have addresses of this subnet: default/p1 (10.1.0.5)",
	     "net", USED(""), USED(",'linkType':'ipvlan'"));
	SAYS("spec.mode: cannot change from \"bridge\" to \"passthru\" while pods have addresses of this subnet: default/p1 (10.1.0.5)",
	     "net", USED(""), USED(",'mode':'passthru'"));
	SAYS("ok", "net", USED(""),
	     USED(",'mode':'private','mtu':9000,'routes':[{'dst':'10.9.0.0/16'}],'ipDelayReuse':0,'ipv6':{'cidr':'fd00::/64'}"));
	SAYS("spec.ipv6.cidr: cannot change from \"fd00::/64\" to \"\" while pods have addresses of this subnet: default/p1 (10.1.0.5)",
	     "net", USED(",'ipv6':{'cidr':'fd00::/64'}"), USED(""));
	lab_done(&lab);
}

static void test_ranges_that_shrink(void **state)
{
	BEGIN();
	lab_add(&lab, "net", USED(""));
	lab_pod(&lab, (struct pod_row){"default/p1", NULL, "net", "10.1.0.5", NULL, false});
	lab_pod(&lab, (struct pod_row){"default/p2", NULL, "net", "10.1.0.50", NULL, false});
	SAYS("ok; pods keep addresses that the subnet no longer gives, until they end: default/p1 (10.1.0.5)",
	     "net", USED(""),
	     USED(",'ranges':[{'rangeStart':'10.1.0.50','rangeEnd':'10.1.0.60'}]"));
	SAYS("ok; pods keep addresses that the subnet no longer gives, until they end: default/p2 (10.1.0.50)",
	     "net", USED(""), USED(",'exclude':['10.1.0.50']"));
	SAYS("spec.gateway: \"10.1.0.5\" is the address of pod default/p1", "net", USED(""),
	     USED(",'gateway':'10.1.0.5'"));
	/* Outside before, too: nothing new. */
	SAYS("ok", "net", USED(",'ranges':[{'rangeStart':'10.1.0.50','rangeEnd':'10.1.0.60'}]"),
	     USED(",'ranges':[{'rangeStart':'10.1.0.50','rangeEnd':'10.1.0.61'}]"));
	SAYS("spec.exclude: leaves no address for pods; exclude less, or extend the ranges",
	     "other", NULL, ENS4("'10.9.0.0/30','exclude':['10.9.0.0/30']"));
	SAYS("spec.exclude: leaves no address for pods; exclude less, or extend the ranges",
	     "other", ENS4("'10.9.0.0/24'"),
	     ENS4("'10.9.0.0/24','exclude':['10.0.0.0/8'],'ranges':[{'rangeStart':'10.9.0.9','rangeEnd':'10.9.0.19'}]"));
	SAYS("spec.exclude: leaves no IPv6 address for pods; exclude less, or extend the ipv6 ranges",
	     "other", NULL,
	     ENS4("'10.9.0.0/24','exclude':['fd00::/16'],'ipv6':{'cidr':'fd00:9::/64'}"));
	/* Wider than the CIDR, and something is left. */
	SAYS("ok", "other", NULL, ENS4("'10.9.0.0/24','exclude':['10.8.0.0-10.9.0.99']"));
	/* It was so before: whoever changes something else is let. */
	SAYS("ok; no address is left for pods after the gateway and spec.exclude", "other",
	     ENS4("'10.9.0.0/30','exclude':['10.9.0.0/30']"),
	     ENS4("'10.9.0.0/30','exclude':['10.9.0.0/30'],'mtu':1400"));
	SAYS("ok; no address is left for pods after the gateway and spec.exclude", "other", NULL,
	     ENS4("'10.9.0.4/32','gateway':'10.9.0.4'"));
	lab_done(&lab);
}

static void test_delete(void **state)
{
	BEGIN();
	lab_add(&lab, "net", USED(""));
	lab_pod(&lab, (struct pod_row){"default/p1", NULL, "net", "10.1.0.5", NULL, false});
	admit_subnet_delete(&lab.world, "net", &lab.answer);
	assert_string_equal(
		lab_says(&lab),
		"MacvlanSubnet net is in use by pods default/p1 (10.1.0.5); delete the pods first, then the subnet once their addresses are free");
	admit_subnet_delete(&lab.world, "other", &lab.answer);
	assert_string_equal(lab_says(&lab), "ok");
	lab_done(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlap_with_every_neighbour),
		cmocka_unit_test(test_overlap_of_the_second_family),
		cmocka_unit_test(test_what_was_so_before),
		cmocka_unit_test(test_the_clusters_own_networks),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_kinds_on_one_wire),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_what_pods_stand_on),
		cmocka_unit_test(test_ranges_that_shrink),
		cmocka_unit_test(test_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
