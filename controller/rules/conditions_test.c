/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/conditions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/rules/plan_lab_test.h"
#include "controller/rules/status.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jwrite.h"

struct scene {
	struct api_subnet spec;
	struct api_meta meta;
	struct err why;
	struct ipam_allocation record;
	struct ipam_set range, range6, named;
	struct status_in in;
	struct condition c[CONDITIONS];
};

static void scene(struct scene *s, const char *first, const char *last)
{
	struct ip_addr a = ip(first), b = ip(last);

	*s = (struct scene){.spec = {.v = {.n_ranges = 1}}};
	ipam_set_add_span(&s->range, &a, &b);
	s->in = (struct status_in){
		.meta = &s->meta,
		.spec = &s->spec,
		.why = &s->why,
		.record = &s->record,
		.range = &s->range,
		.named = &s->named,
		.overlap = "",
		.now_s = 1767225600,
	};
}

static void done(struct scene *s)
{
	ipam_allocation_done(&s->record);
	ipam_set_done(&s->range);
	ipam_set_done(&s->range6);
	ipam_set_done(&s->named);
}

static void use(struct scene *s, const char *first, const char *last)
{
	struct ip_addr a = ip(first), b = ip(last);

	ipam_set_add_span(&s->record.pool.used, &a, &b);
}

static void says(struct scene *s, enum condition_kind kind, bool holds, const char *message)
{
	assert_int_equal(conditions_make(&s->in, s->c), CONDITIONS);
	assert_string_equal(s->c[kind].message, message);
	assert_int_equal(s->c[kind].holds, holds);
}

static void exhaustion(void **state)
{
	struct scene s;
	struct ip_addr a = ip("10.0.0.10");

	(void)state;
	scene(&s, "10.0.0.1", "10.0.0.10");
	says(&s, CONDITION_EXHAUSTED, false, "10 of 10 addresses are free");
	use(&s, "10.0.0.1", "10.0.0.8");
	says(&s, CONDITION_NEARLY_EXHAUSTED, false, "2 of 10 addresses are free");
	ipam_pool_quarantine(&s.record.pool, &a, 1767225660);
	says(&s, CONDITION_NEARLY_EXHAUSTED, true,
	     "1 of 10 addresses are free, 1 are cooling; extend the ranges");
	says(&s, CONDITION_EXHAUSTED, false, "1 of 10 addresses are free");
	says(&s, CONDITION_CONFLICTS, false,
	     "1 addresses are in quarantine because other machines use them");
	use(&s, "10.0.0.9", "10.0.0.9");
	s.in.n_waiting = 3;
	says(&s, CONDITION_EXHAUSTED, true,
	     "all 10 addresses are taken: 9 used, 1 cooling; 3 pods wait, the next one is free at 2026-01-01T00:01:00Z; extend the ranges or delete pods");
	done(&s);
	scene(&s, "10.0.0.1", "10.0.0.2");
	a = ip("10.0.0.2");
	ipam_set_add(&s.named, &a);
	use(&s, "10.0.0.1", "10.0.0.1");
	says(&s, CONDITION_EXHAUSTED, true,
	     "all 2 addresses are taken: 1 used, 0 cooling, 1 reserved by workloads; 0 pods wait; extend the ranges or delete pods");
	done(&s);
}

static void of_the_family_that_lacks(void **state)
{
	struct scene s;
	struct ip_addr a = ip("fd00::1"), b = ip("fd00::2");

	(void)state;
	scene(&s, "10.0.0.1", "10.0.0.10");
	ipam_set_add_span(&s.range6, &a, &b);
	s.in.range6 = &s.range6;
	s.spec.v6.n_ranges = 1;
	says(&s, CONDITION_EXHAUSTED, false, "2 of 2 IPv6 addresses are free");
	use(&s, "10.0.0.1", "10.0.0.9");
	says(&s, CONDITION_EXHAUSTED, false, "1 of 10 IPv4 addresses are free");
	use(&s, "fd00::1", "fd00::2");
	says(&s, CONDITION_EXHAUSTED, true,
	     "all 2 IPv6 addresses are taken: 2 used, 0 cooling; 0 pods wait; extend the ranges or delete pods");
	ipam_set_done(&s.range6);
	assert_int_equal(conditions_make(&s.in, s.c), CONDITIONS);
	assert_string_equal(
		s.c[CONDITION_READY].message,
		"no IPv6 address is left after gateway, exclude, nodes' addresses and other "
		"subnets; extend the ranges");
	assert_false(s.c[CONDITION_READY].holds);
	done(&s);
}

static void whole_cidr(void **state)
{
	static const char tail[] =
		" not set, so pods can get any address of the CIDR, also one that another machine "
		"on the LAN has; set ranges that only the cluster uses, or exclude what others use";
	char text[400];
	struct scene s;

	(void)state;
	scene(&s, "10.0.0.1", "10.0.0.10");
	says(&s, CONDITION_WHOLE_CIDR, false, "pods get addresses of the ranges");
	s.spec.v.n_ranges = 0;
	snprintf(text, sizeof(text), "spec.ranges is%s", tail);
	says(&s, CONDITION_WHOLE_CIDR, true, text);
	s.in.range6 = &s.range6;
	snprintf(text, sizeof(text), "spec.ranges and spec.ipv6.ranges are%s", tail);
	says(&s, CONDITION_WHOLE_CIDR, true, text);
	s.spec.v.n_ranges = 1;
	snprintf(text, sizeof(text), "spec.ipv6.ranges is%s", tail);
	says(&s, CONDITION_WHOLE_CIDR, true, text);
	done(&s);
}

static void the_rest(void **state)
{
	struct scene s;

	(void)state;
	scene(&s, "10.0.0.1", "10.0.0.10");
	says(&s, CONDITION_READY, true, "pods get addresses");
	says(&s, CONDITION_OVERLAP, false,
	     "no other subnet on this master and VLAN has any of its addresses");
	s.in.overlap = "with b";
	says(&s, CONDITION_OVERLAP, true, "with b");
	s.in.conflicts_until_s = s.in.now_s + 1;
	s.in.conflicts_reason = "PodLimit";
	s.in.conflicts_why = "why";
	says(&s, CONDITION_CONFLICTS, true, "why");
	assert_string_equal(s.c[CONDITION_CONFLICTS].reason, "PodLimit");
	s.in.now_s++;
	says(&s, CONDITION_CONFLICTS, false,
	     "0 addresses are in quarantine because other machines use them");
	s.in.spec = NULL;
	assert_int_equal(str_copy(s.why.msg, sizeof(s.why.msg), "spec.cidr: bad"), 0);
	assert_int_equal(conditions_make(&s.in, s.c), 1);
	assert_string_equal(s.c[0].message, "spec.cidr: bad");
	assert_string_equal(s.c[0].reason, "Invalid");
	done(&s);
}

static char *written(struct scene *s)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	jw_arr(&w);
	conditions_write(&w, &s->in, s->c, conditions_make(&s->in, s->c));
	jw_end(&w);
	jw_finish(&w);
	return sb_take(&sb);
}

static void times_are_kept_while_the_truth_is(void **state)
{
	AUTO(free) char *first = NULL;
	AUTO(free) char *second = NULL;
	char when[CLOCK_RFC3339_LEN];
	struct scene s;

	(void)state;
	scene(&s, "10.0.0.1", "10.0.0.10");
	first = written(&s);
	assert_int_equal(conditions_was(first, "Exhausted", when), 0);
	assert_string_equal(when, "2026-01-01T00:00:00Z");
	assert_int_equal(conditions_was(first, "Ready", NULL), 1);
	assert_int_equal(conditions_was(first, "None", when), -1);
	assert_int_equal(conditions_was(NULL, "Ready", when), -1);
	assert_int_equal(conditions_was("[7,{}]", "Ready", when), -1);
	s.in.conditions = first;
	s.in.now_s += 60;
	use(&s, "10.0.0.1", "10.0.0.9");
	second = written(&s);
	assert_int_equal(conditions_was(second, "NearlyExhausted", when), 1);
	assert_string_equal(when, "2026-01-01T00:01:00Z");
	assert_int_equal(conditions_was(second, "Exhausted", when), 0);
	assert_string_equal(when, "2026-01-01T00:00:00Z");
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exhaustion),
		cmocka_unit_test(of_the_family_that_lacks),
		cmocka_unit_test(whole_cidr),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(times_are_kept_while_the_truth_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
