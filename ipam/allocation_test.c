/* SPDX-License-Identifier: Apache-2.0 */
#include "ipam/allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static int decode(const char *text, struct ipam_allocation *out, struct err *e)
{
	struct jdoc *doc = NULL;
	struct jval root;
	int rc;

	assert_int_equal(jdoc_parse("r", text, strlen(text), &doc, e), 0);
	root = jdoc_root(doc);
	rc = ipam_allocation_decode(&root, out, e);
	jdoc_free(doc);
	return rc;
}

static void round_trip(void **state)
{
	static const char text[] =
		"{\"term\":3,\"commit\":17,\"holder\":\"h\",\"lost\":true,\"cursor\":\"10.0.0.12\","
		"\"cursor6\":\"fd00::b\","
		"\"used\":[\"10.0.0.0/24 10-11\",\"fd00::/120 a\"],"
		"\"unproven\":[\"10.0.0.0/24 5,11\"],"
		"\"claimed\":[{\"by\":\"Deployment d/web\",\"addresses\":[\"10.0.0.0/24 7-8\"]}],"
		"\"cooling\":[{\"until\":\"2026-01-01T00:00:00Z\",\"addresses\":[\"10.0.0.0/24 5\"]}],"
		"\"quarantine\":[{\"until\":\"2026-01-01T01:00:00Z\","
		"\"addresses\":[\"10.0.0.0/24 6\",\"fd00::/120 6\"]}],"
		"\"conflicts\":[{\"at\":\"2026-01-01T00:00:00Z\",\"pod\":\"p0\","
		"\"mac\":\"0a:00:00:00:00:01\"},{\"at\":\"2026-01-01T00:00:01Z\",\"pod\":\"p0\"}],"
		"\"inflight\":[\"10.0.0.11,fd00::a r1 p1 a/b\",\"fd00::b r3 p3 c/d\"]}";
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	AUTO(ipam_allocation_done) struct ipam_allocation copy = {0};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(decode(text, &r, &e), 0);
	assert_int_equal(r.term, 3);
	assert_int_equal(r.commit, 17);
	assert_true(r.lost);
	assert_string_equal(ipam_allocation_inflight_find(&r, "r1")->ns, "a");
	assert_string_equal(ipam_allocation_inflight_find(&r, "r1")->name, "b");
	assert_string_equal(ipam_allocation_inflight_find(&r, "r1")->pod_uid, "p1");
	assert_true(ip_is_set(&ipam_allocation_inflight_find(&r, "r1")->addr6));
	assert_false(ip_is_set(&ipam_allocation_inflight_find(&r, "r3")->addr6));
	assert_null(ipam_allocation_inflight_find(&r, "r2"));
	ipam_allocation_copy(&r, &copy);
	assert_int_equal(ipam_allocation_encode(&copy, &out, &e), 0);
	assert_string_equal(out, text);
	free(out);
}

static void none_is_empty(void **state)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(ipam_allocation_decode(NULL, &r, &e), 0);
	assert_int_equal(r.term, 0);
	assert_int_equal(ipam_allocation_encode(&r, &out, &e), 0);
	/* Every key stands there, so that a merge patch leaves nothing of what was. */
	assert_string_equal(
		out,
		"{\"term\":0,\"commit\":0,\"holder\":null,\"lost\":null,\"cursor\":null,"
		"\"cursor6\":null,\"used\":[],\"unproven\":[],\"claimed\":[],\"cooling\":[],\"quarantine\":[],"
		"\"conflicts\":[],\"inflight\":[]}");
	free(out);
}

/* As tandem 0.1.0 wrote them. */
static void conflicts_are_forgotten(void **state)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	char pod[] = "p";

	(void)state;
	for (int64_t i = 0; i < IPAM_CONFLICTS_MAX + 2; i++) {
		struct ipam_conflict c = {.at = 100 + i, .pod_uid = pod};

		ipam_allocation_conflict_add(&r, &c);
	}
	assert_int_equal(r.n_conflicts, IPAM_CONFLICTS_MAX);
	assert_int_equal(r.conflicts[0].at, 102);
	ipam_allocation_conflicts_expire(&r, 102 + IPAM_CONFLICTS_S - 1);
	assert_int_equal(r.n_conflicts, IPAM_CONFLICTS_MAX);
	ipam_allocation_conflicts_expire(&r, 103 + IPAM_CONFLICTS_S);
	assert_int_equal(r.n_conflicts, IPAM_CONFLICTS_MAX - 2);
	assert_int_equal(r.conflicts[0].at, 104);
}

static void entries_go_by_record_and_address(void **state)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	char uid[] = "r1", other[] = "r2", pod[] = "p", ns[] = "n", name[] = "m";
	struct ipam_inflight entry = {.record_uid = uid, .pod_uid = pod, .ns = ns, .name = name};
	struct ip_addr a, b, six;

	(void)state;
	assert_int_equal(ip_parse("10.0.0.1", &a), 0);
	assert_int_equal(ip_parse("10.0.0.2", &b), 0);
	entry.addr = a;
	ipam_allocation_inflight_add(&r, &entry);
	assert_false(ipam_allocation_inflight_drop(&r, other, &a));
	assert_false(ipam_allocation_inflight_drop(&r, uid, &b));
	assert_true(ipam_allocation_inflight_drop(&r, uid, &a));
	assert_int_equal(r.n_inflight, 0);
	/* In a dual-stack subnet either address names it. */
	assert_int_equal(ip_parse("fd00::1", &six), 0);
	entry.addr6 = six;
	ipam_allocation_inflight_add(&r, &entry);
	assert_true(ipam_allocation_inflight_drop(&r, uid, &six));
	assert_int_equal(r.n_inflight, 0);
	assert_int_equal(r.inflight_bytes, 0);
}

static void long_names_fly_in_smaller_flocks(void **state)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	static char name[254], ns[64], uid[37];
	struct ipam_inflight entry = {.record_uid = uid, .pod_uid = uid, .ns = ns, .name = name};
	struct err e = {0};
	char *out = NULL;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(ns, 's', sizeof(ns) - 1);
	memset(uid, 'u', sizeof(uid) - 1);
	assert_int_equal(ip_parse("100.100.100.100", &entry.addr), 0);
	assert_int_equal(ip_parse("fd00:1111:2222:3333:4444:5555:6666:7777", &entry.addr6), 0);
	while (ipam_allocation_has_room(&r))
		ipam_allocation_inflight_add(&r, &entry);
	assert_true(r.n_inflight > 100);
	assert_true(r.n_inflight < IPAM_INFLIGHT_MAX);
	assert_int_equal(ipam_allocation_encode(&r, &out, &e), 0);
	assert_true(strlen(out) < IPAM_INFLIGHT_BYTES + 1024);
	free(out);
}

static void junk_is_refused(void **state)
{
	static const char *const rows[] = {
		"[]",
		"{\"term\":\"1\"}",
		"{\"term\":-1}",
		"{\"used\":\"10.0.0.1\"}",
		"{\"used\":[\"10.0.0.1\"]}",
		"{\"used\":[7]}",
		"{\"cursor\":\"here\"}",
		"{\"cooling\":[{\"addresses\":[]}]}",
		"{\"cooling\":[{\"until\":\"soon\",\"addresses\":[]}]}",
		"{\"cursor6\":\"there\"}",
		"{\"quarantine\":[{\"addresses\":[]}]}",
		"{\"conflicts\":[{\"at\":\"2026-01-01T00:00:00Z\"}]}",
		"{\"conflicts\":[{\"at\":\"2026-01-01T00:00:00Z\",\"pod\":\"p\",\"mac\":\"x\"}]}",
		"{\"inflight\":[\"\"]}",
		"{\"inflight\":[\"10.0.0.1\"]}",
		"{\"inflight\":[\"10.0.0.1 r p a\"]}",
		"{\"inflight\":[\"10.0.0.1 r p a/\"]}",
		"{\"inflight\":[\"10.0.0.1 r p /b\"]}",
		"{\"inflight\":[\"10.0.0.1  p a/b\"]}",
		"{\"inflight\":[\"10.0.0.1 r p a/b c\"]}",
		"{\"inflight\":[\"10.0.0.x r p a/b\"]}",
		"{\"inflight\":[\"10.0.0.1,x r p a/b\"]}",
		"{\"inflight\":[7]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ipam_allocation r = {0};
		struct err e = {0};

		assert_int_equal(decode(rows[i], &r, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_null(r.holder);
	}
}

static void the_largest_fits(void **state)
{
	AUTO(ipam_allocation_done) struct ipam_allocation r = {0};
	struct ip_addr base;
	struct err e = {0};
	char *out = NULL;

	(void)state;
	assert_int_equal(ip_parse("fd00::", &base), 0);
	/* Every other address used, the rest cooling in 4,000 runs. */
	for (uint64_t i = 0; i < 65536; i++) {
		struct ip_addr a;

		assert_int_equal(ip_add(&base, i, &a), 0);
		if (i % 2)
			ipam_pool_use(&r.pool, &a);
		else if (i % 8 == 0)
			ipam_pool_cool(&r.pool, &a, (int64_t)(1000 + i % 4000));
	}
	assert_int_equal(ipam_allocation_encode(&r, &out, &e), 0);
	assert_true(strlen(out) <= IPAM_ALLOCATION_MAX_BYTES);
	assert_true(r.pool.n_cooling >= 1);
	assert_int_equal(ipam_set_count(&r.pool.cooling_all), 8192);
	assert_true(r.pool.cooling[0].until >= 1000);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(none_is_empty),
		cmocka_unit_test(conflicts_are_forgotten),
		cmocka_unit_test(entries_go_by_record_and_address),
		cmocka_unit_test(long_names_fly_in_smaller_flocks),
		cmocka_unit_test(junk_is_refused),
		cmocka_unit_test(the_largest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
