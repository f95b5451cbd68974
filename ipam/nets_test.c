/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/nets.h"

#include <stdlib.h>

#include "ipam/set.h"
#include "lib/base/test.h"
#include "lib/base/mem.h"

static const struct {
	const char *text;
	const char *joined; /* or what the error says */
} rows[] = {
	{"", ""},
	{"10.42.0.0/24", "10.42.0.0/24"},
	{"10.42.0.9/24", "10.42.0.0/24"},
	{" 10.42.1.0/24 , 10.42.0.0/24", "10.42.0.0/23"},
	{"10.42.1.0/24,10.42.2.0/24", "10.42.1.0/24,10.42.2.0/24"},
	{"10.42.3.0/24,10.42.2.0/24,10.42.0.0/24,10.42.1.0/24", "10.42.0.0/22"},
	{"10.42.0.0/24,10.42.0.0/16,10.42.7.0/24", "10.42.0.0/16"},
	{"10.42.0.0/24,10.42.0.0/24", "10.42.0.0/24"},
	{"fd00:42:0:1::/64,10.43.0.0/16,fd00:42::/64", "10.43.0.0/16,fd00:42::/63"},
	{"0.0.0.0/1,128.0.0.0/1", "0.0.0.0/0"},
	{"255.255.255.254/32,255.255.255.255/32", "255.255.255.254/31"},
	{"10.42.0.0/24,", "nothing stands behind the last comma"},
	{",10.42.0.0/24", "\"\" is not a CIDR"},
	{"10.42.0.0", "\"10.42.0.0\" is not a CIDR"},
	{"10.42.0.0/33", "\"10.42.0.0/33\" is not a CIDR"},
	{"10.42.0.0/16 10.43.0.0/16", "\"10.42.0.0/16 10.43.0.0/16\" is not a CIDR"},
};

static void a_list_is_read_and_joined(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;
		AUTO(free) char *text = NULL;
		struct err e = {0};

		if (ipam_nets_parse(&l, rows[i].text, &e) < 0) {
			assert_string_equal(e.msg, rows[i].joined);
			continue;
		}
		ipam_nets_join(&l);
		text = ipam_nets_text(&l);
		assert_string_equal(text, rows[i].joined);
	}
}

/* Every second block of a /16: nothing can be joined, and 64 are asked for. */
static void too_many_are_made_wider(void **state)
{
	AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;
	AUTO(free) char *text = NULL;

	(void)state;
	for (int i = 0; i < 256; i += 2) {
		struct ip_net net = {{AF_INET, {10, 42, (uint8_t)i, 0}}, 24};

		ipam_nets_add(&l, &net);
	}
	assert_false(ipam_nets_widen(&l, 128));
	assert_int_equal(l.n, 128);
	assert_true(ipam_nets_widen(&l, 64));
	text = ipam_nets_text(&l);
	assert_string_equal(text, "10.42.0.0/16");
}

static void who_is_in_it(void **state)
{
	AUTO(ipam_nets_done) struct ipam_nets l = IPAM_NETS_INIT;
	AUTO(ipam_set_done) struct ipam_set set = IPAM_SET_INIT;
	struct ip_addr in, out, first;
	struct ip_net half, whole;
	struct err e = {0};

	(void)state;
	assert_int_equal(ipam_nets_parse(&l, "10.43.0.0/16,fd00::/64", &e), 0);
	assert_int_equal(ip_parse("10.43.255.255", &in), 0);
	assert_int_equal(ip_parse("10.44.0.0", &out), 0);
	assert_true(ipam_nets_has(&l, &in));
	assert_false(ipam_nets_has(&l, &out));
	assert_int_equal(ip_net_parse("10.43.128.0/17", &half), 0);
	assert_int_equal(ip_net_parse("10.42.0.0/15", &whole), 0);
	assert_true(ipam_nets_covers(&l, &half));
	assert_false(ipam_nets_covers(&l, &whole));
	ipam_set_add(&set, &out);
	assert_false(ipam_net_first_common(&l.v[0], &set, &first));
	ipam_set_add(&set, &in);
	assert_true(ipam_net_first_common(&l.v[0], &set, &first));
	assert_true(ip_eq(&first, &in));
	assert_false(ipam_net_first_common(&l.v[1], &set, &first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_and_joined),
		cmocka_unit_test(too_many_are_made_wider),
		cmocka_unit_test(who_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
