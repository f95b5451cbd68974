/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/addresses/reservations.h"

#include <stdio.h>
#include <string.h>

#include "api/workload.h"
#include "controller/cluster/cluster.h"
#include "ipam/set.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"
#include "lib/json/text_test.h"
#include "lib/kube/store.h"

struct fixture {
	struct cluster *cluster;
	struct reservations *all;
};

static void feed(struct fixture *x, enum cluster_kind kind, const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = json_text(text);
	struct jval root = jdoc_root(doc);
	struct err e = {0};

	assert_int_equal(kube_store_set(cluster_store(x->cluster, kind), &root, &e), 0);
}

static void begin(struct fixture *x)
{
	struct cluster_options opt = {.system_ns = "kube-system"};

	x->cluster = cluster_new(&opt);
	x->all = reservations_new(x->cluster);
}

static void end(struct fixture *x)
{
	cluster_free(x->cluster);
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
	const struct api_workload *w;

	snprintf(text, sizeof(text), "10.1.%d.%d", n / 256, n % 256);
	assert_int_equal(ip_parse(text, &addr), 0);
	w = reservations_find(x->all, "net", &addr);
	out[0] = '\0';
	if (w)
		snprintf(out, sizeof(out), "%s/%s", w->meta.ns, w->meta.name);
	assert_int_equal(ipam_set_has(reservations_named(x->all, "net"), &addr), w != NULL);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_pod_has_had_is_kept_up_to_a_bound),
		cmocka_unit_test(what_a_pod_has_had_is_kept),
		cmocka_unit_test(no_namespace_keeps_more_than_its_share),
		cmocka_unit_test(what_asks_for_nothing_else_is_not_worked_out_again),
		cmocka_unit_test(the_names_that_are_looked_at_are_bounded),
		cmocka_unit_test(naming_is_asked_of_the_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
