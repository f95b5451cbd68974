#include "controller/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/map.h"
#include "ipam/mac.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static struct ip_addr ip(const char *s)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(s, &a), 0);
	return a;
}

/* What other records have: one address and one MAC. */
struct others {
	const char *addr;
	const char *mac;
	const char *kept; /* an address that a workload names, */
	const char *kept_for;
};

static bool addr_taken(void *ctx, const struct ip_addr *addr, const char *uid)
{
	const struct others *o = ctx;
	char text[IP_ADDR_LEN];

	(void)uid;
	return o->addr && str_eq(ip_format(addr, text), o->addr);
}

static bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	const struct others *o = ctx;
	char text[MAC_ADDR_LEN];

	(void)uid;
	return o->mac && str_eq(mac_format(mac, text), o->mac);
}

static enum plan_kept kept(void *ctx, const struct ip_addr *addr, const char *owner)
{
	const struct others *o = ctx;
	char text[IP_ADDR_LEN];

	if (!o->kept || !str_eq(ip_format(addr, text), o->kept))
		return PLAN_KEPT_NOT;
	return str_eq(owner, o->kept_for) ? PLAN_KEPT_OURS : PLAN_KEPT_OTHERS;
}

struct fixture {
	struct ipam_record base, next;
	struct ipam_set range, range6;
	struct plan_list releases, drops, adopts;
	struct others others;
	struct plan_in in;
};

static void begin(struct fixture *f, const char *first, const char *last)
{
	struct ip_addr a = ip(first), b = ip(last);

	*f = (struct fixture){.base = {.term = 5, .commit = 8}};
	ipam_set_add_span(&f->range, &a, &b);
	f->in = (struct plan_in){
		.base = &f->base,
		.ns = "kube-system",
		.name = "v",
		.range = &f->range,
		.now_s = 1000,
		.commit = 9,
		.releases = &f->releases,
		.drops = &f->drops,
		.adopts = &f->adopts,
		.addr_taken = addr_taken,
		.mac_taken = mac_taken,
		.kept = kept,
		.ctx = &f->others,
	};
}

static void finish(struct fixture *f)
{
	ipam_record_done(&f->base);
	ipam_record_done(&f->next);
	ipam_set_done(&f->range);
	ipam_set_done(&f->range6);
	plan_list_done(&f->releases);
	plan_list_done(&f->drops);
	plan_list_done(&f->adopts);
}

static void plan(struct fixture *f, struct plan_want *wants, size_t n)
{
	f->in.wants = wants;
	f->in.n_wants = n;
	ipam_record_done(&f->next);
	plan_commit(&f->in, &f->next);
}

static const struct api_request any = {.wanted = true};

static struct plan_want want(const struct api_request *r, const char *uid)
{
	return (struct plan_want){
		.request = r, .record_uid = uid, .pod_uid = "p", .ns = "n", .name = "m"};
}

static void assert_given(const struct plan_want *w, const char *addr)
{
	char text[IP_ADDR_LEN];

	assert_int_equal(w->result, DECIDE_ALLOCATED);
	assert_string_equal(ip_format(&w->addr, text), addr);
}

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
	ipam_record_inflight_add(&f.base, &entry);
	plan(&f, NULL, 0);
	assert_true(ipam_set_has(&f.next.pool.used, &five));
	assert_int_equal(f.next.n_inflight, 1);

	/* The same once it stands in b's record. */
	assert_true(ipam_record_inflight_drop(&f.base, "b", &five));
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
	ipam_record_inflight_add(&f.base, &entry);
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
	ipam_record_inflight_add(&f.base, &entry);
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

/* A second family beside the first. */
static void begin_dual(struct fixture *f, const char *last, const char *last6)
{
	struct ip_addr a = ip("fd00::5"), b = ip(last6);

	begin(f, "10.0.0.5", last);
	ipam_set_add_span(&f->range6, &a, &b);
	f->in.family = AF_INET;
	f->in.range6 = &f->range6;
}

static void assert_given_both(const struct plan_want *w, const char *addr, const char *addr6)
{
	char text[IP_ADDR_LEN];

	assert_given(w, addr);
	assert_string_equal(ip_format(&w->addr6, text), addr6);
}

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
	ipam_record_done(&f.base);
	f.base = f.next;
	f.next = (struct ipam_record){0};
	plan_list_add(&f.releases, &five, "a");
	plan_list_add(&f.releases, &five6, "a");
	plan(&f, again, 1);
	assert_int_equal(again[0].result, DECIDE_EXHAUSTED);
	assert_int_equal(f.next.n_inflight, 1);
	assert_int_equal(ipam_set_count(&f.next.pool.used), 2);
	ipam_record_done(&f.base);
	f.base = f.next;
	f.next = (struct ipam_record){0};
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
	assert_int_equal(ipam_record_encode(&f.next, &text, &e), 0);
	assert_int_equal(jdoc_parse("record", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	ipam_record_done(&f.base);
	assert_int_equal(ipam_record_decode(&root, &f.base, &e), 0);
	plan(&f, next, 1);
	assert_given_both(&next[0], "10.0.0.7", "fd00::7");
	jdoc_free(doc);
	free(text);
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
	f.others.addr = "10.0.0.8";
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
		cmocka_unit_test(dual_stack_gives_both_or_none),
		cmocka_unit_test(dual_stack_names_the_family_that_lacks),
		cmocka_unit_test(dual_stack_lists),
		cmocka_unit_test(a_family_that_the_subnet_does_not_have),
		cmocka_unit_test(a_mac_in_use_costs_no_address),
		cmocka_unit_test(order_survives_a_restart),
		cmocka_unit_test(a_record_made_anew_keeps_its_address),
		cmocka_unit_test(flight_is_bounded),
		cmocka_unit_test(map_of_strings),
		cmocka_unit_test(a_named_address_is_not_for_automatic_pods),
		cmocka_unit_test(a_named_address_is_for_its_own_pods_alone),
		cmocka_unit_test(lists_are_tried_from_the_ordinal_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
