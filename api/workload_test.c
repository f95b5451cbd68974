/* SPDX-License-Identifier: Apache-2.0 */
#include "api/workload.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "api/pod.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static struct api_workload *decode(enum api_workload_kind kind, bool legacy, const char *text)
{
	struct api_workload_form form = {kind, legacy};
	struct api_workload *w = NULL;
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	if (api_workload_decode(&form, &root, &w, &e) < 0)
		fail_msg("%s", e.msg);
	jdoc_free(doc);
	return w;
}

#define META                  "\"metadata\":{\"name\":\"web\",\"namespace\":\"db\",\"uid\":\"u\"}"
#define TEMPLATE(annotations) "\"template\":{\"metadata\":{\"annotations\":{" annotations "}}}"
#define ASKS                  "\"tandem-cni.io/subnet\":\"lan\",\"tandem-cni.io/ip\":\"10.0.0.5-10.0.0.6\""

static void templates(void **state)
{
	struct api_workload *w =
		decode(API_DEPLOYMENT, false, "{" META ",\"spec\":{" TEMPLATE(ASKS) "}}");

	(void)state;
	assert_true(w->annotations.request.wanted);
	assert_string_equal(w->annotations.request.subnet, "lan");
	assert_int_equal(w->annotations.request.n_ips, 2);
	api_workload_free(w);

	w = decode(API_CRONJOB, false,
		   "{" META ",\"spec\":{\"jobTemplate\":{\"spec\":{" TEMPLATE(ASKS) "}}}}");
	assert_int_equal(w->annotations.request.n_ips, 2);
	api_workload_free(w);

	/* A CronJob's jobTemplate.metadata is the Job's, not the pod's. */
	w = decode(API_CRONJOB, false,
		   "{" META ",\"spec\":{\"jobTemplate\":{\"metadata\":{\"annotations\":{" ASKS
		   "}},\"spec\":{" TEMPLATE("") "}}}}");
	assert_false(w->annotations.request.wanted);
	api_workload_free(w);

	w = decode(API_DAEMONSET, false,
		   "{" META ",\"spec\":{" TEMPLATE("\"tandem-cni.io/subnet\":\"lan\","
						   "\"tandem-cni.io/ip\":\"x\"") "}}");
	assert_false(w->annotations.request.wanted);
	api_workload_free(w);

	w = decode(API_DEPLOYMENT, false, "{" META "}");
	assert_false(w->annotations.request.wanted);
	api_workload_free(w);
}

#define LEGACY(key, value) "\"macvlan.pandaria.cattle.io/" key "\":\"" value "\""

static void legacy_annotations(void **state)
{
	static const struct {
		bool legacy;
		const char *annotations;
		bool wanted;
		size_t n_ips, n_macs;
		const char *interface;
	} rows[] = {
		{true, LEGACY("subnet", "lan") "," LEGACY("ip", "auto"), true, 0, 0, "eth1"},
		{true,
		 LEGACY("subnet", "lan") "," LEGACY("ip", "10.0.0.5-10.0.0.6") "," LEGACY("mac",
											  ""),
		 true, 2, 0, "eth1"},
		{true,
		 LEGACY("subnet", "lan") "," LEGACY("ip", "10.0.0.5") "," LEGACY(
			 "mac",
			 "0a:00:00:00:00:01") ",\"v1.multus-cni.io/default-network\":\"[{}]\"",
		 true, 1, 1, "eth0"},
		{true, LEGACY("subnet", "lan") "," LEGACY("ip", ""), false, 0, 0, ""},
		{true, LEGACY("subnet", "lan"), false, 0, 0, ""},
		{true, LEGACY("ip", "auto"), false, 0, 0, ""},
		{false, LEGACY("subnet", "lan") "," LEGACY("ip", "auto"), false, 0, 0, ""},
		/* Ours count alone where there are any. */
		{true,
		 LEGACY("subnet", "old") "," LEGACY("ip",
						    "10.0.0.5") ",\"tandem-cni.io/subnet\":\"lan\"",
		 true, 0, 0, "eth1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free)
		char *text = xasprintf(
			"{" META ",\"spec\":{\"template\":{\"metadata\":{\"annotations\":{%s}}}}}",
			rows[i].annotations);
		struct api_workload *w = decode(API_DEPLOYMENT, rows[i].legacy, text);

		assert_int_equal(w->annotations.request.wanted, rows[i].wanted);
		assert_int_equal(w->annotations.request.n_ips, rows[i].n_ips);
		assert_int_equal(w->annotations.request.n_macs, rows[i].n_macs);
		assert_string_equal(w->annotations.request.interface, rows[i].interface);
		if (rows[i].wanted)
			assert_string_equal(w->annotations.request.subnet, "lan");
		api_workload_free(w);
	}
}

static void assert_id(enum api_workload_kind kind, const char *meta_more, const char *id)
{
	AUTO(free)
	char *text =
		xasprintf("{\"metadata\":{\"name\":\"web\",\"namespace\":\"db\",\"uid\":\"u\"%s}}",
			  meta_more);
	struct api_workload *w = decode(kind, false, text);
	AUTO(free) char *got = api_workload_id(w);

	assert_string_equal(got, id);
	api_workload_free(w);
}

static void ids_of_workloads(void **state)
{
	(void)state;
	assert_id(API_DEPLOYMENT, "", "Deployment db/web");
	assert_id(API_JOB, "", "Job db/web");
	assert_id(API_JOB, ",\"ownerReferences\":[{\"kind\":\"CronJob\",\"name\":\"nightly\"}]",
		  "CronJob db/nightly");
	assert_id(API_STATEFULSET, ",\"ownerReferences\":[{\"kind\":\"CronJob\",\"name\":\"x\"}]",
		  "StatefulSet db/web");
}

static void ids_of_pods(void **state)
{
	static const char *const rows[][4] = {
		{"apps/v1 ReplicaSet", "web-7d4f", "7d4f", "Deployment db/web"},
		{"apps/v1 ReplicaSet", "web-7d4f", "", "ReplicaSet db/web-7d4f apps/v1 u"},
		{"apps/v1 ReplicaSet", "web-7d4f", "9999", "ReplicaSet db/web-7d4f apps/v1 u"},
		{"apps/v1 ReplicaSet", "7d4f", "7d4f", "ReplicaSet db/7d4f apps/v1 u"},
		{"apps/v1 StatefulSet", "web", "", "StatefulSet db/web"},
		{"batch/v1beta1 Job", "nightly-1", "", "Job db/nightly-1"},
		/* Of the same kind and another group: something else. */
		{"apps.kruise.io/v1beta1 StatefulSet", "web", "",
		 "StatefulSet db/web apps.kruise.io/v1beta1 u"},
		{" ", "", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char ns[] = "db", uid[] = "u", version[40];
		size_t len = strcspn(rows[i][0], " ");
		struct api_pod pod = {
			.meta.ns = ns,
			.owner = {.api_version = version,
				  .kind = (char *)rows[i][0] + len + 1,
				  .name = (char *)rows[i][1],
				  .uid = uid},
			.template_hash = (char *)rows[i][2],
		};
		AUTO(free) char *id = NULL;

		snprintf(version, sizeof(version), "%.*s", (int)len, rows[i][0]);
		id = api_workload_id_of_pod(&pod);
		if (rows[i][3])
			assert_string_equal(id, rows[i][3]);
		else
			assert_null(id);
	}
}

static void how_many_more(void **state)
{
	static const struct {
		const char *strategy, *surge;
		int64_t replicas, more;
	} rows[] = {
		{"", "", 1, 1},
		{"", "", 4, 1},
		{"", "", 5, 2},
		{"", "", 0, 0},
		{"RollingUpdate", "0", 9, 0},
		{"RollingUpdate", "3", 1, 3},
		{"RollingUpdate", "100%", 3, 3},
		{"RollingUpdate", "0%", 3, 0},
		{"Recreate", "", 3, 0},
		{"", "x", 3, 0},
		{"", "%", 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(api_workload_surge(rows[i].strategy, rows[i].surge,
						    rows[i].replicas),
				 rows[i].more);
}

static void ordinals(void **state)
{
	struct api_workload *w = decode(API_STATEFULSET, false,
					"{" META
					",\"spec\":{\"replicas\":2,\"ordinals\":{\"start\":3}}}");
	static const struct {
		const char *name;
		int64_t ordinal;
		const char *set;
	} rows[] = {
		{"web-0", 0, "web"},
		{"my-web-12", 12, "my-web"},
		{"web", -1, NULL},
		{"web-", -1, NULL},
		{"-1", -1, NULL},
		{"web-a1", -1, NULL},
		{"web-99999999999", -1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *set = NULL;

		assert_int_equal(api_workload_ordinal(rows[i].name, &set), rows[i].ordinal);
		if (rows[i].set)
			assert_string_equal(set, rows[i].set);
	}
	assert_false(api_workload_wants_ordinal(w, 2));
	assert_true(api_workload_wants_ordinal(w, 3));
	assert_true(api_workload_wants_ordinal(w, 4));
	assert_false(api_workload_wants_ordinal(w, 5));
	w->meta.deletion = 1;
	assert_false(api_workload_wants_ordinal(w, 3));
	api_workload_free(w);
}

static void replicas_default_to_one(void **state)
{
	struct api_workload *w = decode(API_STATEFULSET, false, "{" META ",\"spec\":{}}");

	(void)state;
	assert_true(api_workload_wants_ordinal(w, 0));
	assert_false(api_workload_wants_ordinal(w, 1));
	api_workload_free(w);
}

static void each_kind_has_a_row(void **state)
{
	(void)state;
	for (int i = 0; i < API_WORKLOADS; i++) {
		const struct api_workload_type *t = api_workload_type((enum api_workload_kind)i);

		if (!t->kind || !t->group || !t->versions[0] || !t->plural || !t->singular ||
		    !t->template[0])
			fail_msg("kind %d has no whole row", i);
		assert_ptr_equal(api_workload_type_find(t->group, t->plural), t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_many_more),    cmocka_unit_test(each_kind_has_a_row),
		cmocka_unit_test(templates),        cmocka_unit_test(legacy_annotations),
		cmocka_unit_test(ids_of_workloads), cmocka_unit_test(ids_of_pods),
		cmocka_unit_test(ordinals),         cmocka_unit_test(replicas_default_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
