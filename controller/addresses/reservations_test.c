/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <stdio.h>
#include <string.h>

#include "api/pod.h"
#include "api/workload.h"
#include "controller/cluster/cluster.h"
#include "controller/cluster/owners.h"
#include "controller/process/process.h"
#include "ipam/set.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"
#include "lib/json/text_test.h"
#include "lib/kube/store.h"

struct fixture {
	struct cluster *cluster;
	struct owners *owners;
	struct reservations *all;
};

static void feed(struct fixture *x, enum cluster_kind kind, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = json_text(text);
	struct jval root = jdoc_root(doc);
	struct err e = {0};

	assert_int_equal(kube_store_set(cluster_store(x->cluster, kind), &root, &e), 0);
}

static const struct process process;

static void begin(struct fixture *x)
{
	struct cluster_options opt = {.system_ns = "kube-system"};

	x->cluster = cluster_new(&opt);
	x->owners = owners_new(&process);
	x->all = reservations_new(x->cluster, x->owners);
}

static void end(struct fixture *x)
{
	cluster_free(x->cluster);
	owners_free(x->owners);
	reservations_free(x->all);
}

/* A subnet "net" with that in its spec and in its allocation. */
static void feed_subnet(struct fixture *x, int version, const char *spec, const char *allocation)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	sb_printf(
		&sb,
		"{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"net\",\"uid\":\"s\","
		"\"resourceVersion\":\"%d\",\"generation\":%d},\"spec\":{\"master\":\"ens4\","
		"\"cidr\":\"10.1.0.0/24\"%s},\"status\":{\"allocation\":{\"term\":1,\"commit\":1%s}}}",
		version, *spec ? 2 : 1, spec, allocation);
	feed(x, CLUSTER_SUBNETS, sb_get(&sb));
}

/* Created in that second, in that version. Number n is 10.1.0.n, 256 is 10.1.1.0. */
static void feed_version(struct fixture *x, const char *ns, const char *name, const int numbers[2],
			 int second, int version)
{
	AUTO(sb_done) struct sb sb = SB_INIT;

	sb_printf(&sb,
		  "{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s-%s\","
		  "\"resourceVersion\":\"%d\",\"creationTimestamp\":\"2026-01-01T00:00:%02dZ\"},"
		  "\"spec\":{\"replicas\":0,\"template\":{\"metadata\":{\"annotations\":{"
		  "\"tandem-cni.io/subnet\":\"net\",\"tandem-cni.io/ip\":\"",
		  ns, name, ns, name, version, second);
	for (int i = numbers[0]; i <= numbers[1]; i++)
		sb_printf(&sb, "%s10.1.%d.%d", i > numbers[0] ? "-" : "", i / 256, i % 256);
	sb_puts(&sb, "\"}}}}}");
	feed(x, (enum cluster_kind)(CLUSTER_WORKLOADS + API_DEPLOYMENT), sb_get(&sb));
}

/* A Deployment ns/name without pods that names the numbers first to last. */
static void feed_workload(struct fixture *x, const char *ns, const char *name, int first, int last)
{
	static int second;

	feed_version(x, ns, name, (int[]){first, last}, second++ % 60, 1);
}

/* The one that number n is kept for: "ns/name", "" for nobody. */
static const char *keeper(struct fixture *x, int n)
{
	static char out[64];
	char text[IP_ADDR_LEN];
	struct ip_addr addr;
	const char *id;

	snprintf(text, sizeof(text), "10.1.%d.%d", n / 256, n % 256);
	assert_int_equal(ip_parse(text, &addr), 0);
	id = reservations_find(x->all, "net", &addr);
	out[0] = '\0';
	if (id)
		snprintf(out, sizeof(out), "%s", id + strcspn(id, " ") + 1);
	assert_int_equal(ipam_set_has(reservations_named(x->all, "net"), &addr), id != NULL);
	return out;
}

static void what_no_pod_has_had_is_kept_up_to_a_bound(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	feed_subnet(&x, 1, "", "");
	feed_workload(&x, "a", "first", 10, 29);
	feed_workload(&x, "a", "second", 40, 40);
	feed_workload(&x, "b", "other", 28, 41);
	assert_string_equal(keeper(&x, 10), "a/first");
	assert_string_equal(keeper(&x, 25), "a/first");
	assert_string_equal(keeper(&x, 26), "");
	/* Another namespace has a bound of its own. */
	assert_string_equal(keeper(&x, 28), "b/other");
	assert_string_equal(keeper(&x, 40), "b/other");
	assert_int_equal(ipam_set_count(reservations_named(x.all, "net")), 16 + 14);
	end(&x);
}

static void what_a_pod_has_had_is_kept(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	feed_subnet(&x, 1, "", "");
	feed_workload(&x, "a", "first", 10, 40);
	feed_workload(&x, "a", "second", 40, 40);
	assert_string_equal(keeper(&x, 40), "");
	feed_subnet(
		&x, 2, "",
		",\"claimed\":[{\"by\":\"Deployment a/second\",\"addresses\":[\"10.1.0.0/24 40\"]},"
		"{\"by\":\"Deployment a/gone\",\"addresses\":[\"10.1.0.0/24 39\"]}]");
	/* Though an older one names it, too. */
	assert_string_equal(keeper(&x, 40), "a/second");
	assert_string_equal(keeper(&x, 39), "");
	assert_string_equal(keeper(&x, 25), "a/first");
	assert_int_equal(ipam_set_count(reservations_named(x.all, "net")), 16 + 1);
	end(&x);
}

static void no_namespace_keeps_more_than_its_share(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	feed_subnet(
		&x, 1, ",\"maxPerNamespace\":4",
		",\"claimed\":[{\"by\":\"Deployment a/second\",\"addresses\":[\"10.1.0.0/24 40\"]}]");
	feed_workload(&x, "a", "first", 10, 29);
	feed_workload(&x, "a", "second", 40, 40);
	assert_string_equal(keeper(&x, 40), "a/second");
	assert_string_equal(keeper(&x, 12), "a/first");
	assert_string_equal(keeper(&x, 13), "");
	feed_subnet(&x, 2, ",\"maxPerNamespace\":2", "");
	assert_int_equal(ipam_set_count(reservations_named(x.all, "net")), 2);
	end(&x);
}

static void naming_is_asked_of_the_template(void **state)
{
	struct ip_addr addr;
	struct fixture x;

	(void)state;
	begin(&x);
	feed_workload(&x, "a", "first", 10, 40);
	assert_int_equal(ip_parse("10.1.0.40", &addr), 0);
	assert_true(reservations_names(x.all, "Deployment a/first", "net", &addr));
	assert_false(reservations_names(x.all, "Deployment a/first", "other", &addr));
	assert_false(reservations_names(x.all, "Deployment b/first", "net", &addr));
	assert_false(reservations_names(x.all, NULL, "net", &addr));
	assert_int_equal(ip_parse("10.1.0.41", &addr), 0);
	assert_false(reservations_names(x.all, "Deployment a/first", "net", &addr));
	end(&x);
}

static void what_asks_for_nothing_else_is_not_worked_out_again(void **state)
{
	struct fixture x;

	(void)state;
	begin(&x);
	feed_subnet(&x, 1, "", "");
	feed_version(&x, "a", "first", (int[]){10, 12}, 1, 1);
	feed_version(&x, "a", "second", (int[]){12, 13}, 2, 1);
	assert_string_equal(keeper(&x, 12), "a/first");
	assert_int_equal(reservations_refreshed(x.all), 1);
	/* A status counted up: another object, whose names are found in it all the same. */
	feed_version(&x, "a", "first", (int[]){10, 12}, 1, 2);
	feed_version(&x, "a", "second", (int[]){12, 13}, 2, 2);
	assert_string_equal(keeper(&x, 12), "a/first");
	assert_string_equal(keeper(&x, 13), "a/second");
	assert_int_equal(reservations_refreshed(x.all), 1);
	/* What names nothing changes nothing. */
	feed_version(&x, "a", "third", (int[]){1, 0}, 3, 1);
	assert_string_equal(keeper(&x, 10), "a/first");
	assert_int_equal(reservations_refreshed(x.all), 1);
	feed_version(&x, "a", "first", (int[]){10, 11}, 1, 3);
	assert_string_equal(keeper(&x, 12), "a/second");
	assert_int_equal(reservations_refreshed(x.all), 2);
	end(&x);
}

static void the_names_that_are_looked_at_are_bounded(void **state)
{
	static const char had[] =
		",\"claimed\":[{\"by\":\"Deployment a/had\",\"addresses\":["
		"\"10.1.0.0/24 0-255\",\"10.1.1.0/24 0-255\",\"10.1.2.0/24 0-255\","
		"\"10.1.3.0/24 0-255\"]}]";
	struct fixture x;
	char name[16];

	(void)state;
	begin(&x);
	feed_subnet(&x, 1, "", had);
	feed_version(&x, "a", "had", (int[]){0, 1023}, 0, 1);
	feed_version(&x, "a", "more", (int[]){1024, 1024}, 1, 1);
	/* 16 lists of 1,024, but for one name all of what another namespace keeps. */
	for (int i = 1; i <= 15; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		feed_version(&x, "b", name, (int[]){0, 1023}, i, 1);
	}
	feed_version(&x, "b", "last", (int[]){2, 1025}, 16, 1);
	feed_version(&x, "b", "late", (int[]){1026, 1026}, 17, 1);
	assert_string_equal(keeper(&x, 1023), "a/had");
	assert_string_equal(keeper(&x, 1024), "a/more");
	assert_string_equal(keeper(&x, 1025), "b/last");
	assert_string_equal(keeper(&x, 1026), "b/late");
	/* One more, and what is named after it is not kept. */
	feed_version(&x, "b", "last", (int[]){1, 1024}, 16, 2);
	assert_string_equal(keeper(&x, 1026), "");
	/* What a namespace's own pods have had does not count. */
	feed_version(&x, "a", "next", (int[]){1027, 1027}, 18, 1);
	assert_string_equal(keeper(&x, 1027), "a/next");
	end(&x);
}

#define CLONES(ns, name, uid) "CloneSet " ns "/" name " apps.kruise.io/v1alpha1 " uid

/* Of another kind: what its pods have had, while it exists; a little of one that cannot be read; none of one that went. */
static void owners_of_other_kinds_keep_what_they_have_had(void **state)
{
	struct ip_addr addr;
	struct fixture x;

	(void)state;
	begin(&x);
	feed_subnet(
		&x, 1, ",\"maxPerNamespace\":18",
		",\"claimed\":[{\"by\":\"" CLONES(
			"a", "web",
			"u1") "\",\"addresses\":["
			      "\"10.1.0.0/24 40-60\"]},{\"by\":\"" CLONES(
				      "b", "db",
				      "u2") "\","
					    "\"addresses\":[\"10.1.0.0/24 80-99\"]},{\"by\":\"Deployment a/gone\","
					    "\"addresses\":[\"10.1.0.0/24 39\"]}]");
	/* Until it is known what they are they keep. */
	assert_string_equal(keeper(&x, 40), "a/web apps.kruise.io/v1alpha1 u1");
	assert_string_equal(keeper(&x, 80), "b/db apps.kruise.io/v1alpha1 u2");
	assert_string_equal(keeper(&x, 39), "");
	owners_set(x.owners, CLONES("a", "web", "u1"), OWNERS_EXISTS);
	owners_set(x.owners, CLONES("b", "db", "u2"), OWNERS_UNREADABLE);
	/* No more than its namespace's share, */
	assert_string_equal(keeper(&x, 57), "a/web apps.kruise.io/v1alpha1 u1");
	assert_string_equal(keeper(&x, 58), "");
	/* and no more than what is kept without proof. */
	assert_string_equal(keeper(&x, 95), "b/db apps.kruise.io/v1alpha1 u2");
	assert_string_equal(keeper(&x, 96), "");
	assert_int_equal(ip_parse("10.1.0.40", &addr), 0);
	assert_true(reservations_names(x.all, CLONES("a", "web", "u1"), "net", &addr));
	owners_set(x.owners, CLONES("a", "web", "u1"), OWNERS_GONE);
	assert_string_equal(keeper(&x, 40), "");
	assert_false(reservations_names(x.all, CLONES("a", "web", "u1"), "net", &addr));
	end(&x);
}

static struct api_pod pod_of(struct api_owner owner, const char *ns)
{
	return (struct api_pod){.meta.ns = (char *)ns,
				.owner = owner,
				.template_hash = (char *)"",
				.annotations.request.n_ips = 1};
}

static void assert_owner(struct fixture *x, const struct api_pod *pod, bool known, const char *id)
{
	AUTO(free) char *out = NULL;

	assert_int_equal(reservations_pod_owner(x->all, pod, &out), known);
	if (id)
		assert_string_equal(out, id);
	else
		assert_null(out);
}

/* A pod says of its owner what it likes. */
static void who_does_not_exist_owns_nothing(void **state)
{
	struct api_pod pod =
		pod_of((struct api_owner){(char *)"apps.kruise.io/v1alpha1", (char *)"CloneSet",
					  (char *)"web", (char *)"u1"},
		       "a");
	struct api_pod set = pod_of((struct api_owner){(char *)"apps/v1", (char *)"StatefulSet",
						       (char *)"db", (char *)"other"},
				    "a");
	struct fixture x;

	(void)state;
	begin(&x);
	assert_owner(&x, &pod, false, NULL);
	owners_set(x.owners, CLONES("a", "web", "u1"), OWNERS_GONE);
	assert_owner(&x, &pod, true, NULL);
	owners_set(x.owners, CLONES("a", "web", "u1"), OWNERS_UNREADABLE);
	assert_owner(&x, &pod, true, CLONES("a", "web", "u1"));
	owners_set(x.owners, CLONES("a", "web", "u1"), OWNERS_EXISTS);
	assert_owner(&x, &pod, true, CLONES("a", "web", "u1"));
	/* Who names no address costs no question. */
	pod.annotations.request.n_ips = 0;
	pod.owner.uid = (char *)"u9";
	assert_owner(&x, &pod, true, NULL);
	/* Nor is a StatefulSet of another UID its own. */
	assert_owner(&x, &set, true, "StatefulSet a/db");
	feed(&x, (enum cluster_kind)(CLUSTER_WORKLOADS + API_STATEFULSET),
	     "{\"metadata\":{\"namespace\":\"a\",\"name\":\"db\",\"uid\":\"real\","
	     "\"resourceVersion\":\"1\"},\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
	     "\"tandem-cni.io/subnet\":\"net\"}}}}}");
	assert_owner(&x, &set, true, NULL);
	set.owner.uid = (char *)"real";
	assert_owner(&x, &set, true, "StatefulSet a/db");
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_pod_has_had_is_kept_up_to_a_bound),
		cmocka_unit_test(what_a_pod_has_had_is_kept),
		cmocka_unit_test(no_namespace_keeps_more_than_its_share),
		cmocka_unit_test(what_asks_for_nothing_else_is_not_worked_out_again),
		cmocka_unit_test(the_names_that_are_looked_at_are_bounded),
		cmocka_unit_test(naming_is_asked_of_the_template),
		cmocka_unit_test(owners_of_other_kinds_keep_what_they_have_had),
		cmocka_unit_test(who_does_not_exist_owns_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
