/* SPDX-License-Identifier: Apache-2.0 */
#include "api/subnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static int decode(const char *spec, struct api_subnet **out, struct err *e)
{
	char text[4096];
	struct jdoc *doc = NULL;
	struct jval root;
	int rc;

	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"name\":\"s\",\"namespace\":\"kube-system\",\"uid\":\"u\","
		 "\"resourceVersion\":\"7\",\"generation\":2,"
		 "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\",\"finalizers\":[\"a/b\"]},"
		 "\"spec\":%s}",
		 spec);
	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, e), 0);
	root = jdoc_root(doc);
	rc = api_subnet_decode(&root, out, e);
	jdoc_free(doc);
	return rc;
}

static void everything_absent_has_a_default(void **state)
{
	struct api_subnet *s = NULL;
	struct err e = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	assert_int_equal(decode("{\"master\":\"ens4\",\"cidr\":\"192.168.100.77/24\"}", &s, &e), 0);
	assert_string_equal(s->meta.resource_version, "7");
	assert_int_equal(s->meta.deletion, 1767225600);
	assert_true(api_meta_has_finalizer(&s->meta, "a/b"));
	assert_int_equal(s->network.vlan, 0);
	assert_int_equal(s->network.mode, NL_MODE_BRIDGE);
	assert_int_equal(s->delay_reuse_s, 60);
	assert_int_equal(s->max_per_ns, 0);
	assert_string_equal(ip_format(&s->v.gateway, text), "192.168.100.1");
	assert_string_equal(ip_format(&s->network.gateway, text), "192.168.100.1");
	assert_string_equal(ip_format(&s->v.cidr.addr, text), "192.168.100.0");
	assert_int_equal(s->network.conflict_detection, API_SWITCH_ON);
	assert_int_equal(s->network.host_access, API_SWITCH_UNSET);
	api_subnet_free(s);
}

static void everything_given_is_taken(void **state)
{
	struct api_subnet *s = NULL;
	struct err e = {0};
	char text[100];

	(void)state;
	assert_int_equal(
		decode("{\"master\":\"bond0\",\"vlan\":4094,\"cidr\":\"10.0.0.0/8\",\"linkType\":"
		       "\"ipvlan\",\"mtu\":9000,\"gateway\":\"10.1.2.3\",\"ranges\":[{\"rangeStart\":"
		       "\"10.0.0.5\",\"rangeEnd\":\"10.0.0.9\"}],\"exclude\":[\"10.0.0.6\","
		       "\"10.0.0.7-10.0.0.8\",\"10.0.0.0/30\"],\"routes\":[{\"dst\":\"0.0.0.0/0\","
		       "\"gw\":\"10.0.0.2\"},{\"dst\":\"172.16.0.1/12\",\"gw\":\"169.254.1.1\","
		       "\"iface\":\"eth0\"}],\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":"
		       "\"10.43.0.0/16, fd00::/108\"},\"ipDelayReuse\":0,\"maxPerNamespace\":7,\"allowAnyMAC\":true,\"hostAccess\":false,"
		       "\"nodeSelector\":{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":"
		       "\"c\",\"operator\":\"NotIn\",\"values\":[\"d\",\"e\"]},{\"key\":\"f\","
		       "\"operator\":\"DoesNotExist\"}]}}",
		       &s, &e),
		0);
	assert_true(s->allow_any_mac);
	assert_int_equal(s->network.mode, NL_MODE_L2);
	assert_int_equal(s->n_exclude, 3);
	assert_string_equal(ip_format(&s->exclude[2].end, text), "10.0.0.3");
	assert_string_equal(s->network.routes[0].iface, "eth1");
	assert_string_equal(ip_net_format(&s->network.routes[1].dst, text), "172.16.0.0/12");
	assert_int_equal(s->network.n_service_cidrs, 2);
	assert_int_equal(s->network.host_access, API_SWITCH_OFF);
	assert_int_equal(s->network.conflict_detection, API_SWITCH_OFF);
	assert_int_equal(s->delay_reuse_s, 0);
	assert_int_equal(s->max_per_ns, 7);
	assert_string_equal(api_selector_format(&s->node_selector, text, sizeof(text)),
			    "a=b,c notin (d,e),!f");
	api_subnet_free(s);
}

static void gateways_of_small_networks(void **state)
{
	static const struct {
		const char *cidr, *gateway;
	} rows[] = {
		{"10.0.0.4/31", "10.0.0.4"}, {"10.0.0.4/32", ""},
		{"10.0.0.4/30", "10.0.0.5"}, {"fd00::/64", "fd00::1"},
		{"fd00::2/127", "fd00::2"},  {"fd00::2/128", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct api_subnet *s = NULL;
		struct err e = {0};
		char spec[100], text[IP_ADDR_LEN];

		snprintf(spec, sizeof(spec), "{\"master\":\"m\",\"cidr\":\"%s\"}", rows[i].cidr);
		assert_int_equal(decode(spec, &s, &e), 0);
		assert_string_equal(ip_format(&s->v.gateway, text), rows[i].gateway);
		api_subnet_free(s);
	}
}

static void dual_stack(void **state)
{
	struct api_subnet *s = NULL;
	struct err e = {0};
	char text[IP_NET_LEN];

	(void)state;
	assert_int_equal(
		decode("{\"master\":\"m\",\"cidr\":\"10.0.0.4/32\",\"exclude\":[\"fd00::10\"],"
		       "\"ranges\":[{\"rangeStart\":\"10.0.0.4\",\"rangeEnd\":\"10.0.0.4\"}],"
		       "\"ipv6\":{\"cidr\":\"fd00::7/64\",\"ranges\":[{\"rangeStart\":\"fd00::8\","
		       "\"rangeEnd\":\"fd00::f\"}]},\"podDefaultGateway\":{\"enable\":true},"
		       "\"routes\":[{\"dst\":\"fd01::/64\"},{\"dst\":\"fd02::/64\",\"gw\":\"fd00::2\"}]}",
		       &s, &e),
		0);
	assert_string_equal(ip_format(&s->network.gateway, text), "");
	assert_string_equal(ip_format(&s->network.gateway6, text), "fd00::1");
	assert_string_equal(ip_net_format(&s->v6.cidr, text), "fd00::/64");
	assert_int_equal(s->v6.n_ranges, 1);
	assert_int_equal(s->network.conflict_detection, API_SWITCH_OFF);
	api_subnet_free(s);
	assert_int_equal(
		decode("{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ranges\":[{\"rangeStart\":"
		       "\"10.0.0.4\",\"rangeEnd\":\"10.0.0.4\"}],\"ipv6\":{\"cidr\":\"fd00::/64\"}}",
		       &s, &e),
		0);
	assert_int_equal(s->network.conflict_detection, API_SWITCH_ON);
	api_subnet_free(s);
}

/* What it has beyond the CIDR excludes nothing. */
static void an_exclude_wider_than_the_cidr_is_cut(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8", "9.255.0.0-10.1.0.9",
					    "10.1.0.200-11.0.0.0", "fd00::/8"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(free)
		char *spec = xasprintf("{\"master\":\"m\",\"cidr\":\"10.1.0.0/24\",\"ipv6\":{"
				       "\"cidr\":\"fd00:1::/64\"},\"exclude\":[\"%s\"]}",
				       texts[i]);
		struct api_subnet *s = NULL;
		struct err e = {0};

		assert_int_equal(decode(spec, &s, &e), 0);
		assert_int_equal(s->n_exclude, 1);
		api_subnet_free(s);
	}
}

static const struct {
	const char *spec, *msg;
} bad_fields[] = {
	{"{}", "spec.master: is missing, and so is masterSelector"},
	{"{\"master\":\"a b\"}", "spec.master: \"a b\" is not the name of a network card"},
	{"{\"master\":\"..\"}", "spec.master: \"..\" is not the name of a network card"},
	{"{\"master\":\"m\"}", "spec.cidr: is missing"},
	{"{\"master\":\"m\",\"ipv6\":{\"cidr\":\"fd00::/64\"}}",
	 "spec.cidr: is missing; the network of a subnet of IPv6 alone stands there, and not in spec.ipv6.cidr"},
	{"{\"master\":\"m\",\"vlan\":4095}", "spec.vlan: 4095 must be 0 to 4094"},
	{"{\"master\":\"m\",\"vlan\":-1}", "spec.vlan: -1 must be 0 to 4094"},
	{"{\"master\":\"m\",\"mtu\":67}", "spec.mtu: 67 must be 0 or 68 to 65535"},
	{"{\"master\":\"m\",\"linkType\":\"x\"}", "spec.linkType: \"x\" must be macvlan or ipvlan"},
	{"{\"master\":\"m\",\"mode\":\"l2\"}",
	 "spec.mode: \"l2\" must be bridge, private, vepa or passthru"},
	{"{\"master\":\"m\",\"linkType\":\"ipvlan\",\"mode\":\"vepa\"}",
	 "spec.mode: \"vepa\" of an ipvlan must be l2, l3 or l3s"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0\"}", "spec.cidr: \"10.0.0.0\" is not a CIDR"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/15\"}",
	 "spec.cidr: /15 is larger than a /16; set ranges"},
	{"{\"master\":\"m\",\"cidr\":\"224.0.0.0/24\"}",
	 "spec.cidr: \"224.0.0.0/24\" is not a network that hosts can have"},
	{"{\"master\":\"m\",\"cidr\":\"0.0.0.0/0\"}",
	 "spec.cidr: \"0.0.0.0/0\" is not a network that hosts can have"},
	{"{\"master\":\"m\",\"cidr\":\"fe80::/64\"}", "spec.cidr: \"fe80::/64\" is link-local"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"fd00::1\"}",
	 "spec.gateway: \"fd00::1\" is of another family than the cidr"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"224.0.0.5\"}",
	 "spec.gateway: \"224.0.0.5\" is not a router's address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.0\"}",
	 "spec.gateway: \"10.0.0.0\" is the network address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.255\"}",
	 "spec.gateway: \"10.0.0.255\" is the broadcast address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"gateway\":\"x\"}",
	 "spec.gateway: \"x\" is not an address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ranges\":[{\"rangeStart\":\"10.0.0.9\",\"rangeEnd\":\"10.0.0.5\"}]}",
	 "spec.ranges[0]: rangeEnd 10.0.0.5 is below rangeStart"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ranges\":[{\"rangeStart\":\"10.0.0.9\"}]}",
	 "spec.ranges[0].rangeEnd: is missing"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/8\",\"ranges\":[{\"rangeStart\":\"10.0.0.0\",\"rangeEnd\":\"10.1.0.0\"}]}",
	 "spec.ranges: more than 65536 addresses"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"exclude\":[\"10.0.1.1\"]}",
	 "spec.exclude[0]: \"10.0.1.1\" lies outside the cidr"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"exclude\":[\"10.0.1.0-10.0.2.9\"]}",
	 "spec.exclude[0]: \"10.0.1.0-10.0.2.9\" lies outside the cidr"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"exclude\":[\"10.0.0.1-10.0.0.0\"]}",
	 "spec.exclude[0]: \"10.0.0.1-10.0.0.0\" is not an address, a range or a CIDR"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"routes\":[{\"dst\":\"10.0.0.0\"}]}",
	 "spec.routes[0].dst: \"10.0.0.0\" is not a CIDR"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"routes\":[{\"dst\":\"::/0\",\"gw\":\"10.0.0.1\"}]}",
	 "spec.routes[0].gw: \"10.0.0.1\" is of another family than dst"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"routes\":[{\"dst\":\"1.0.0.0/8\",\"gw\":\"nobody\"}]}",
	 "spec.routes[0].gw: \"nobody\" is neither an address nor none"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"routes\":[{\"dst\":\"1.0.0.0/8\",\"gw\":\"239.0.0.1\"}]}",
	 "spec.routes[0].gw: \"239.0.0.1\" is not a router's address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipv6\":{}}", "spec.ipv6.cidr: is missing"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipv6\":{\"acceptRA\":true,\"gateway\":\"fe80::1\"}}",
	 "spec.ipv6.cidr: is missing"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"linkType\":\"ipvlan\",\"mode\":\"l3\",\"ipv6\":{\"acceptRA\":true}}",
	 "spec.ipv6.acceptRA: a card of the mode l3 hears no router"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"mtu\":1279,\"ipv6\":{\"acceptRA\":true}}",
	 "spec.mtu: 1279 is too small for IPv6, which needs 1280"},
	{"{\"master\":\"m\",\"cidr\":\"fd00::/64\",\"mtu\":1279}",
	 "spec.mtu: 1279 is too small for IPv6, which needs 1280"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"mtu\":1000,\"ipv6\":{\"cidr\":\"fd00::/64\"}}",
	 "spec.mtu: 1000 is too small for IPv6, which needs 1280"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.4/32\",\"podDefaultGateway\":{\"enable\":true}}",
	 "spec.podDefaultGateway.enable: the subnet has no gateway"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"podDefaultGateway\":{\"serviceCidr\":\"10.43.0.0/16,\"}}",
	 "spec.podDefaultGateway.serviceCidr: \"10.43.0.0/16,\" must be CIDRs separated by commas"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipDelayReuse\":216001}",
	 "spec.ipDelayReuse: 216001 must be 0 to 216000"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"maxPerNamespace\":-1}",
	 "spec.maxPerNamespace: -1 must be 0 to 1000000"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"maxPerNamespace\":1000001}",
	 "spec.maxPerNamespace: 1000001 must be 0 to 1000000"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipv6\":{\"cidr\":\"10.0.0.0/24\"}}",
	 "spec.ipv6.cidr: must be an IPv6 CIDR"},
	{"{\"master\":\"m\",\"cidr\":\"fd00::/64\",\"ipv6\":{\"cidr\":\"fd00::/64\"}}",
	 "spec.ipv6: spec.cidr is IPv6 already"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipv6\":{\"cidr\":\"fd00::/64\",\"gateway\":\"fd00::\"}}",
	 "spec.ipv6.gateway: \"fd00::\" is the network address"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"ipv6\":{\"cidr\":\"fd00::/64\",\"ranges\":[{\"rangeStart\":\"fd00::5\",\"rangeEnd\":\"10.0.0.7\"}]}}",
	 "spec.ipv6.ranges[0].rangeEnd: \"10.0.0.7\" lies outside the cidr"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"exclude\":[\"fd00::1\"]}",
	 "spec.exclude[0]: \"fd00::1\" lies outside the cidr"},
	{"{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"routes\":[{\"dst\":\"fd01::/64\"}]}",
	 "spec.routes[0].dst: \"fd01::/64\" is of a family that the card has no address of"},
	{"{\"master\":\"m\",\"cidr\":\"fd00::/64\",\"routes\":[{\"dst\":\"1.0.0.0/8\"}]}",
	 "spec.routes[0].dst: \"1.0.0.0/8\" is of a family that the card has no address of"},
};

static void bad_fields_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_fields); i++) {
		struct api_subnet *s = NULL;
		struct err e = {0};

		assert_int_equal(decode(bad_fields[i].spec, &s, &e), -1);
		assert_string_equal(e.msg, bad_fields[i].msg);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_null(s);
	}
}

static void selectors(void **state)
{
	char team[] = "team", a[] = "a", zone[] = "zone", one[] = "1";
	struct api_label labels[] = {{team, a}, {zone, one}};
	struct api_subnet *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(
		decode("{\"master\":\"m\",\"cidr\":\"10.0.0.0/24\",\"allowedNamespaces\":{"
		       "\"matchExpressions\":[{\"key\":\"team\",\"operator\":\"In\",\"values\":"
		       "[\"a\",\"b\"]},{\"key\":\"x\",\"operator\":\"NotIn\",\"values\":[\"1\"]},"
		       "{\"key\":\"zone\",\"operator\":\"Exists\"}]},\"nodeSelector\":{}}",
		       &s, &e),
		0);
	assert_true(api_selector_matches(&s->allowed_namespaces, labels, 2));
	assert_false(api_selector_matches(&s->allowed_namespaces, labels, 1));
	assert_false(api_selector_matches(&s->allowed_namespaces, NULL, 0));
	assert_true(api_selector_matches(&s->node_selector, NULL, 0));
	api_subnet_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exclude_wider_than_the_cidr_is_cut),
		cmocka_unit_test(everything_absent_has_a_default),
		cmocka_unit_test(everything_given_is_taken),
		cmocka_unit_test(gateways_of_small_networks),
		cmocka_unit_test(dual_stack),
		cmocka_unit_test(bad_fields_are_named),
		cmocka_unit_test(selectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
