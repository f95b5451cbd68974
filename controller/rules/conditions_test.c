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

static struct ipam_nets nets(const char *text)
{
	struct ipam_nets l = IPAM_NETS_INIT;
	struct err e = {0};

	assert_int_equal(ipam_nets_parse(&l, text, &e), 0);
	return l;
}

/* A subnet of 10.0.0.0/8 in gateway mode, with that serviceCidr, at a Service kubernetes of both families. */
static const struct {
	const char *own, *known;
	bool settled, holds;
	const char *message;
} services_rows[] = {
	{"", "", false, false, "Services are reached by eth0: their network is not known yet"},
	{"", "", true, true,
	 "no service network is known: Services would be looked for on the LAN; set spec.podDefaultGateway.serviceCidr, or serviceCIDR in ConfigMap tandem-settings"},
	{"", "10.43.0.0/16", true, false, "Services are reached by eth0: 10.43.0.0/16"},
	{"10.43.0.0/16", "", true, false, "Services are reached by eth0: 10.43.0.0/16"},
	{"10.43.0.1/32", "10.43.0.0/16", true, false, "Services are reached by eth0: 10.43.0.1/32"},
	{"10.96.0.0/12", "10.43.0.0/16", true, true,
	 "the service network 10.96.0.0/12 does not contain 10.43.0.1, the address of the Service kubernetes: new pods look for it on the LAN; set spec.podDefaultGateway.serviceCidr to 10.43.0.0/16, or leave it out"},
	{"fd00:43::/112", "10.43.0.0/16,fd00:43::/108", true, false,
	 "Services are reached by eth0: fd00:43::/112,10.43.0.0/16"},
	{"fd00:43::/112", "", true, true,
	 "the service network fd00:43::/112 does not contain 10.43.0.1, the address of the Service kubernetes: new pods look for it on the LAN; set spec.podDefaultGateway.serviceCidr to the cluster's own, or leave it out"},
};

static void services_in_gateway_mode(void **state)
{
	struct ipam_nets kubernetes = nets("10.43.0.1/32,fd00:43::1/128");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(services_rows); i++) {
		struct ipam_nets own = nets(services_rows[i].own),
				 known = nets(services_rows[i].known);
		struct scene s;

		scene(&s, "10.9.0.1", "10.9.0.9");
		s.spec.v.cidr = (struct ip_net){ip("10.0.0.0"), 8};
		s.in.services = &known;
		s.in.kubernetes = &kubernetes;
		s.in.networks_settled = services_rows[i].settled;
		says(&s, CONDITION_SERVICES, false, "pods' default route goes by eth0");
		s.spec.network.pod_default_gateway = true;
		s.spec.network.service_cidrs = own.v;
		s.spec.network.n_service_cidrs = own.n;
		says(&s, CONDITION_SERVICES, services_rows[i].holds, services_rows[i].message);
		done(&s);
		ipam_nets_done(&own);
		ipam_nets_done(&known);
	}
	ipam_nets_done(&kubernetes);
}

static void in_the_clusters_own_networks(void **state)
{
	struct ipam_nets services = nets("10.43.0.0/16"), pods = nets("10.9.0.0/24,fd00:9::/64");
	struct scene s;

	(void)state;
	scene(&s, "10.9.0.8", "10.9.1.9");
	s.spec.v.cidr = (struct ip_net){ip("10.9.0.0"), 16};
	says(&s, CONDITION_CLUSTER, false, "it meets no pod or service network that is known");
	s.in.services = &services;
	says(&s, CONDITION_CLUSTER, false, "it meets no pod or service network that is known");
	s.in.pods = &pods;
	says(&s, CONDITION_CLUSTER, true,
	     "10.9.0.8 can be given, and is in the pod network 10.9.0.0/24: what has it would not be reached, or hide a pod; set ranges outside of it");
	done(&s);
	/* Its ranges are beside them. */
	scene(&s, "10.9.1.1", "10.9.1.9");
	s.spec.v.cidr = (struct ip_net){ip("10.0.0.0"), 8};
	s.in.services = &services;
	s.in.pods = &pods;
	says(&s, CONDITION_CLUSTER, false,
	     "the cidr meets the service network 10.43.0.0/16, which stays on eth0; no address of it is given");
	done(&s);
	ipam_nets_done(&services);
	ipam_nets_done(&pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_in_gateway_mode),
		cmocka_unit_test(in_the_clusters_own_networks),
		cmocka_unit_test(exhaustion),
		cmocka_unit_test(of_the_family_that_lacks),
		cmocka_unit_test(whole_cidr),
		cmocka_unit_test(the_rest),
		cmocka_unit_test(times_are_kept_while_the_truth_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
