/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"

#define HEAD \
	"{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\",\"uid\":\"u\",\"resourceVersion\":\"9\"},"

static int decode(const char *text, struct api_ip **out, struct err *e)
{
	struct jdoc *doc = NULL;
	struct jval root;
	int rc;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, e), 0);
	root = jdoc_root(doc);
	rc = api_ip_decode(&root, out, e);
	jdoc_free(doc);
	return rc;
}

static void pending_then_allocated(void **state)
{
	struct api_ip *ip = NULL;
	struct err e = {0};
	char text[IP_NET_LEN];

	(void)state;
	assert_int_equal(decode(HEAD
				"\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\"}}",
				&ip, &e),
			 0);
	assert_false(api_ip_is_allocated(ip));
	assert_string_equal(api_ip_phase_name(ip), "Pending");
	api_ip_free(ip);
	assert_int_equal(
		decode("{\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"labels\":{\"tandem-cni.io/node\":\"n1\","
		       "\"tandem-cni.io/subnet\":\"v\"},\"ownerReferences\":[{\"kind\":\"Pod\",\"uid\":\"x\"}]},"
		       "\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\",\"node\":\"n1\","
		       "\"cidr\":\"10.0.0.5/24\",\"mac\":\"02:00:00:00:00:01\",\"gateway\":\"10.0.0.1\"}}",
		       &ip, &e),
		0);
	assert_string_equal(api_ip_phase_name(ip), "Allocated");
	assert_string_equal(ip_net_format(&ip->cidr, text), "10.0.0.5/24");
	assert_string_equal(ip->owner_pod_uid, "x");
	assert_string_equal(ip->label_node, "n1");
	assert_string_equal(ip->label_subnet, "v");
	api_ip_free(ip);
}

static void malformed_is_decode(void **state)
{
	static const char *const rows[] = {
		"{}",
		HEAD "\"spec\":{}}",
		HEAD "\"spec\":{\"subnet\":\"v\",\"podId\":\"x\"}}",
		HEAD
		"\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\",\"cidr\":\"10.0.0.5\"}}",
		HEAD
		"\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\",\"cidr\":\"10.0.0.5/24\"}}",
		HEAD
		"\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\",\"mac\":\"02:00:00:00:00:01\"}}",
		HEAD "\"spec\":{\"subnet\":1,\"podId\":\"x\",\"master\":\"m\"}}",
		HEAD "\"spec\":{\"subnet\":\"v\",\"podId\":\"x\",\"master\":\"m\",\"vlan\":5000}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct api_ip *ip = NULL;
		struct err e = {0};

		assert_int_equal(decode(rows[i], &ip, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_null(ip);
	}
}

static void network_round_trip(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct api_network n = {
		.vlan = 7, .mode = NL_MODE_VEPA, .mtu = 1400, .host_access = API_SWITCH_ON};
	struct api_network back;
	struct api_route route = {.iface = "eth0"};
	struct ip_net service;
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	(void)state;
	memcpy(n.master, "ens4", 5);
	assert_int_equal(ip_parse("10.0.0.1", &n.gateway), 0);
	assert_int_equal(ip_net_parse("172.16.0.0/12", &route.dst), 0);
	assert_int_equal(ip_net_parse("10.43.0.0/16", &service), 0);
	n.routes = &route;
	n.n_routes = 1;
	n.service_cidrs = &service;
	n.n_service_cidrs = 1;
	n.pod_default_gateway = true;
	jw_obj(&w);
	api_network_write(&w, &n, false);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(
		sb_get(&sb),
		"{\"master\":\"ens4\",\"vlan\":7,\"linkType\":\"macvlan\",\"mode\":\"vepa\",\"mtu\":1400,"
		"\"gateway\":\"10.0.0.1\",\"routes\":[{\"dst\":\"172.16.0.0/12\",\"iface\":\"eth0\"}],"
		"\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":\"10.43.0.0/16\"},\"hostAccess\":true}");
	assert_int_equal(jdoc_parse("t", sb_get(&sb), sb.len, &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_network_decode(&root, "spec", &back, &e), 0);
	assert_true(api_network_eq(&n, &back));
	back.routes[0].gw = n.gateway;
	assert_false(api_network_eq(&n, &back));
	api_network_done(&back);
	jdoc_free(doc);
}

static void a_patch_takes_away_what_is_absent(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	struct api_network n = {.master = "m"};

	(void)state;
	jw_obj(&w);
	api_network_write(&w, &n, true);
	jw_end(&w);
	jw_finish(&w);
	assert_non_null(strstr(sb_get(&sb), "\"gateway\":null,\"gateway6\":null,"));
	assert_non_null(strstr(sb_get(&sb), "\"routes\":null,\"podDefaultGateway\":null,"));
	assert_non_null(strstr(sb_get(&sb), "\"hostAccess\":null,\"conflictDetection\":null"));
	sb_clear(&sb);
	n.pod_default_gateway = true;
	w = jw_init(&sb);
	jw_obj(&w);
	api_network_write(&w, &n, true);
	jw_end(&w);
	jw_finish(&w);
	assert_non_null(strstr(sb_get(&sb),
			       "\"podDefaultGateway\":{\"enable\":true,\"serviceCidr\":null}"));
}

/* The status of a record with this metadata and spec, as a report leaves it. */
static struct api_ip *reported(const char *metadata, const char *spec, const char *status)
{
	AUTO(free)
	char *text = xasprintf(
		"{\"metadata\":{\"name\":\"p\",\"namespace\":\"d\",\"uid\":\"u\"%s},"
		"\"spec\":{\"subnet\":\"v\",\"master\":\"m\",\"vlan\":0,\"cidr\":\"10.0.0.9/24\","
		"\"mac\":\"02:00:00:00:00:01\"%s},\"status\":%s}",
		metadata, spec, status);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_ip *ip = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_ip_decode(&root, &ip, &e), 0);
	return ip;
}

static void a_report_is_of_one_pod(void **state)
{
	static const struct {
		const char *metadata, *spec, *status;
		bool down, ending;
	} rows[] = {
		{"", ",\"podId\":\"u1\"", "{}", false, false},
		{"", ",\"podId\":\"u1\"", "{\"cardDown\":\"u1\"}", true, false},
		{"", ",\"podId\":\"u1\"", "{\"cardDown\":\"u0\"}", false, false},
		{"", ",\"podId\":\"u1\"", "{\"cardDown\":null}", false, false},
		{"", "", "{\"cardDown\":\"\"}", false, false},
		{",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"", ",\"podId\":\"u1\"", "{}",
		 false, true},
		{",\"annotations\":{\"" API_ANNOTATION_UNWITNESSED "\":\"2026-01-01T00:00:00Z\"}",
		 ",\"podId\":\"u1\"", "{\"cardDown\":\"u1\"}", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct api_ip *ip = reported(rows[i].metadata, rows[i].spec, rows[i].status);

		print_message("row %zu\n", i);
		assert_int_equal(api_ip_card_is_down(ip), rows[i].down);
		assert_int_equal(api_ip_is_ending(ip), rows[i].ending);
		api_ip_free(ip);
	}
}

static void a_node_answers(void **state)
{
	static const struct {
		const char *card;
		bool told;
		const char *first, *second;
	} rows[] = {
		{"{\"podId\":\"u1\",\"ips\":[\"10.0.0.9\",\"fd00::9\"],\"mac\":\"02:00:00:00:00:01\"}",
		 true, "10.0.0.9", "fd00::9"},
		{"{\"podId\":\"u1\",\"ips\":[],\"mac\":\"\"}", true, "", ""},
		{"{\"podId\":\"u1\"}", true, "", ""},
		{"{\"podId\":\"u0\",\"ips\":[\"10.0.0.9\"]}", false, "10.0.0.9", ""},
		{"{\"podId\":\"u1\",\"ips\":[\"x\"]}", false, "", ""},
		{"{\"podId\":\"u1\",\"ips\":[\"10.0.0.9\",\"10.0.0.8\",\"10.0.0.7\"]}", false,
		 "10.0.0.9", "10.0.0.8"},
		{"null", false, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *status = xasprintf("{\"card\":%s}", rows[i].card);
		struct api_ip *ip = reported(",\"annotations\":{\"" API_ANNOTATION_TELL_CARD
					     "\":\"u1\"}",
					     ",\"podId\":\"u1\"", status);
		char text[IP_ADDR_LEN];

		print_message("row %zu\n", i);
		assert_int_equal(api_ip_is_told(ip), rows[i].told);
		assert_true(api_ip_is_asked(ip) != api_ip_is_allocated(ip));
		assert_string_equal(ip_format(&ip->told.ips[0], text), rows[i].first);
		assert_string_equal(ip_format(&ip->told.ips[1], text), rows[i].second);
		api_ip_free(ip);
	}
}

static void long_labels_are_cut(void **state)
{
	char name[254], buf[64], again[64];

	(void)state;
	memset(name, 'a', 253);
	name[253] = '\0';
	assert_string_equal(api_label_value("n1", buf), "n1");
	assert_int_equal(strlen(api_label_value(name, buf)), 57);
	name[252] = 'b';
	assert_string_not_equal(api_label_value(name, again), buf);
	name[63] = '\0';
	assert_string_equal(api_label_value(name, buf), name);
}

static void names(void **state)
{
	(void)state;
	assert_true(api_name_ok("a") && api_name_ok("a-b.c1"));
	assert_false(api_name_ok("") || api_name_ok("-a") || api_name_ok("a.") ||
		     api_name_ok("a.-b"));
	assert_false(api_name_ok("A") || api_name_ok("a/b") || api_name_ok("a b"));
}

static void the_mac_in_a_report(void **state)
{
	static const struct {
		const char *message, *mac;
	} rows[] = {
		{"", ""},
		{"10.0.0.5 is in use", ""},
		{"10.0.0.5 is in use by 0A:00:00:00:00:01", "0a:00:00:00:00:01"},
		{"0a:00:00:00:00:01, says n1", "0a:00:00:00:00:01"},
		{"fd00::5 (0a:00:00:00:00:02)", "0a:00:00:00:00:02"},
		{"0a:00:00:00:00:01:02 then 0a:00:00:00:00:03", "0a:00:00:00:00:03"},
		{"0a:00:00:00:00", ""},
		{"0a:00:00:00:00:0", ""},
		{"0a-00-00-00-00-01", ""},
		{"\xff\xfe 0a:00:00:00:00:04\n", "0a:00:00:00:00:04"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mac_addr m = {{0}};
		char text[MAC_ADDR_LEN];

		assert_int_equal(api_ip_rival_mac(rows[i].message, &m), *rows[i].mac != '\0');
		if (*rows[i].mac)
			assert_string_equal(mac_format(&m, text), rows[i].mac);
	}
}

/* What the one side writes the other side reads, whatever the address looks like. */
static void a_report_to_the_letter(void **state)
{
	static const struct {
		const char *addr, *link, *message;
	} rows[] = {
		{"192.168.100.50", "",
		 "MAC 0a:00:00:00:00:01 uses 192.168.100.50 on the LAN, as node n1 has found before it gave it "
		 "to the pod"},
		{"fd78::50", "",
		 "MAC 0a:00:00:00:00:01 uses fd78::50 on the LAN, as node n1 has found before it gave it to the "
		 "pod"},
		{"192.168.100.50", "cni0",
		 "MAC 0a:00:00:00:00:01 uses 192.168.100.50: it is an address of node n1 itself, on its link "
		 "cni0"},
	};
	struct api_ip_rival r = {.node = "n1"};
	char text[API_IP_RIVAL_LEN];
	struct mac_addr mac;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(mac_parse("0A:00:00:00:00:01", &r.mac), 0);
		assert_int_equal(ip_parse(rows[i].addr, &r.addr), 0);
		r.link = rows[i].link;
		assert_string_equal(api_ip_rival_format(&r, text), rows[i].message);
		assert_true(api_ip_rival_mac(text, &mac));
		assert_true(mac_eq(&mac, &r.mac));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mac_in_a_report),
		cmocka_unit_test(a_report_to_the_letter),
		cmocka_unit_test(pending_then_allocated),
		cmocka_unit_test(malformed_is_decode),
		cmocka_unit_test(network_round_trip),
		cmocka_unit_test(a_patch_takes_away_what_is_absent),
		cmocka_unit_test(a_report_is_of_one_pod),
		cmocka_unit_test(a_node_answers),
		cmocka_unit_test(long_labels_are_cut),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
