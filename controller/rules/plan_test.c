/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "controller/rules/plan_lab_test.h"
#include "ipam/mac.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

static void in_order_until_none_is_left(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a"), want(&any, "b"), want(&any, "c")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	plan(&f, w, 3);
	assert_given(&w[0], "10.0.0.5");
	assert_given(&w[1], "10.0.0.6");
	assert_int_equal(w[2].result, DECIDE_EXHAUSTED);
	assert_int_equal(f.next.commit, 9);
	assert_int_equal(f.next.term, 5);
	assert_int_equal(f.next.n_inflight, 2);
	assert_string_equal(f.next.inflight[1].record_uid, "b");
	assert_int_equal(f.base.n_inflight, 0);
	finish(&f);
}

static void not_what_another_record_has(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a")};
	struct ip_addr five = ip("10.0.0.5");

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	f.others.addr = "10.0.0.5";
	plan(&f, w, 1);
	assert_given(&w[0], "10.0.0.6");
	assert_false(ipam_set_has(&f.next.pool.used, &five));
	finish(&f);
}

static void released_not_in_the_same_write(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "b")};
	struct ip_addr five = ip("10.0.0.5");

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.5");
	ipam_pool_use(&f.base.pool, &five);
	plan_list_add(&f.releases, &five, "a");
	plan_list_add(&f.releases, &five, "a");
	assert_int_equal(f.releases.n, 1);
	plan(&f, w, 1);
	assert_int_equal(w[0].result, DECIDE_EXHAUSTED);
	assert_false(ipam_set_has(&f.next.pool.used, &five));
	finish(&f);
}

static void released_is_cooling(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5");

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.5");
	f.in.delay_s = 60;
	ipam_pool_use(&f.base.pool, &five);
	plan_list_add(&f.releases, &five, "a");
	plan(&f, NULL, 0);
	assert_int_equal(f.next.pool.n_cooling, 1);
	assert_int_equal(f.next.pool.cooling[0].until, 1060);
	finish(&f);
}

static void a_late_release_hurts_no_other_holder(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5");
	char uid[] = "b", pod[] = "p", ns[] = "n", name[] = "m";
	struct ipam_inflight entry = {five, {0}, uid, pod, ns, name};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.5");
	ipam_pool_use(&f.base.pool, &five);
	plan_list_add(&f.releases, &five, "a");
	ipam_allocation_inflight_add(&f.base, &entry);
	plan(&f, NULL, 0);
	assert_true(ipam_set_has(&f.next.pool.used, &five));
	assert_int_equal(f.next.n_inflight, 1);

	/* The same once it stands in b's record. */
	assert_true(ipam_allocation_inflight_drop(&f.base, "b", &five));
	f.others.addr = "10.0.0.5";
	plan(&f, NULL, 0);
	assert_true(ipam_set_has(&f.next.pool.used, &five));
	finish(&f);
}

static void release_takes_back_what_is_in_flight(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5");
	char uid[] = "a", pod[] = "p", ns[] = "n", name[] = "m";
	struct ipam_inflight entry = {five, {0}, uid, pod, ns, name};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.5");
	ipam_pool_use(&f.base.pool, &five);
	ipam_allocation_inflight_add(&f.base, &entry);
	plan_list_add(&f.releases, &five, "a");
	plan(&f, NULL, 0);
	assert_false(ipam_set_has(&f.next.pool.used, &five));
	assert_int_equal(f.next.n_inflight, 0);
	finish(&f);
}

static void adopt_and_drop(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5"), far = ip("10.9.0.5");
	char uid[] = "a", pod[] = "p", ns[] = "n", name[] = "m";
	struct ipam_inflight entry = {five, {0}, uid, pod, ns, name};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.5");
	ipam_pool_use(&f.base.pool, &five);
	ipam_allocation_inflight_add(&f.base, &entry);
	plan_list_add(&f.drops, &five, "a");
	plan_list_add(&f.adopts, &far, "z");
	plan(&f, NULL, 0);
	assert_int_equal(f.next.n_inflight, 0);
	assert_true(ipam_set_has(&f.next.pool.used, &five));
	assert_true(ipam_set_has(&f.next.pool.used, &far));
	finish(&f);
}

static void lists_of_addresses(void **state)
{
	struct fixture f;
	struct ip_addr list[] = {ip("10.0.0.1"), ip("10.0.0.7"), ip("10.0.0.6")};
	struct mac_addr macs[] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 7}}, {{2, 0, 0, 0, 0, 6}}};
	struct api_request r = {.wanted = true, .ips = list, .n_ips = 3, .macs = macs, .n_macs = 3};
	struct api_request outside = {.wanted = true, .ips = list, .n_ips = 1};
	struct plan_want w[] = {want(&r, "a"), want(&r, "b"), want(&r, "c"), want(&outside, "d")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	plan(&f, w, 4);
	assert_given(&w[0], "10.0.0.7");
	assert_int_equal(w[0].mac.b[5], 7);
	assert_given(&w[1], "10.0.0.6");
	assert_int_equal(w[1].mac.b[5], 6);
	assert_int_equal(w[2].result, DECIDE_ADDRESS_IN_USE);
	assert_int_equal(w[3].result, DECIDE_OUTSIDE);
	finish(&f);
}

static void macs_in_use(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5");
	struct mac_addr fixed = {{2, 0, 0, 0, 0, 1}};
	struct mac_addr zero = ipam_mac_compute("kube-system", "v", &five, 0);
	struct mac_addr one = ipam_mac_compute("kube-system", "v", &five, 1);
	struct api_request r = {.wanted = true, .macs = &fixed, .n_macs = 1};
	struct plan_want w[] = {want(&r, "a"), want(&r, "b")};
	struct plan_want computed[] = {want(&any, "c")};
	char text[MAC_ADDR_LEN];

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	plan(&f, w, 2);
	assert_given(&w[0], "10.0.0.5");
	assert_int_equal(w[1].result, DECIDE_MAC_IN_USE);
	assert_int_equal(ipam_set_count(&f.next.pool.used), 1);
	f.others.mac = mac_format(&zero, text);
	plan(&f, computed, 1);
	assert_given(&computed[0], "10.0.0.5");
	assert_true(mac_eq(&computed[0].mac, &one));
	finish(&f);
}

static void a_record_made_anew_keeps_its_address(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "new")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	w[0].keep = ip("10.0.0.8");
	ipam_pool_use(&f.base.pool, &w[0].keep);
	plan(&f, w, 1);
	assert_given(&w[0], "10.0.0.8");
	assert_int_equal(f.next.n_inflight, 1);
	finish(&f);

	begin_dual(&f, "10.0.0.9", "fd00::9");
	w[0].keep6 = ip("fd00::8");
	plan(&f, w, 1);
	assert_given_both(&w[0], "10.0.0.8", "fd00::8");
	/* Its card has but one of the two: a running pod is not given another. */
	w[0].keep6 = (struct ip_addr){0};
	plan(&f, w, 1);
	assert_given_both(&w[0], "10.0.0.8", "");
	finish(&f);
}

static void assert_not_kept(struct fixture *f, const char *addr, enum decide_reason why)
{
	struct plan_want w[] = {want(&any, "liar")};
	char text[IP_ADDR_LEN];

	w[0].keep = ip(addr);
	plan(f, w, 1);
	assert_int_equal(w[0].result, why);
	assert_string_equal(ip_format(&w[0].addr, text), addr);
	assert_null(ipam_allocation_inflight_find(&f->next, "liar"));
	assert_true(ipam_set_eq(&f->next.pool.used, &f->base.pool.used));
}

static void what_is_kept_must_be_its_own(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5"), six = ip("10.0.0.6"), seven = ip("10.0.0.7");
	struct ip_addr nine = ip("10.0.0.9");
	struct plan_want w[] = {want(&any, "a"), want(&any, "b")};
	char uid[] = "c", pod[] = "p", ns[] = "n", name[] = "m";
	struct ipam_inflight entry = {five, {0}, uid, pod, ns, name};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	/* In flight for c; cooling; in quarantine; in another's record. */
	ipam_pool_use(&f.base.pool, &five);
	ipam_allocation_inflight_add(&f.base, &entry);
	ipam_pool_cool(&f.base.pool, &six, 1060);
	ipam_pool_quarantine(&f.base.pool, &seven, 1060);
	ipam_pool_use(&f.base.pool, &nine);
	f.others.addr = "10.0.0.9";
	assert_not_kept(&f, "10.0.0.5", DECIDE_ADDRESS_IN_USE);
	assert_not_kept(&f, "10.0.0.6", DECIDE_ADDRESS_IN_USE);
	assert_not_kept(&f, "10.0.0.7", DECIDE_ADDRESS_IN_USE);
	assert_not_kept(&f, "10.0.0.9", DECIDE_ADDRESS_IN_USE);
	/* The gateway's, a node's, one that is excluded: not in the range. */
	assert_not_kept(&f, "10.0.0.1", DECIDE_OUTSIDE);
	assert_not_kept(&f, "192.168.0.1", DECIDE_OUTSIDE);
	assert_not_kept(&f, "fd00::5", DECIDE_OUTSIDE);
	/* Two that say the same in one write. */
	w[0].keep = w[1].keep = ip("10.0.0.8");
	plan(&f, w, 2);
	assert_given(&w[0], "10.0.0.8");
	assert_int_equal(w[1].result, DECIDE_ADDRESS_IN_USE);
	assert_int_equal(f.next.n_inflight, 2);
	finish(&f);
}

static void what_was_given_before_an_edit_is_kept(void **state)
{
	struct fixture f;
	struct plan_want w[] = {want(&any, "a")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	w[0].keep = ip("10.0.0.20");
	ipam_pool_use(&f.base.pool, &w[0].keep);
	plan(&f, w, 1);
	assert_given(&w[0], "10.0.0.20");
	finish(&f);
}

static void flight_is_bounded(void **state)
{
	struct fixture f;
	struct plan_want *w = xcalloc(IPAM_INFLIGHT_MAX + 2, sizeof(*w));

	(void)state;
	begin(&f, "10.0.0.0", "10.0.9.0");
	for (size_t i = 0; i < IPAM_INFLIGHT_MAX + 2; i++)
		w[i] = want(&any, "a");
	plan(&f, w, IPAM_INFLIGHT_MAX + 2);
	assert_int_equal(f.next.n_inflight, IPAM_INFLIGHT_MAX);
	assert_int_equal(w[IPAM_INFLIGHT_MAX].result, DECIDE_NOTHING);
	finish(&f);
	free(w);
}

static void map_of_strings(void **state)
{
	AUTO(map_done) struct map m = {0};
	static char keys[3000][8];
	size_t n = 0, pos = 0;

	(void)state;
	assert_null(map_get(&m, "a"));
	assert_null(map_remove(&m, "a"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		map_put(&m, keys[i], keys[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i += 3)
		assert_ptr_equal(map_remove(&m, keys[i]), keys[i]);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_ptr_equal(map_get(&m, keys[i]), i % 3 ? keys[i] : NULL);
	while (map_each(&m, &pos))
		n++;
	assert_int_equal(n, 2000);
	assert_int_equal(m.count, 2000);
}

static void a_named_address_is_not_for_automatic_pods(void **state)
{
	AUTO(ipam_set_done) struct ipam_set named = IPAM_SET_INIT;
	struct ip_addr a = ip("10.0.0.5");
	struct fixture f;
	struct plan_want w[] = {want(&any, "a"), want(&any, "b")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	ipam_set_add(&named, &a);
	f.in.named = &named;
	plan(&f, w, 2);
	assert_given(&w[0], "10.0.0.6");
	assert_int_equal(w[1].result, DECIDE_EXHAUSTED);
	finish(&f);
}

static void a_named_address_is_for_its_own_pods_alone(void **state)
{
	struct ip_addr five = ip("10.0.0.5");
	struct api_request fixed = {.wanted = true, .ips = &five, .n_ips = 1};
	struct fixture f;
	struct plan_want w[] = {want(&fixed, "a"), want(&fixed, "b"), want(&fixed, "c")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	f.others.kept = "10.0.0.5";
	f.others.kept_for = "Deployment d/web";
	w[1].owner = "Deployment d/other";
	w[2].owner = "Deployment d/web";
	/* Its own also get it while it cools down, which nobody else does. */
	ipam_pool_use(&f.base.pool, &five);
	ipam_pool_release(&f.base.pool, &five, 990, 60);
	plan(&f, w, 3);
	assert_int_equal(w[0].result, DECIDE_RESERVED);
	assert_int_equal(w[1].result, DECIDE_RESERVED);
	assert_true(ip_eq(&w[1].addr, &five));
	assert_given(&w[2], "10.0.0.5");
	assert_false(ipam_set_has(&f.next.pool.cooling_all, &five));

	f.others.kept = NULL;
	plan(&f, w, 1);
	assert_int_equal(w[0].result, DECIDE_ADDRESS_IN_USE);
	finish(&f);
}

static void lists_are_tried_from_the_ordinal_on(void **state)
{
	struct ip_addr list[] = {ip("10.0.0.5"), ip("10.0.0.6"), ip("10.0.0.7")};
	struct api_request fixed = {.wanted = true, .ips = list, .n_ips = 3};
	struct fixture f;
	struct plan_want w[] = {want(&fixed, "a"), want(&fixed, "b"), want(&fixed, "c"),
				want(&fixed, "d")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.7");
	w[0].first = 1;
	w[1].first = 2;
	w[2].first = 5; /* wraps: index 2, taken, then 0 */
	plan(&f, w, 4);
	assert_given(&w[0], "10.0.0.6");
	assert_given(&w[1], "10.0.0.7");
	assert_given(&w[2], "10.0.0.5");
	assert_int_equal(w[3].result, DECIDE_ADDRESS_IN_USE);
	finish(&f);
}

static void whose_card_nobody_saw_go(void **state)
{
	struct ip_addr five = ip("10.0.0.5"), six = ip("10.0.0.6");
	struct fixture f;

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	ipam_pool_use(&f.base.pool, &five);
	ipam_pool_use(&f.base.pool, &six);
	plan_list_add(&f.releases, &five, "a")->unproven = true;
	plan_list_add(&f.releases, &six, "b");
	plan(&f, NULL, 0);
	assert_true(ipam_set_has(&f.next.pool.unproven, &five));
	assert_false(ipam_set_has(&f.next.pool.unproven, &six));

	/* Until it has been given back by a card that was seen to go. */
	ipam_set_add(&f.base.pool.unproven, &five);
	plan_list_done(&f.releases);
	plan_list_add(&f.releases, &five, "c");
	plan(&f, NULL, 0);
	assert_false(ipam_set_has(&f.next.pool.unproven, &five));
	finish(&f);
}

/* The first of four wants holds what it asks for; the last is of another namespace. */
static void a_namespace_gets_no_more_than_its_share(void **state)
{
	static const struct {
		uint32_t max;
		size_t has;
		bool holds;
		enum decide_reason result[4];
		size_t told; /* to the last that was refused */
	} t[] = {
#define GOT  DECIDE_ALLOCATED
#define STOP DECIDE_NAMESPACE_LIMIT
		{0, 1000, false, {GOT, GOT, GOT, GOT}, 0},
		{3, 0, false, {GOT, GOT, GOT, GOT}, 0},
		{2, 0, false, {GOT, GOT, STOP, GOT}, 2},
		{2, 1, false, {GOT, STOP, STOP, GOT}, 2},
		{2, 2, false, {STOP, STOP, STOP, GOT}, 2},
		/* The limit was lowered: what is given stays. */
		{2, 5, false, {STOP, STOP, STOP, GOT}, 5},
		{2, 1, true, {GOT, GOT, STOP, GOT}, 2},
		{1, 1, true, {GOT, STOP, STOP, GOT}, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct plan_want w[] = {want(&any, "a"), want(&any, "b"), want(&any, "c"),
					want(&any, "d")};
		struct fixture f;

		begin(&f, "10.0.0.5", "10.0.0.9");
		f.in.max_per_ns = t[i].max;
		f.others.ns_has = t[i].has;
		if (t[i].holds)
			w[0].keep = ip("10.0.0.9");
		w[3].ns = "other";
		plan(&f, w, ARRAY_SIZE(w));
		print_message("at most %u, has %zu\n", t[i].max, t[i].has);
		for (size_t k = 0; k < ARRAY_SIZE(w); k++)
			assert_int_equal(w[k].result, t[i].result[k]);
		assert_int_equal(w[2].ns_has, t[i].told);
		finish(&f);
	}
}

/* Whoever gets nothing for another reason takes nothing of the share. */
static void a_share_is_of_what_is_given(void **state)
{
	struct ip_addr out = ip("10.9.9.9");
	struct api_request fixed = {.wanted = true, .ips = &out, .n_ips = 1};
	struct plan_want w[] = {want(&fixed, "a"), want(&any, "b"), want(&any, "c")};
	struct fixture f;

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.9");
	f.in.max_per_ns = 1;
	plan(&f, w, ARRAY_SIZE(w));
	assert_int_equal(w[0].result, DECIDE_OUTSIDE);
	assert_given(&w[1], "10.0.0.5");
	assert_int_equal(w[2].result, DECIDE_NAMESPACE_LIMIT);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_until_none_is_left),
		cmocka_unit_test(not_what_another_record_has),
		cmocka_unit_test(released_not_in_the_same_write),
		cmocka_unit_test(released_is_cooling),
		cmocka_unit_test(a_late_release_hurts_no_other_holder),
		cmocka_unit_test(release_takes_back_what_is_in_flight),
		cmocka_unit_test(adopt_and_drop),
		cmocka_unit_test(lists_of_addresses),
		cmocka_unit_test(macs_in_use),
		cmocka_unit_test(a_record_made_anew_keeps_its_address),
		cmocka_unit_test(what_is_kept_must_be_its_own),
		cmocka_unit_test(what_was_given_before_an_edit_is_kept),
		cmocka_unit_test(flight_is_bounded),
		cmocka_unit_test(map_of_strings),
		cmocka_unit_test(a_named_address_is_not_for_automatic_pods),
		cmocka_unit_test(a_named_address_is_for_its_own_pods_alone),
		cmocka_unit_test(lists_are_tried_from_the_ordinal_on),
		cmocka_unit_test(whose_card_nobody_saw_go),
		cmocka_unit_test(a_namespace_gets_no_more_than_its_share),
		cmocka_unit_test(a_share_is_of_what_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
