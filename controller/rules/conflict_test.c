/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/conflict.h"

#include <stdio.h>
#include <string.h>

#include "controller/rules/plan_lab_test.h"
#include "lib/base/mem.h"

struct report {
	struct api_ip rec;
	struct ipam_conflict recent[IPAM_CONFLICTS_MAX];
	struct conflict_in in;
	char message[80], pod[8], other[8];
};

static void report(struct report *r)
{
	*r = (struct report){.message = "in use by 0a:00:00:00:00:01", .pod = "p", .other = "q"};
	r->rec = (struct api_ip){.phase = API_IP_CONFLICT,
				 .message = r->message,
				 .pod_id = r->pod,
				 .card_down = (char *)""};
	r->in = (struct conflict_in){.rec = &r->rec, .recent = r->recent, .now_s = 10000};
}

/* n quarantines so many seconds ago, of that pod, told of that MAC's last byte. */
static void recent(struct report *r, size_t n, int64_t ago, char *pod, uint8_t mac)
{
	for (size_t i = 0; i < n; i++)
		r->recent[r->in.n_recent++] = (struct ipam_conflict){
			.at = 10000 - ago,
			.pod_uid = pod,
			.mac = {{0x0a, 0, 0, 0, 0, (uint8_t)(mac ? mac : 100 + i)}},
		};
}

static void only_before_the_card_is_up(void **state)
{
	struct report r;

	(void)state;
	report(&r);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	r.in.in_use = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_TELL);
	report(&r);
	r.in.off = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_TELL);
	r.rec.phase = API_IP_MISSING;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_NONE);
}

static void three_for_a_pod(void **state)
{
	struct report r;

	(void)state;
	report(&r);
	recent(&r, 2, 3000, r.pod, 0);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	recent(&r, 1, 100, r.pod, 50);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_POD_LIMIT);
	/* What was decided stays so, also when others have used up the limit meanwhile. */
	r.in.ending = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	/* Or by what this process remembers of longer ago. */
	report(&r);
	r.in.of_pod = 3;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_POD_LIMIT);
}

static void sixteen_an_hour_for_a_subnet(void **state)
{
	struct report r;

	(void)state;
	report(&r);
	recent(&r, 15, 3599, r.other, 0);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	recent(&r, 1, 3599, r.other, 50);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_SUBNET_LIMIT);
	r.in.now_s++;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
}

static void one_mac_for_all_is_a_proxy(void **state)
{
	struct report r;

	(void)state;
	report(&r);
	recent(&r, 2, 60, r.other, 1);
	assert_int_equal(conflict_decide(&r.in), CONFLICT_PROXY_ARP);
	r.in.now_s++;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	r.in.proxy = (struct mac_addr){{0x0a, 0, 0, 0, 0, 1}};
	assert_int_equal(conflict_decide(&r.in), CONFLICT_PROXY_ARP);
	/* Reports that name nobody are no proxy. */
	report(&r);
	assert_int_equal(str_copy(r.message, sizeof(r.message), "in use"), 0);
	for (int i = 0; i < 2; i++)
		r.recent[r.in.n_recent++] = (struct ipam_conflict){.at = 10000, .pod_uid = r.other};
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
}

static void freed_by_the_word_of_its_node(void **state)
{
	struct api_ip rec = {.pod_id = (char *)"u1", .card_down = (char *)""};

	(void)state;
	assert_int_equal(conflict_step(&rec, true), CONFLICT_MARK);
	/* Said before it was asked: of a card that may be made since. */
	rec.card_down = (char *)"u1";
	assert_int_equal(conflict_step(&rec, true), CONFLICT_MARK);
	rec.meta.deletion = 5;
	assert_int_equal(conflict_step(&rec, true), CONFLICT_FREE);
	/* A former pod's. */
	rec.card_down = (char *)"u0";
	assert_int_equal(conflict_step(&rec, true), CONFLICT_WAIT);
	assert_int_equal(conflict_step(&rec, false), CONFLICT_FREE);
}

static void an_answer_without_the_phase(void **state)
{
	struct report r;

	(void)state;
	report(&r);
	r.rec.pod_id = r.rec.card_down = (char *)"u1";
	r.rec.meta.deletion = 5;
	r.rec.phase = API_IP_PHASE_NONE;
	/* Deleted by hand: that is nobody's conflict. */
	r.in.ending = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_NONE);
	r.in.asked = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_QUARANTINE);
	r.in.in_use = true;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_NONE);
	r.in.in_use = false;
	r.rec.phase = API_IP_ATTACHED;
	assert_int_equal(conflict_decide(&r.in), CONFLICT_NONE);
	r.rec.phase = API_IP_PHASE_NONE;
	r.rec.card_down = (char *)"";
	assert_int_equal(conflict_decide(&r.in), CONFLICT_NONE);
}

static void quarantine_in_a_commit(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5"), five6 = ip("fd00::5"), nine = ip("10.0.0.9");
	struct ipam_conflict c = {.at = 1000, .pod_uid = (char *)"p"};
	struct plan_want w[] = {want(&any, "b")};

	(void)state;
	begin_dual(&f, "10.0.0.6", "fd00::6");
	f.in.delay_s = 60;
	f.in.conflicts = &c;
	f.in.n_conflicts = 1;
	ipam_pool_use(&f.base.pool, &five);
	ipam_pool_use(&f.base.pool, &five6);
	plan_list_add(&f.releases, &five, "a")->quarantine_s = 4600;
	plan_list_add(&f.releases, &five6, "a")->quarantine_s = 4600;
	/* Not used: nothing to set aside. */
	plan_list_add(&f.releases, &nine, "a")->quarantine_s = 4600;
	plan(&f, w, 1);
	assert_given_both(&w[0], "10.0.0.6", "fd00::6");
	assert_int_equal(f.next.pool.n_cooling, 1);
	assert_int_equal(f.next.pool.cooling[0].until, 4600);
	assert_true(f.next.pool.cooling[0].quarantine);
	assert_int_equal(ipam_set_count(&f.next.pool.cooling_all), 2);
	assert_int_equal(f.next.n_conflicts, 1);
	/* Never shorter than the delay of reuse. */
	plan_list_done(&f.releases);
	plan_list_add(&f.releases, &five, "a")->quarantine_s = 1010;
	plan(&f, NULL, 0);
	assert_int_equal(f.next.pool.cooling[0].until, 1060);
	finish(&f);
}

static enum plan_kept ours(void *ctx, const struct ip_addr *addr, const char *owner)
{
	(void)ctx;
	(void)addr;
	(void)owner;
	return PLAN_KEPT_OURS;
}

/* Its own workload takes an address that cools down, but not one that another machine has. */
static void a_kept_address_in_quarantine(void **state)
{
	struct fixture f;
	struct ip_addr five = ip("10.0.0.5"), six = ip("10.0.0.6");
	struct ip_addr list[] = {five, six};
	struct api_request r = {.wanted = true, .ips = list, .n_ips = 2};
	struct plan_want w[] = {want(&r, "a"), want(&r, "b")};

	(void)state;
	begin(&f, "10.0.0.5", "10.0.0.6");
	f.in.kept = ours;
	ipam_pool_quarantine(&f.base.pool, &five, 2000);
	ipam_pool_cool(&f.base.pool, &six, 2000);
	plan(&f, w, 2);
	assert_given(&w[0], "10.0.0.6");
	assert_int_equal(w[1].result, DECIDE_ADDRESS_IN_USE);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_before_the_card_is_up),
		cmocka_unit_test(three_for_a_pod),
		cmocka_unit_test(sixteen_an_hour_for_a_subnet),
		cmocka_unit_test(one_mac_for_all_is_a_proxy),
		cmocka_unit_test(freed_by_the_word_of_its_node),
		cmocka_unit_test(an_answer_without_the_phase),
		cmocka_unit_test(quarantine_in_a_commit),
		cmocka_unit_test(a_kept_address_in_quarantine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
