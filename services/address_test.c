/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include "services/address.h"

static void good(void **state)
{
	static const struct {
		const char *text, *again;
		uint8_t proto;
	} rows[] = {
		{"10.96.0.100:5201", "10.96.0.100:5201", 0},
		{"10.96.0.100:53/udp", "10.96.0.100:53", IPPROTO_UDP},
		{"10.96.0.100:1/tcp", "10.96.0.100:1", IPPROTO_TCP},
		{"[fd00::A]:65535", "[fd00::a]:65535", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(sb_done) struct sb out = SB_INIT;
		struct table_endpoint a = {0};
		struct err e = {0};
		uint8_t proto = 99;

		assert_int_equal(address_read(rows[i].text, &a, &proto, &e), 0);
		address_print(&a, &out);
		assert_string_equal(sb_get(&out), rows[i].again);
		assert_int_equal(proto, rows[i].proto);
	}
}

static void bad(void **state)
{
	static const char *const rows[] = {"",
					   "10.96.0.100",
					   "10.96.0.100:",
					   "10.96.0.100:0",
					   "10.96.0.100:65536",
					   "10.96.0.100:1/sctp",
					   "fd00::1:53",
					   "[10.96.0.1]:53",
					   "[::ffff:1.2.3.4]:5",
					   "[fd00::1]",
					   "[fd00::1]53",
					   "10.96.0.100:5 ",
					   "web:80",
					   "[]:80"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct table_endpoint a = {0};
		struct err e = {0};
		uint8_t proto = 0;

		if (address_read(rows[i], &a, &proto, &e) == 0)
			fail_msg("%s was taken", rows[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_int_equal(a.port, 0);
	}
}

static void lists(void **state)
{
	AUTO(free) struct table_endpoint *v = NULL;
	struct err e = {0};
	size_t n = 9;

	(void)state;
	assert_int_equal(address_read_list("10.0.0.1:1,10.0.0.2:2,", AF_INET, &v, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[1].port, 2);
	assert_int_equal(address_read_list("10.0.0.1:1,[fd00::1]:2", AF_INET, &v, &n, &e), -1);
	assert_string_equal(e.msg, "[fd00::1]:2 is not of the Service's family");
	free(STEAL(v));
	assert_int_equal(address_read_list("", AF_INET, &v, &n, &e), 0);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
