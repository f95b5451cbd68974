/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/holders.h"

#include "lib/base/test.h"

#include "api/network.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

/* What holds, in tests: a record by its UID, in a network. */
struct record {
	struct holder holder;
	const char *uid;
	struct holder_wire wire;
};

static bool bears(const struct holder *h, const char *uid)
{
	return str_eq(CONTAINER_OF(h, struct record, holder)->uid, uid);
}

static struct holder_wire wire(const struct holder *h)
{
	return CONTAINER_OF(h, struct record, holder)->wire;
}

static const struct holder_ops ops = {.bears = bears, .wire = wire};

static const struct api_network ens4 = {.master = "ens4"};
static const struct api_network ens5 = {.master = "ens5"};
static const struct api_network ens5_7 = {.master = "ens5", .vlan = 7};
static const struct api_network ens4_7 = {.master = "ens4", .vlan = 7};
static const struct api_network ens4_8 = {.master = "ens4", .vlan = 8};
static const struct api_network by_driver = {.master = "igb", .master_by = API_MASTER_BY_DRIVER};

static const struct holder_wire here = {"net", &ens4};

static struct record record(const char *uid)
{
	return (struct record){.holder = {.ops = &ops}, .uid = uid, .wire = here};
}

static struct ip_addr ip(const char *text)
{
	struct ip_addr a = {0};

	if (*text)
		assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static struct mac_addr mac(const char *text)
{
	struct mac_addr m = {0};

	assert_int_equal(mac_parse(text, &m), 0);
	return m;
}

static void hold(struct holders *all, struct record *r, const char *v4, const char *v6,
		 const char *m)
{
	struct ip_addr a = ip(v4), a6 = ip(v6);
	struct mac_addr hw = mac(m);

	holder_set(all, &r->holder, &a, &a6, &hw);
}

static bool addr_taken(const struct holders *all, const char *addr, const char *uid)
{
	struct ip_addr a = ip(addr);

	return holders_addr_taken(all, &here, &a, uid);
}

static bool mac_taken(const struct holders *all, const char *text, const char *uid)
{
	struct mac_addr m = mac(text);

	return holders_mac_taken(all, &m, uid);
}

#define M1 "0a:00:00:00:00:01"
#define M2 "0a:00:00:00:00:02"

static void what_is_held_is_taken_for_others(void **state)
{
	struct holders *all = holders_new();
	struct record a = record("a");

	(void)state;
	assert_false(addr_taken(all, "10.1.0.5", "b"));
	hold(all, &a, "10.1.0.5", "fd00::5", M1);
	assert_true(addr_taken(all, "10.1.0.5", "b"));
	assert_true(addr_taken(all, "fd00::5", "b"));
	assert_true(mac_taken(all, M1, "b"));
	assert_false(addr_taken(all, "10.1.0.5", "a"));
	assert_false(addr_taken(all, "fd00::5", "a"));
	assert_false(mac_taken(all, M1, "a"));
	assert_false(addr_taken(all, "10.1.0.6", "b"));
	/* It asks the holder at that moment, so that a record made again needs no word. */
	a.uid = "b";
	assert_false(addr_taken(all, "10.1.0.5", "b"));
	assert_true(addr_taken(all, "10.1.0.5", "a"));
	hold(all, &a, "", "", M1);
	holders_free(all);
}

static void nothing_stays_of_what_was_held_before(void **state)
{
	struct holders *all = holders_new();
	struct record a = record("a");

	(void)state;
	hold(all, &a, "10.1.0.5", "fd00::5", M1);
	hold(all, &a, "10.1.0.5", "", M2);
	assert_true(addr_taken(all, "10.1.0.5", "b"));
	assert_false(addr_taken(all, "fd00::5", "b"));
	assert_false(mac_taken(all, M1, "b"));
	assert_true(mac_taken(all, M2, "b"));
	hold(all, &a, "", "", M2);
	assert_false(addr_taken(all, "10.1.0.5", "b"));
	assert_false(mac_taken(all, M2, "b"));
	holders_free(all);
}

static void two_may_hold_one_address(void **state)
{
	struct holders *all = holders_new();
	struct record a = record("a"), b = record("b");

	(void)state;
	hold(all, &a, "10.1.0.5", "", M1);
	hold(all, &b, "10.1.0.5", "", M1);
	assert_true(addr_taken(all, "10.1.0.5", "a"));
	assert_true(addr_taken(all, "10.1.0.5", "b"));
	hold(all, &a, "", "", M1);
	assert_true(addr_taken(all, "10.1.0.5", "a"));
	assert_false(addr_taken(all, "10.1.0.5", "b"));
	assert_false(mac_taken(all, M1, "b"));
	hold(all, &b, "", "", M1);
	assert_false(addr_taken(all, "10.1.0.5", "a"));
	holders_free(all);
}

static void another_network_is_no_conflict(void **state)
{
	static const struct {
		struct holder_wire held, asked;
		bool taken;
	} rows[] = {
		{{"net", &ens4}, {"net", &ens4}, true},
		{{"net", &ens4}, {"net", &ens5_7}, true}, /* the subnet was edited since */
		{{"net", &ens4_7}, {"other", &ens4_7}, true},
		{{"net", &ens4_7}, {"other", &ens4_8}, false},
		{{"net", &ens4}, {"other", &ens5}, false},
		{{"net", &ens4}, {"other", &by_driver}, true}, /* it may be ens4 */
		{{NULL, NULL}, {"net", &ens4}, true},
		{{"net", &ens4}, {"other", NULL}, true},
	};
	struct ip_addr addr = ip("10.1.0.5");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct holders *all = holders_new();
		struct record a = record("a");

		a.wire = rows[i].held;
		hold(all, &a, "10.1.0.5", "", M1);
		if (holders_addr_taken(all, &rows[i].asked, &addr, "b") != rows[i].taken)
			fail_msg("row %zu", i);
		/* A MAC is one for all. */
		assert_true(mac_taken(all, M1, "b"));
		hold(all, &a, "", "", M1);
		holders_free(all);
	}
}

/* By subnet and namespace; whoever moves leaves nothing behind. */
static void what_a_namespace_has(void **state)
{
	struct holders *all = holders_new();
	struct record a = record("a"), b = record("b");

	(void)state;
	assert_int_equal(holders_count(all, "net", "d"), 0);
	holder_count(all, &a.holder, "net", "d");
	holder_count(all, &a.holder, "net", "d");
	assert_int_equal(holders_count(all, "net", "d"), 1);
	holder_count(all, &b.holder, "net", "d");
	assert_int_equal(holders_count(all, "net", "d"), 2);
	assert_int_equal(holders_count(all, "net", "e"), 0);
	assert_int_equal(holders_count(all, "other", "d"), 0);
	holder_count(all, &b.holder, "other", "d");
	assert_int_equal(holders_count(all, "net", "d"), 1);
	assert_int_equal(holders_count(all, "other", "d"), 1);
	holder_count(all, &a.holder, NULL, "d");
	holder_count(all, &a.holder, NULL, "d");
	holder_count(all, &b.holder, NULL, "d");
	assert_int_equal(holders_count(all, "net", "d"), 0);
	assert_int_equal(holders_count(all, "other", "d"), 0);
	holders_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_is_taken_for_others),
		cmocka_unit_test(nothing_stays_of_what_was_held_before),
		cmocka_unit_test(two_may_hold_one_address),
		cmocka_unit_test(another_network_is_no_conflict),
		cmocka_unit_test(what_a_namespace_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
