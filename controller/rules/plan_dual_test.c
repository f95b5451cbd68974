/* SPDX-License-Identifier: Apache-2.0 */
/* Dual stack: an address of each family, or none. */
#include <string.h>

#include "controller/rules/plan_lab_test.h"
#include "lib/base/mem.h"
#include "lib/json/jread.h"

static void dual_stack_gives_both_or_none(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a"), want(&any, "b"), want(&any, "c")};
	struct plan_want again[] = {want(&any, "c")};
	struct ip_addr five = ip("10.0.0.5"), five6 = ip("fd00::5");
	char text[IP_ADDR_LEN];

	(void)state;
	begin_dual(&f, "10.0.0.9", "fd00::6");
	plan(&f, w, 3);
	assert_given_both(&w[0], "10.0.0.5", "fd00::5");
	assert_given_both(&w[1], "10.0.0.6", "fd00::6");
	assert_int_equal(w[2].result, DECIDE_EXHAUSTED);
	assert_int_equal(w[2].family, AF_INET6);
	assert_false(ip_is_set(&w[2].addr6));
	assert_int_equal(ipam_set_count(&f.next.pool.used), 4);
	assert_int_equal(f.next.n_inflight, 2);
	assert_true(ip_eq(&f.next.inflight[0].addr6, &five6));
	/* The IPv4 address that c did not get is the next one's all the same. */
	assert_string_equal(ip_format(&f.next.pool.cursor, text), "10.0.0.7");

	/* Both are released in one write, and then given together again. */
	ipam_allocation_done(&f.base);
	f.base = f.next;
	f.next = (struct ipam_allocation){0};
	plan_list_add(&f.releases, &five, "a");
	plan_list_add(&f.releases, &five6, "a");
	plan(&f, again, 1);
	assert_int_equal(again[0].result, DECIDE_EXHAUSTED);
	assert_int_equal(f.next.n_inflight, 1);
	assert_int_equal(ipam_set_count(&f.next.pool.used), 2);
	ipam_allocation_done(&f.base);
	f.base = f.next;
	f.next = (struct ipam_allocation){0};
	plan_list_done(&f.releases);
	plan(&f, again, 1);
	assert_given_both(&again[0], "10.0.0.7", "fd00::5");
	finish(&f);
}

static void dual_stack_names_the_family_that_lacks(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a"), want(&any, "b")};

	(void)state;
	begin_dual(&f, "10.0.0.5", "fd00::9");
	plan(&f, w, 2);
	assert_given_both(&w[0], "10.0.0.5", "fd00::5");
	assert_int_equal(w[1].result, DECIDE_EXHAUSTED);
	assert_int_equal(w[1].family, AF_INET);
	finish(&f);
}

static void dual_stack_lists(void **state)
{
	struct fixture f;
	struct ip_addr pairs[] = {ip("10.0.0.6"), ip("10.0.0.7"), ip("fd00::7"), ip("fd00::6")};
	struct ip_addr v6[] = {ip("fd00::9")};
	struct mac_addr macs[] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};
	struct mac_addr mac6 = {{2, 0, 0, 0, 0, 9}};
	struct api_request paired = {
		.wanted = true, .ips = pairs, .n_ips = 4, .macs = macs, .n_macs = 2};
	struct api_request v4_only = {.wanted = true, .ips = pairs, .n_ips = 2};
	struct api_request v6_only = {
		.wanted = true, .ips = v6, .n_ips = 1, .macs = &mac6, .n_macs = 1};
	struct ip_addr seven = ip("fd00::7");
	struct plan_want w[] = {want(&paired, "a"), want(&paired, "b"), want(&v6_only, "c"),
				want(&v4_only, "d")};

	(void)state;
	begin_dual(&f, "10.0.0.9", "fd00::9");
	/* fd00::7 is another's, so the first pair cannot be had. */
	ipam_pool_use(&f.base.pool, &seven);
	plan(&f, w, 4);
	assert_given_both(&w[0], "10.0.0.7", "fd00::6");
	assert_int_equal(w[0].mac.b[5], 2);
	assert_int_equal(w[1].result, DECIDE_ADDRESS_IN_USE);
	/* A list of one family leaves the other automatic. */
	assert_given_both(&w[2], "10.0.0.5", "fd00::9");
	assert_int_equal(w[2].mac.b[5], 9);
	assert_given_both(&w[3], "10.0.0.6", "fd00::5");
	finish(&f);
}

static void a_family_that_the_subnet_does_not_have(void **state)
{
	struct fixture f;
	struct ip_addr list[] = {ip("10.0.0.6"), ip("fd00::6")};
	struct api_request both = {.wanted = true, .ips = list, .n_ips = 2};
	struct api_request v6 = {.wanted = true, .ips = list + 1, .n_ips = 1};
	struct api_request v4 = {.wanted = true, .ips = list, .n_ips = 1};
	struct plan_want w[] = {want(&both, "a"), want(&v6, "b"), want(&v4, "c")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	f.in.family = AF_INET;
	plan(&f, w, 3);
	assert_int_equal(w[0].result, DECIDE_OUTSIDE);
	assert_int_equal(w[0].family, AF_INET6);
	assert_int_equal(w[1].result, DECIDE_OUTSIDE);
	assert_int_equal(w[1].family, AF_INET6);
	assert_given(&w[2], "10.0.0.6");
	finish(&f);
	begin(&f, "fd00::5", "fd00::9");
	f.in.family = AF_INET6;
	plan(&f, w, 3);
	assert_int_equal(w[0].family, AF_INET);
	assert_given(&w[1], "fd00::6");
	assert_int_equal(w[2].result, DECIDE_OUTSIDE);
	assert_int_equal(w[2].family, AF_INET);
	finish(&f);
}

static void a_mac_in_use_costs_no_address(void **state)
{
	struct fixture f;
	struct mac_addr fixed = {{2, 0, 0, 0, 0, 1}};
	struct api_request r = {.wanted = true, .macs = &fixed, .n_macs = 1};
	struct plan_want w[] = {want(&r, "a"), want(&any, "b")};
	char text[MAC_ADDR_LEN];

	(void)state;
	begin_dual(&f, "10.0.0.9", "fd00::9");
	f.others.mac = mac_format(&fixed, text);
	plan(&f, w, 2);
	assert_int_equal(w[0].result, DECIDE_MAC_IN_USE);
	assert_given_both(&w[1], "10.0.0.5", "fd00::5");
	assert_int_equal(ipam_set_count(&f.next.pool.used), 2);
	finish(&f);
}

/* Longest-free-first is not forgotten when another process goes on from the record. */
static void order_survives_a_restart(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a"), want(&any, "b")}, next[] = {want(&any, "c")};
	struct ip_addr five = ip("10.0.0.5");
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char *text = NULL;

	(void)state;
	begin_dual(&f, "10.0.0.9", "fd00::9");
	plan(&f, w, 2);
	ipam_pool_release(&f.next.pool, &five, 0, 0);
	assert_int_equal(ipam_allocation_encode(&f.next, &text, &e), 0);
	assert_int_equal(jdoc_parse("record", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	ipam_allocation_done(&f.base);
	assert_int_equal(ipam_allocation_decode(&root, &f.base, &e), 0);
	plan(&f, next, 1);
	assert_given_both(&next[0], "10.0.0.7", "fd00::7");
	jdoc_free(doc);
	free(text);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dual_stack_gives_both_or_none),
		cmocka_unit_test(dual_stack_names_the_family_that_lacks),
		cmocka_unit_test(dual_stack_lists),
		cmocka_unit_test(a_family_that_the_subnet_does_not_have),
		cmocka_unit_test(a_mac_in_use_costs_no_address),
		cmocka_unit_test(order_survives_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
