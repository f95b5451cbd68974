/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/set.h"

#include <stdlib.h>
#include <string.h>

#include "ipam/mac.h"
#include "ipam/range.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"

static struct ip_addr ip(const char *s)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(s, &a), 0);
	return a;
}

static void add(struct ipam_set *s, const char *first, const char *last)
{
	struct ip_addr a = ip(first), b = ip(last);

	ipam_set_add_span(s, &a, &b);
}

static void has(const struct ipam_set *s, const char *text, bool expected)
{
	struct ip_addr a = ip(text);

	assert_int_equal(ipam_set_has(s, &a), expected);
}

static void spans_across_blocks(void **state)
{
	AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
	struct ip_addr a = ip("10.0.0.250"), b = ip("10.0.2.3");

	(void)state;
	add(&s, "10.0.0.250", "10.0.2.3");
	assert_int_equal(s.n, 3);
	assert_int_equal(ipam_set_count(&s), 6 + 256 + 4);
	has(&s, "10.0.0.249", false);
	has(&s, "10.0.0.250", true);
	has(&s, "10.0.1.128", true);
	has(&s, "10.0.2.3", true);
	has(&s, "10.0.2.4", false);
	ipam_set_remove_span(&s, &a, &b);
	assert_int_equal(s.n, 0);
}

static void the_last_address_of_all(void **state)
{
	AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;

	(void)state;
	add(&s, "255.255.255.250", "255.255.255.255");
	assert_int_equal(ipam_set_count(&s), 6);
}

static void texts(void **state)
{
	static const struct {
		const char *first, *last, *text;
	} rows[] = {
		{"10.0.0.10", "10.0.0.10", "10.0.0.0/24 10"},
		{"10.0.0.0", "10.0.0.255", "10.0.0.0/24 0-255"},
		{"fd00::10", "fd00::1f", "fd00::/120 10-1f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
		AUTO(ipam_set_done) struct ipam_set back = IPAM_SET_INIT;
		AUTO(sb_done) struct sb sb = SB_INIT;
		struct err e = {0};

		add(&s, rows[i].first, rows[i].last);
		ipam_block_format(&s.blocks[0], &sb);
		assert_string_equal(sb_get(&sb), rows[i].text);
		assert_int_equal(ipam_set_parse_block(&back, rows[i].text, &e), 0);
		assert_true(ipam_set_eq(&s, &back));
	}
}

static void scattered_bits_are_hex(void **state)
{
	AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
	AUTO(ipam_set_done) struct ipam_set back = IPAM_SET_INIT;
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 256; i += 2) {
		struct ip_addr a = ip("10.0.0.0");

		a.b[3] = (uint8_t)i;
		ipam_set_add(&s, &a);
	}
	ipam_block_format(&s.blocks[0], &sb);
	assert_int_equal(sb.len, strlen("10.0.0.0/24 x") + 64);
	assert_memory_equal(sb_get(&sb), "10.0.0.0/24 xaaaaaaaa", 21);
	assert_int_equal(ipam_set_parse_block(&back, sb_get(&sb), &e), 0);
	assert_true(ipam_set_eq(&s, &back));
}

static void junk_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"10.0.0.0/24",
		"10.0.0.0/24 ",
		"10.0.0.0/24 256",
		"10.0.0.0/24 5-4",
		"10.0.0.0/24 1,",
		"10.0.0.0/24 1;2",
		"10.0.0.1/24 1",
		"10.0.0.0/25 1",
		"10.0.0.0/24 a",
		"10.0.0.0/24 xff",
		"fd00::/64 1",
		"fd00::/120 100",
		"10.0.0.0/24 00001",
		"10.0.0.0/24 -1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
		struct err e = {0};

		assert_int_equal(ipam_set_parse_block(&s, rows[i], &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_int_equal(s.n, 0);
	}
}

static void ranges_of_networks(void **state)
{
	static const struct {
		const char *cidr, *gateway, *first, *absent;
		size_t count;
	} rows[] = {
		{"192.168.1.0/24", "192.168.1.1", "192.168.1.2", "192.168.1.255", 253},
		{"192.168.1.0/24", "", "192.168.1.1", "192.168.1.0", 254},
		{"192.168.1.4/31", "", "192.168.1.4", "192.168.1.6", 2},
		{"192.168.1.4/31", "192.168.1.4", "192.168.1.5", "192.168.1.4", 1},
		{"192.168.1.4/32", "", "192.168.1.4", "192.168.1.5", 1},
		{"10.0.0.0/16", "10.0.0.1", "10.0.0.2", "10.0.255.255", 65533},
		{"fd00::/64", "fd00::1", "fd00::2", "fd00::1:0", 65534},
		{"192.168.1.4/30", "192.168.1.5", "192.168.1.6", "192.168.1.7", 1},
		{"fd00::/127", "", "fd00::", "fd00::2", 2},
		{"fd00::/127", "fd00::", "fd00::1", "fd00::", 1},
		{"fd00::7/128", "", "fd00::7", "fd00::8", 1},
		{"fd00::/126", "fd00::1", "fd00::2", "fd00::", 2},
		{"fd00::ff00/120", "", "fd00::ff01", "fd00::ff00", 255},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
		struct ipam_range_spec spec = {0};
		struct ip_addr start = {0}, first;
		struct err e = {0};

		assert_int_equal(ip_net_parse(rows[i].cidr, &spec.cidr), 0);
		if (*rows[i].gateway)
			spec.gateway = ip(rows[i].gateway);
		assert_int_equal(ipam_range_build(&spec, &s, &e), 0);
		assert_int_equal(ipam_set_count(&s), rows[i].count);
		assert_true(ipam_set_next(&s, &start, NULL, 0, &first));
		start = ip(rows[i].first);
		assert_true(ip_eq(&first, &start));
		has(&s, rows[i].absent, false);
	}
}

static void ranges_and_exclude(void **state)
{
	AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
	struct ipam_span ranges[] = {{ip("10.0.0.0"), ip("10.0.0.9")},
				     {ip("10.0.0.250"), ip("10.0.9.9")}};
	struct ipam_span exclude[] = {{ip("10.0.0.4"), ip("10.0.0.6")},
				      {ip("9.0.0.0"), ip("9.255.255.255")}};
	struct ipam_range_spec spec = {
		.ranges = ranges, .n_ranges = 2, .exclude = exclude, .n_exclude = 2};
	struct err e = {0};

	(void)state;
	assert_int_equal(ip_net_parse("10.0.0.0/24", &spec.cidr), 0);
	spec.gateway = ip("10.0.0.1");
	assert_int_equal(ipam_range_build(&spec, &s, &e), 0);
	/* 2, 3, 7, 8, 9 and 250 to 254: what lies outside the CIDR is cut off. */
	assert_int_equal(ipam_set_count(&s), 10);
	has(&s, "10.0.0.254", true);
	has(&s, "10.0.1.0", false);
}

static void default_gateways(void **state)
{
	static const struct {
		const char *cidr, *gateway;
	} rows[] = {
		{"10.0.0.0/24", "10.0.0.1"}, {"10.0.0.4/31", "10.0.0.4"}, {"10.0.0.4/32", ""},
		{"fd00::/64", "fd00::1"},    {"fd00::4/127", "fd00::4"},  {"fd00::4/128", ""},
	};
	char text[IP_ADDR_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip_net cidr;
		struct ip_addr a;

		assert_int_equal(ip_net_parse(rows[i].cidr, &cidr), 0);
		a = ipam_range_default_gateway(&cidr);
		assert_string_equal(ip_format(&a, text), rows[i].gateway);
	}
}

static void no_more_than_65536(void **state)
{
	AUTO(ipam_set_done) struct ipam_set s = IPAM_SET_INIT;
	struct ipam_range_spec spec = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(ip_net_parse("10.0.0.0/15", &spec.cidr), 0);
	assert_int_equal(ipam_range_build(&spec, &s, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void macs(void **state)
{
	struct ip_addr a = ip("192.168.100.10"), b = ip("192.168.100.11");
	struct mac_addr m = ipam_mac_compute("kube-system", "vlan100", &a, 0), other;
	unsigned int seen = 0;

	(void)state;
	other = ipam_mac_compute("kube-system", "vlan100", &a, 0);
	assert_true(mac_eq(&m, &other));
	other = ipam_mac_compute("kube-system", "vlan100", &b, 0);
	assert_false(mac_eq(&m, &other));
	other = ipam_mac_compute("kube-system", "vlan100", &a, 1);
	assert_false(mac_eq(&m, &other));
	other = ipam_mac_compute("kube-system", "vlan10", &a, 0);
	assert_false(mac_eq(&m, &other));
	for (unsigned int i = 0; i < 1000; i++) {
		m = ipam_mac_compute("kube-system", "vlan100", &a, i);
		assert_true(mac_is_usable(&m));
		assert_int_equal(m.b[0] & 3, 2);
		seen |= m.b[5];
	}
	assert_int_equal(seen, 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_across_blocks),
		cmocka_unit_test(the_last_address_of_all),
		cmocka_unit_test(texts),
		cmocka_unit_test(scattered_bits_are_hex),
		cmocka_unit_test(junk_is_refused),
		cmocka_unit_test(ranges_of_networks),
		cmocka_unit_test(ranges_and_exclude),
		cmocka_unit_test(default_gateways),
		cmocka_unit_test(no_more_than_65536),
		cmocka_unit_test(macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
