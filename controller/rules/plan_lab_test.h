/* SPDX-License-Identifier: Apache-2.0 */
/* A subnet's record, range and lists for plan_commit(), for tests. */
#ifndef CONTROLLER_RULES_PLAN_LAB_TEST_H
#define CONTROLLER_RULES_PLAN_LAB_TEST_H

#include <stdlib.h>

#include "controller/rules/plan.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

#define PLAN_UNUSED __attribute__((unused))

static inline PLAN_UNUSED struct ip_addr ip(const char *s)
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
	size_t ns_has; /* cards of namespace "n" */
};

static inline bool addr_taken(void *ctx, const struct ip_addr *addr, const char *uid)
{
	const struct others *o = ctx;
	char text[IP_ADDR_LEN];

	(void)uid;
	return o->addr && str_eq(ip_format(addr, text), o->addr);
}

static inline bool mac_taken(void *ctx, const struct mac_addr *mac, const char *uid)
{
	const struct others *o = ctx;
	char text[MAC_ADDR_LEN];

	(void)uid;
	return o->mac && str_eq(mac_format(mac, text), o->mac);
}

static inline PLAN_UNUSED enum plan_kept kept(void *ctx, const struct ip_addr *addr,
					      const char *owner)
{
	const struct others *o = ctx;
	char text[IP_ADDR_LEN];

	if (!o->kept || !str_eq(ip_format(addr, text), o->kept))
		return PLAN_KEPT_NOT;
	return str_eq(owner, o->kept_for) ? PLAN_KEPT_OURS : PLAN_KEPT_OTHERS;
}

static inline size_t ns_has(void *ctx, const char *ns)
{
	const struct others *o = ctx;

	return str_eq(ns, "n") ? o->ns_has : 0;
}

struct fixture {
	struct ipam_allocation base, next;
	struct ipam_set range, range6;
	struct plan_list releases, drops, adopts;
	struct others others;
	struct plan_in in;
};

static inline PLAN_UNUSED void begin(struct fixture *f, const char *first, const char *last)
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
		.ns_has = ns_has,
		.kept = kept,
		.ctx = &f->others,
	};
}

static inline PLAN_UNUSED void finish(struct fixture *f)
{
	ipam_allocation_done(&f->base);
	ipam_allocation_done(&f->next);
	ipam_set_done(&f->range);
	ipam_set_done(&f->range6);
	plan_list_done(&f->releases);
	plan_list_done(&f->drops);
	plan_list_done(&f->adopts);
}

static inline PLAN_UNUSED void plan(struct fixture *f, struct plan_want *wants, size_t n)
{
	f->in.wants = wants;
	f->in.n_wants = n;
	ipam_allocation_done(&f->next);
	plan_commit(&f->in, &f->next);
}

static const PLAN_UNUSED struct api_request any = {.wanted = true};

static inline PLAN_UNUSED struct plan_want want(const struct api_request *r, const char *uid)
{
	return (struct plan_want){
		.request = r, .record_uid = uid, .pod_uid = "p", .ns = "n", .name = "m"};
}

static inline PLAN_UNUSED void assert_given(const struct plan_want *w, const char *addr)
{
	char text[IP_ADDR_LEN];

	assert_int_equal(w->result, DECIDE_ALLOCATED);
	assert_string_equal(ip_format(&w->addr, text), addr);
}

/* A second family beside the first. */
static inline PLAN_UNUSED void begin_dual(struct fixture *f, const char *last, const char *last6)
{
	struct ip_addr a = ip("fd00::5"), b = ip(last6);

	begin(f, "10.0.0.5", last);
	ipam_set_add_span(&f->range6, &a, &b);
	f->in.family = AF_INET;
	f->in.range6 = &f->range6;
}

static inline PLAN_UNUSED void assert_given_both(const struct plan_want *w, const char *addr,
						 const char *addr6)
{
	char text[IP_ADDR_LEN];

	assert_given(w, addr);
	assert_string_equal(ip_format(&w->addr6, text), addr6);
}

#endif
