/* SPDX-License-Identifier: Apache-2.0 */
#include "api/annotations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

static void nothing_asked(void **state)
{
	const char *a[API_ANNOTATIONS] = {NULL};
	struct api_request r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_false(r.wanted);
	api_request_done(&r);
}

static void defaults(void **state)
{
	const char *a[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "vlan100", [API_ASKED_IP] = "auto", [API_ASKED_MAC] = "auto"};
	struct api_request r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_true(r.wanted);
	assert_string_equal(r.subnet, "vlan100");
	assert_string_equal(r.interface, "eth1");
	assert_int_equal(r.n_ips, 0);
	assert_null(api_request_mac(&r, 0));
	api_request_done(&r);
}

static void lists_are_paired(void **state)
{
	const char *a[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "v",
		[API_ASKED_IP] = "192.168.1.5-192.168.1.6-192.168.1.7",
		[API_ASKED_MAC] = "0A:00:00:00:00:01-0a:00:00:00:00:02-0a:00:00:00:00:03",
		[API_ASKED_INTERFACE] = "eth0",
	};
	struct api_request r = {0};
	struct err e = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_int_equal(r.n_ips, 3);
	assert_string_equal(ip_format(&r.ips[1], text), "192.168.1.6");
	assert_string_equal(mac_format(api_request_mac(&r, 2), text), "0a:00:00:00:00:03");
	assert_string_equal(r.interface, "eth0");
	api_request_done(&r);
}

static void assert_ip(const struct ip_addr *a, const char *want)
{
	char text[IP_ADDR_LEN];

	assert_non_null(a);
	assert_string_equal(ip_format(a, text), want);
}

/* The i-th IPv4 address goes with the i-th IPv6 address and the i-th MAC, however they are mixed. */
static void families_are_paired(void **state)
{
	const char *a[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "v",
		[API_ASKED_IP] = "fd00::5-10.0.0.7-10.0.0.6-fd00::4",
		[API_ASKED_MAC] = "0a:00:00:00:00:01-0a:00:00:00:00:02",
	};
	AUTO(api_request_done) struct api_request r = {0};
	struct ip_addr other = {AF_INET, {10, 0, 0, 9}};
	struct err e = {0};
	char text[IP_ADDR_LEN];

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_int_equal(r.n_ips, 4);
	assert_int_equal(api_request_entries(&r), 2);
	assert_ip(api_request_ip(&r, AF_INET, 0), "10.0.0.7");
	assert_ip(api_request_ip(&r, AF_INET6, 0), "fd00::5");
	assert_ip(api_request_ip(&r, AF_INET, 1), "10.0.0.6");
	assert_ip(api_request_ip(&r, AF_INET6, 1), "fd00::4");
	assert_null(api_request_ip(&r, AF_INET, 2));
	assert_null(api_request_ip(&r, AF_INET6, 2));
	assert_int_equal(api_request_find(&r, api_request_ip(&r, AF_INET, 1)), 1);
	assert_int_equal(api_request_find(&r, api_request_ip(&r, AF_INET6, 1)), 1);
	assert_int_equal(api_request_find(&r, &other), -1);
	assert_string_equal(mac_format(api_request_mac(&r, 1), text), "0a:00:00:00:00:02");
}

static void one_family_alone(void **state)
{
	const char *a[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = "fd00::5-fd00::6"};
	AUTO(api_request_done) struct api_request r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_int_equal(api_request_entries(&r), 2);
	assert_null(api_request_ip(&r, AF_INET, 0));
	assert_ip(api_request_ip(&r, AF_INET6, 1), "fd00::6");
}

static void one_mac_goes_with_any_address(void **state)
{
	const char *a[API_ANNOTATIONS] = {
		[API_ASKED_SUBNET] = "v", [API_ASKED_MAC] = "0a:00:00:00:00:01"};
	struct api_request r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(api_request_parse(a, &r, &e), 0);
	assert_non_null(api_request_mac(&r, 7));
	api_request_done(&r);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *a[API_ANNOTATIONS];
		const char *msg;
	} rows[] = {
		{{[API_ASKED_SUBNET] = ""},
		 "annotation tandem-cni.io/subnet: \"\": is not a name of a MacvlanSubnet"},
		{{[API_ASKED_SUBNET] = "A"},
		 "annotation tandem-cni.io/subnet: \"A\": is not a name of a MacvlanSubnet"},
		{{[API_ASKED_SUBNET] = "a..b"},
		 "annotation tandem-cni.io/subnet: \"a..b\": is not a name of a MacvlanSubnet"},
		{{[API_ASKED_SUBNET] = "../x"},
		 "annotation tandem-cni.io/subnet: \"../x\": is not a name of a MacvlanSubnet"},
		{{[API_ASKED_IP] = "auto"},
		 "annotation tandem-cni.io/ip also needs annotation tandem-cni.io/subnet"},
		{{[API_ASKED_MAC] = "auto"},
		 "annotation tandem-cni.io/mac also needs annotation tandem-cni.io/subnet"},
		{{[API_ASKED_INTERFACE] = "eth0"},
		 "annotation tandem-cni.io/interface also needs annotation tandem-cni.io/subnet"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = ""},
		 "annotation tandem-cni.io/ip: \"\": must be \"auto\", an address, or addresses joined by hyphens"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = "1.2.3.4-"},
		 "annotation tandem-cni.io/ip: \"1.2.3.4-\": must be \"auto\", an address, or addresses joined by hyphens"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = "1.2.3.4/24"},
		 "annotation tandem-cni.io/ip: \"1.2.3.4/24\": must be \"auto\", an address, or addresses joined by hyphens"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = "1.2.3.4-1.2.3.4"},
		 "annotation tandem-cni.io/ip: \"1.2.3.4-1.2.3.4\": names an address twice"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = "10.0.0.5-fd00::5-fd00::6"},
		 "annotation tandem-cni.io/ip: \"10.0.0.5-fd00::5-fd00::6\": the i-th IPv4 address goes with the i-th IPv6 address; name as many of each, or only one family"},
		{{[API_ASKED_SUBNET] = "v",
		  [API_ASKED_IP] = "10.0.0.5-10.0.0.6-fd00::5-fd00::6",
		  [API_ASKED_MAC] =
			  "0a:00:00:00:00:01-0a:00:00:00:00:02-0a:00:00:00:00:03-0a:00:00:00:00:04"},
		 "annotation tandem-cni.io/mac: \"0a:00:00:00:00:01-0a:00:00:00:00:02-0a:00:00:00:00:03-0a:00:00:00:00:04\": a list of MACs needs a list of as many addresses in tandem-cni.io/ip"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_MAC] = "0a-00"},
		 "annotation tandem-cni.io/mac: \"0a-00\": must be \"auto\", a MAC like 0a:00:00:00:00:01, or MACs joined by hyphens"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_MAC] = "01:00:5e:00:00:01"},
		 "annotation tandem-cni.io/mac: \"01:00:5e:00:00:01\": a card cannot have a multicast or zero MAC"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_MAC] = "0a:00:00:00:00:01-0a:00:00:00:00:02"},
		 "annotation tandem-cni.io/mac: \"0a:00:00:00:00:01-0a:00:00:00:00:02\": a list of MACs needs a list of as many addresses in tandem-cni.io/ip"},
		{{[API_ASKED_SUBNET] = "v", [API_ASKED_INTERFACE] = "net1"},
		 "annotation tandem-cni.io/interface: \"net1\": must be eth1 or eth0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct api_request r = {0};
		struct err e = {0};

		assert_int_equal(api_request_parse(rows[i].a, &r, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_string_equal(e.msg, rows[i].msg);
		assert_null(r.subnet);
	}
}

static void too_many_addresses(void **state)
{
	char *list = xcalloc(1, 16 * 1100);
	const char *a[API_ANNOTATIONS] = {[API_ASKED_SUBNET] = "v", [API_ASKED_IP] = list};
	struct api_request r = {0};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 1025; i++)
		snprintf(list + strlen(list), 20, "%s10.0.%d.%d", i ? "-" : "", i / 250, i % 250);
	assert_int_equal(api_request_parse(a, &r, &e), -1);
	assert_non_null(strstr(e.msg, "more than 1024"));
	free(list);
}

static void several_subnets(void **state)
{
	static const struct {
		const char *value, *list, *why;
	} cases[] = {
		{"rack1", "rack1;", NULL},
		{"rack1,rack2", "rack1;rack2;", NULL},
		{" a , b,c ", "a;b;c;", NULL},
		{"none", "", NULL},
		{"a,,b", NULL, "is not a name of a MacvlanSubnet"},
		{"a,", NULL, "is not a name of a MacvlanSubnet"},
		{"", NULL, "is not a name of a MacvlanSubnet"},
		{"a,none", NULL, "is not a name of a MacvlanSubnet"},
		{"a,b,a", NULL, "names a subnet twice"},
		{"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", NULL, "more than 16 subnets"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text[API_ANNOTATIONS] = {cases[i].value};
		AUTO(api_request_done) struct api_request r = {0};
		AUTO(free) char *name = NULL;
		char all[200] = "";
		struct err e = {0};
		size_t pos = 0;

		assert_int_equal(api_request_parse(text, &r, &e), cases[i].why ? -1 : 0);
		if (cases[i].why) {
			assert_non_null(strstr(e.msg, cases[i].why));
			continue;
		}
		assert_int_equal(r.wanted, *cases[i].list != '\0');
		assert_int_equal(r.refused, *cases[i].list == '\0');
		while (api_request_next_subnet(&r, &pos, &name)) {
			assert_true(api_request_has_subnet(&r, name));
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s;", name);
		}
		assert_string_equal(all, cases[i].list);
		assert_false(api_request_has_subnet(&r, "other"));
	}
}

/* A pod without a subnet, in a namespace with one. */
static void the_namespaces_default(void **state)
{
	static const struct {
		const char *text[API_ANNOTATIONS];
		const char *subnet;
		int rc;
	} cases[] = {
		{{NULL}, "lan", 1},
		{{NULL}, "lan,other", 1},
		{{NULL}, "none", 0},
		{{NULL}, "Not A Name", -1},
		{{"own"}, "lan", 0},
		{{"none"}, "lan", 0},
		{{NULL, "10.1.0.5"}, "lan", 1},
		{{NULL, "x"}, "lan", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct api_annotations a = {
			.text = {(char *)cases[i].text[0], (char *)cases[i].text[1]}};
		AUTO(api_request_done) struct api_request r = {0};
		struct err e = {0};

		assert_int_equal(api_annotations_by_default(&a, cases[i].subnet, &r, &e),
				 cases[i].rc);
		if (cases[i].rc == 1)
			assert_string_equal(r.subnet, "lan");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_subnets),
		cmocka_unit_test(the_namespaces_default),
		cmocka_unit_test(nothing_asked),
		cmocka_unit_test(defaults),
		cmocka_unit_test(lists_are_paired),
		cmocka_unit_test(families_are_paired),
		cmocka_unit_test(one_family_alone),
		cmocka_unit_test(one_mac_goes_with_any_address),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(too_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
