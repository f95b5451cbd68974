/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/ip.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

static struct ip_addr addr(const char *s)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(s, &a), 0);
	return a;
}

static struct ip_net net(const char *s)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(s, &n), 0);
	return n;
}

static void addresses_are_strict(void **state)
{
	static const char *const bad[] = {"",          "1.2.3",    "1.2.3.4.5", "01.2.3.4",
					  "1.2.3.256", " 1.2.3.4", "1.2.3.4 ",  "1.2.3.4/8",
					  "::1%lo",    ":::",      "1:2:3:4:5", "0x1.2.3.4",
					  NULL};
	struct ip_addr a;
	char buf[IP_ADDR_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ip_parse(bad[i], &a), -1);
	a = addr("FD00:0:0::1");
	assert_string_equal(ip_format(&a, buf), "fd00::1");
}

static void networks_need_a_prefix(void **state)
{
	static const char *const bad[] = {"10.0.0.0",    "10.0.0.0/",    "10.0.0.0/33",
					  "10.0.0.0/08", "10.0.0.0/-1",  "/24",
					  "fd00::/129",  "fd00::/64/64", NULL};
	struct ip_net n = net("192.168.100.50/24");
	struct ip_addr base = ip_net_base(&n), last = ip_net_last(&n);
	char buf[IP_NET_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ip_net_parse(bad[i], &n), -1);
	assert_string_equal(ip_net_format(&n, buf), "192.168.100.50/24");
	assert_string_equal(ip_format(&base, buf), "192.168.100.0");
	assert_string_equal(ip_format(&last, buf), "192.168.100.255");
	n = net("10.1.2.3/0");
	base = ip_net_base(&n);
	assert_string_equal(ip_format(&base, buf), "0.0.0.0");
}

static void membership_and_overlap(void **state)
{
	struct ip_net n = net("192.168.100.0/22"), inner = net("192.168.103.7/32");
	struct ip_net other = net("192.168.104.0/22"), six = net("fd00::/64");
	struct ip_addr in = addr("192.168.103.255"), out = addr("192.168.104.0"),
		       v6 = addr("fd00::9");

	(void)state;
	assert_true(ip_net_has(&n, &in));
	assert_false(ip_net_has(&n, &out));
	assert_true(ip_net_has(&six, &v6));
	assert_false(ip_net_has(&six, &in));
	assert_true(ip_net_overlaps(&n, &inner));
	assert_true(ip_net_overlaps(&inner, &n));
	assert_false(ip_net_overlaps(&n, &other));
	assert_false(ip_net_overlaps(&n, &six));
}

static void arithmetic_carries_and_stops(void **state)
{
	struct ip_addr a = addr("10.0.0.255"), top = addr("255.255.255.255"), out = {0};
	struct ip_addr v6 = addr("fd00::ffff:ffff"), far = addr("fd00:1::");
	char buf[IP_ADDR_LEN];

	(void)state;
	assert_int_equal(ip_add(&a, 1, &out), 0);
	assert_string_equal(ip_format(&out, buf), "10.0.1.0");
	assert_true(ip_distance(&a, &out) == 1);
	assert_int_equal(ip_add(&a, 70000, &out), 0);
	assert_string_equal(ip_format(&out, buf), "10.1.18.111");
	assert_true(ip_distance(&a, &out) == 70000);
	assert_true(ip_distance(&out, &a) == UINT64_MAX);
	assert_int_equal(ip_add(&top, 1, &out), -1);
	assert_int_equal(ip_add(&v6, 1, &out), 0);
	assert_string_equal(ip_format(&out, buf), "fd00::1:0:0");
	assert_true(ip_distance(&v6, &far) == UINT64_MAX);
	assert_true(ip_cmp(&a, &v6) < 0);
	assert_true(ip_cmp(&v6, &a) > 0);
	assert_true(ip_cmp(&a, &top) < 0);
}

static void mac_takes_colons_only(void **state)
{
	static const char *const bad[] = {"",
					  "e6:56:1c:96:94",
					  "e6-56-1c-96-94-09",
					  "e6:56:1c:96:94:0g",
					  "e6:56:1c:96:94:091",
					  NULL};
	struct mac_addr m;
	char buf[MAC_ADDR_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mac_parse(bad[i], &m), -1);
	assert_int_equal(mac_parse("E6:56:1C:96:94:09", &m), 0);
	assert_string_equal(mac_format(&m, buf), "e6:56:1c:96:94:09");
	assert_true(mac_is_usable(&m));
	m.b[0] |= 1;
	assert_false(mac_is_usable(&m));
	memset(&m, 0, sizeof(m));
	assert_false(mac_is_usable(&m));
	assert_false(mac_is_local(&m));
	for (i = 0; i < 256; i++) {
		m.b[0] = (uint8_t)i;
		assert_int_equal(mac_is_local(&m),
				 i % 16 == 2 || i % 16 == 6 || i % 16 == 10 || i % 16 == 14);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_strict),
		cmocka_unit_test(networks_need_a_prefix),
		cmocka_unit_test(membership_and_overlap),
		cmocka_unit_test(arithmetic_carries_and_stops),
		cmocka_unit_test(mac_takes_colons_only),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
