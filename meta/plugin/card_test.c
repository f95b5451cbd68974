/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/plugin/card.h"

#include <stdlib.h>
#include <string.h>

#include "api/annotations.h"
#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/cni/conf.h"
#include "lib/json/jread.h"

static const char conf_text[] =
	"{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"tandem\",\"delegate\":{\"type\":\"bridge\"},"
	"\"clusterCIDR\":\"10.42.0.0/16,fd42::/48\",\"serviceCIDR\":\"10.43.0.0/16\",\"viaPrimary\":[\"10.99.0.0/24\"],"
	"\"runtimeConfig\":{\"dns\":{\"servers\":[\"169.254.20.10\"]}}}";

#define RECORD(spec)                                                                                \
	"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},\"spec\":{"      \
	"\"subnet\":\"vlan100\",\"podId\":\"p1\",\"node\":\"n1\",\"master\":\"ens4\",\"vlan\":100," \
	"\"cidr\":\"192.168.100.50/24\",\"mac\":\"0a:00:00:00:00:32\"," spec "}}"

struct world {
	struct cni_conf *conf;
	struct jdoc *doc;
	struct api_ip *ip;
	struct api_request req;
	struct card card;
};

static void world_done(struct world *w)
{
	card_done(&w->card);
	api_request_done(&w->req);
	api_ip_free(w->ip);
	jdoc_free(w->doc);
	cni_conf_free(w->conf);
}
DEFINE_AUTO_VALUE(struct world, world_done)

static void fill_by(struct world *w, const char *conf, const char *record, const char *interface)
{
	const char *text[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "vlan100", [API_ASKED_INTERFACE] = interface};
	struct err e = {0};
	struct jval root;

	assert_int_equal(cni_conf_parse("conf", conf, strlen(conf), &w->conf, &e), 0);
	assert_int_equal(jdoc_parse("record", record, strlen(record), &w->doc, &e), 0);
	root = jdoc_root(w->doc);
	assert_int_equal(api_ip_decode(&root, &w->ip, &e), 0);
	assert_int_equal(api_request_parse(text, &w->req, &e), 0);
	card_fill(w->ip, &w->req, w->conf, "eth0", &w->card);
}

static void fill(struct world *w, const char *record, const char *interface)
{
	fill_by(w, conf_text, record, interface);
}

static void assert_net(const struct ip_net *net, const char *want)
{
	char text[IP_NET_LEN];

	assert_string_equal(ip_net_format(net, text), want);
}

static void a_second_card_has_the_records_network(void **state)
{
	AUTO(world_done) struct world w = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	fill(&w,
	     RECORD("\"gateway\":\"192.168.100.1\",\"mtu\":1400,\"mode\":\"private\",\"routes\":["
		    "{\"dst\":\"172.16.18.0/24\"},{\"dst\":\"10.99.0.0/24\",\"iface\":\"eth0\"}]"),
	     NULL);
	assert_string_equal(w.card.m.ifname, "eth1");
	assert_string_equal(w.card.m.primary_ifname, "eth0");
	assert_string_equal(w.card.m.master, "ens4");
	assert_string_equal(w.card.m.node, "n1");
	assert_false(w.card.m.single);
	assert_false(w.card.m.default_gateway);
	assert_int_equal(w.card.m.vlan, 100);
	assert_int_equal(w.card.m.mtu, 1400);
	assert_int_equal(w.card.m.mode, NL_MODE_PRIVATE);
	assert_net(&w.card.m.addr, "192.168.100.50/24");
	assert_string_equal(ip_format(&w.card.m.gateway, text), "192.168.100.1");
	assert_int_equal(w.card.m.mac.b[5], 0x32);
	assert_int_equal(w.card.m.n_routes, 2);
	assert_net(&w.card.m.routes[0].dst, "172.16.18.0/24");
	assert_int_equal(w.card.m.routes[0].iface, MACVLAN_IFACE_CARD);
	assert_false(ip_is_set(&w.card.m.routes[0].gw));
	assert_int_equal(w.card.m.routes[1].iface, MACVLAN_IFACE_PRIMARY);
	assert_int_equal(w.card.m.cluster_cidrs.n, 2);
	assert_int_equal(w.card.m.via_primary.n, 1);
	assert_int_equal(w.card.m.n_nameservers, 1);
	assert_string_equal(ip_format(&w.card.m.nameservers[0], text), "169.254.20.10");
}

static void a_record_of_both_families(void **state)
{
	AUTO(world_done) struct world w = {0}, single = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	fill(&w,
	     RECORD("\"cidr6\":\"fd78::50/64\",\"gateway\":\"192.168.100.1\",\"gateway6\":\"fd78::1\","
		    "\"routes\":[{\"dst\":\"fd99::/64\"}]"),
	     NULL);
	assert_net(&w.card.m.addr, "192.168.100.50/24");
	assert_net(&w.card.m.addr6, "fd78::50/64");
	assert_string_equal(ip_format(&w.card.m.gateway6, text), "fd78::1");
	assert_net(&w.card.m.routes[0].dst, "fd99::/64");
	/* As given before the subnet had a second family. */
	fill(&single, RECORD("\"gateway6\":\"fd78::1\""), NULL);
	assert_false(ip_is_set(&single.card.m.addr6.addr));
}

static void the_subnets_service_cidrs_win(void **state)
{
	AUTO(world_done) struct world of_conf = {0}, of_subnet = {0}, dual = {0};
	static const char conf_dual[] =
		"{\"name\":\"cbr0\",\"type\":\"tandem\",\"delegate\":{\"type\":\"bridge\"},"
		"\"serviceCIDR\":\"10.43.0.0/16,fd43::/112\"}";

	(void)state;
	fill(&of_conf, RECORD("\"podDefaultGateway\":{\"enable\":true}"), NULL);
	assert_true(of_conf.card.m.default_gateway);
	assert_int_equal(of_conf.card.m.service_cidrs.n, 1);
	assert_net(&of_conf.card.m.service_cidrs.v[0], "10.43.0.0/16");
	fill(&of_subnet,
	     RECORD("\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":\"10.96.0.0/12,fd96::/112\"}"),
	     NULL);
	assert_int_equal(of_subnet.card.m.service_cidrs.n, 2);
	assert_net(&of_subnet.card.m.service_cidrs.v[0], "10.96.0.0/12");
	assert_net(&of_subnet.card.m.service_cidrs.v[1], "fd96::/112");
	/* Of the other family the conf's stay. */
	fill_by(&dual, conf_dual,
		RECORD("\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":\"10.96.0.0/12\"}"),
		NULL);
	assert_int_equal(dual.card.m.service_cidrs.n, 2);
	assert_net(&dual.card.m.service_cidrs.v[0], "10.96.0.0/12");
	assert_net(&dual.card.m.service_cidrs.v[1], "fd43::/112");
}

static void the_lan_is_asked_where_the_record_says_so(void **state)
{
	AUTO(world_done) struct world on = {0}, off = {0}, silent = {0};

	(void)state;
	fill(&on, RECORD("\"conflictDetection\":true"), NULL);
	assert_true(on.card.m.detect);
	fill(&off, RECORD("\"conflictDetection\":false"), NULL);
	assert_false(off.card.m.detect);
	fill(&silent, RECORD("\"mtu\":1400"), NULL);
	assert_false(silent.card.m.detect);
}

static void on_a_single_card_both_names_mean_it(void **state)
{
	AUTO(world_done) struct world w = {0};

	(void)state;
	fill(&w,
	     RECORD("\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"192.168.100.1\",\"iface\":\"eth0\"},"
		    "{\"dst\":\"172.16.0.0/16\",\"iface\":\"eth1\"}]"),
	     "eth0");
	assert_true(w.card.m.single);
	assert_string_equal(w.card.m.ifname, "eth0");
	assert_int_equal(w.card.m.routes[0].iface, MACVLAN_IFACE_CARD);
	assert_int_equal(w.card.m.routes[1].iface, MACVLAN_IFACE_CARD);
}

static bool has_host_access(const char *spec, const char *interface)
{
	AUTO(world_done) struct world w = {0};

	fill(&w, spec, interface);
	return w.card.m.host_access;
}

static void host_access_is_the_single_cards_default(void **state)
{
	(void)state;
	assert_true(has_host_access(RECORD("\"mode\":\"bridge\""), "eth0"));
	assert_false(has_host_access(RECORD("\"mode\":\"bridge\",\"hostAccess\":false"), "eth0"));
	/* Nothing that was not asked for may make another mode fail. */
	assert_false(has_host_access(RECORD("\"mode\":\"vepa\""), "eth0"));
	assert_true(has_host_access(RECORD("\"mode\":\"vepa\",\"hostAccess\":true"), "eth0"));
	assert_false(has_host_access(RECORD("\"mode\":\"bridge\""), NULL));
	assert_true(has_host_access(RECORD("\"hostAccess\":true"), NULL));
}

static void a_routed_card_has_no_gateways(void **state)
{
	static const char spec[] = RECORD(
		"\"linkType\":\"ipvlan\",\"mode\":\"l3\",\"gateway\":\"192.168.100.1\",\"routes\":["
		"{\"dst\":\"172.16.0.0/16\",\"gw\":\"192.168.100.9\"},"
		"{\"dst\":\"10.99.0.0/24\",\"gw\":\"10.42.0.7\",\"iface\":\"eth0\"}]");
	AUTO(world_done) struct world w = {0}, flat = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	fill(&w, spec, NULL);
	assert_int_equal(w.card.m.mode, NL_MODE_L3);
	assert_false(ip_is_set(&w.card.m.gateway));
	assert_false(ip_is_set(&w.card.m.routes[0].gw));
	assert_string_equal(ip_format(&w.card.m.routes[1].gw, text), "10.42.0.7");
	fill(&flat, RECORD("\"linkType\":\"ipvlan\",\"gateway\":\"192.168.100.1\""), NULL);
	assert_int_equal(flat.card.m.mode, NL_MODE_L2);
	assert_string_equal(ip_format(&flat.card.m.gateway, text), "192.168.100.1");
}

static const struct {
	const char *spec, *conf_nets, *says; /* NULL = it is fine */
} checks[] = {
	{"\"podDefaultGateway\":{\"enable\":true}", "",
	 "podDefaultGateway: no service network is known, and Services would be looked for on the LAN; set serviceCIDR in the conf or in ConfigMap tandem-settings, or podDefaultGateway.serviceCidr in the MacvlanSubnet and recreate the pod"},
	{"\"podDefaultGateway\":{\"enable\":true}", "\"serviceCIDR\":\"10.43.0.0/16\",", NULL},
	{"\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":\"10.43.0.0/16\"}", "", NULL},
	{"\"podDefaultGateway\":{\"enable\":false}", "", NULL},
	{"\"mtu\":1400", "\"serviceCIDR\":\"192.168.0.0/17\",",
	 "address 192.168.100.50 is in the service network 192.168.0.0/17, where it would not be reached; set other ranges in the MacvlanSubnet and recreate the pod"},
	{"\"cidr6\":\"fd42::5/64\"", "\"clusterCIDR\":\"10.42.0.0/16,fd42::/48\",",
	 "address fd42::5 is in the pod network fd42::/48, where it would not be reached; set other ranges in the MacvlanSubnet and recreate the pod"},
	/* What is no router. */
	{"\"gateway\":\"224.0.0.1\"", "",
	 "gateway 224.0.0.1 is a multicast or broadcast address, not a router's; set another in the MacvlanSubnet and recreate the pod"},
	{"\"cidr6\":\"fd42::5/64\",\"gateway6\":\"ff02::1\"", "",
	 "ipv6.gateway ff02::1 is a multicast or broadcast address, not a router's; set another in the MacvlanSubnet and recreate the pod"},
	{"\"gateway\":\"192.168.100.50\"", "",
	 "gateway 192.168.100.50 is the card's own address; set another in the MacvlanSubnet, or exclude the address there, and recreate the pod"},
	{"\"cidr6\":\"fd42::5/64\",\"routes\":[{\"dst\":\"fd43::/64\",\"gw\":\"fd42::5\"}]", "",
	 "routes[0].gw fd42::5 is the card's own address; set another in the MacvlanSubnet, or exclude the address there, and recreate the pod"},
	/* A LAN around them. */
	{"\"cidr6\":\"fd42::5/16\"", "\"clusterCIDR\":\"fd42:1::/48\",", NULL},
};

static void a_pod_must_reach_the_cluster(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		AUTO(world_done) struct world w = {0};
		AUTO(free)
		char *conf = xasprintf(
			"{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"tandem\",%s"
			"\"delegate\":{\"type\":\"bridge\"}}",
			checks[i].conf_nets);
		AUTO(free)
		char *record = xasprintf(RECORD("%s"), checks[i].spec);
		struct err e = {0};

		fill_by(&w, conf, record, "eth1");
		if (checks[i].says) {
			assert_int_equal(card_check(&w.card, &e), -1);
			assert_string_equal(e.msg, checks[i].says);
		} else {
			assert_int_equal(card_check(&w.card, &e), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_must_reach_the_cluster),
		cmocka_unit_test(a_second_card_has_the_records_network),
		cmocka_unit_test(a_record_of_both_families),
		cmocka_unit_test(the_subnets_service_cidrs_win),
		cmocka_unit_test(the_lan_is_asked_where_the_record_says_so),
		cmocka_unit_test(on_a_single_card_both_names_mean_it),
		cmocka_unit_test(host_access_is_the_single_cards_default),
		cmocka_unit_test(a_routed_card_has_no_gateways),
	};

	return cmocka_run_group_tests_name("card", tests, NULL, NULL);
}
