/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of a change, in which order, and who has a pod kept that asks for nothing. */
#include "lib/base/test.h"

#include <string.h>

#include "api/pod.h"
#include "controller/cluster/cluster.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/kube/store.h"

struct ear {
	const char *name;
	struct sb *heard; /* of all, in the order in which it is said */
	const char *keeps;
};

static void changed(void *ctx, enum cluster_kind kind, const char *key, const void *old,
		    const void *obj)
{
	const struct ear *ear = ctx;

	sb_printf(ear->heard, "%s:%d:%s:%s ", ear->name, (int)kind, key,
		  !old   ? "came"
		  : !obj ? "went"
			 : "changed");
}

static void listed(void *ctx, enum cluster_kind kind)
{
	const struct ear *ear = ctx;

	sb_printf(ear->heard, "%s:%d:listed ", ear->name, (int)kind);
}

static bool keeps(void *ctx, const char *key)
{
	const struct ear *ear = ctx;

	return str_eq(ear->keeps, key);
}

static const struct cluster_listener whole = {.changed = changed, .listed = listed, .keeps = keeps};
static const struct cluster_listener deaf = {.keeps = keeps};

/* Sets the object, or removes it. */
static void feed(struct cluster *c, enum cluster_kind kind, const char *text, bool there)
{
	struct kube_store *store = cluster_store(c, kind);
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("test", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(
		there ? kube_store_set(store, &root, &e) : kube_store_remove(store, &root, &e), 0);
}

static void assert_heard(struct sb *heard, const char *what)
{
	assert_string_equal(sb_get(heard), what);
	sb_clear(heard);
}

#define POD(name, version, rest)                                                  \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"" name "\",\"uid\":\"u\"," \
	"\"resourceVersion\":\"" version "\"" rest                                \
	"},\"spec\":{\"nodeName\":\"n1\",\"containers\":[{}]}}"
#define ASKS ",\"annotations\":{\"tandem-cni.io/subnet\":\"net\"}"
#define NODE(version, address)                                                             \
	"{\"metadata\":{\"name\":\"n1\",\"resourceVersion\":\"" version "\"},\"status\":{" \
	"\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"" address "\"}]}}"

static const struct cluster_options opt = {.system_ns = "kube-system"};

static void who_came_first_is_told_first(void **state)
{
	AUTO(cluster_free) struct cluster *c = cluster_new(&opt);
	AUTO(sb_done) struct sb heard = SB_INIT;
	struct ear a = {"a", &heard, NULL}, b = {"b", &heard, NULL}, n = {"n", &heard, NULL},
		   d = {"d", &heard, NULL};

	(void)state;
	cluster_listen(c, CLUSTER_BIT(CLUSTER_PODS), &whole, &b);
	cluster_listen(c, CLUSTER_BIT(CLUSTER_NODES), &whole, &n);
	cluster_listen(c, CLUSTER_BIT(CLUSTER_PODS) | CLUSTER_BIT(CLUSTER_NODES), &whole, &a);
	cluster_listen(c, CLUSTER_BIT(CLUSTER_PODS), &deaf, &d);
	feed(c, CLUSTER_PODS, POD("p", "1", ASKS), true);
	assert_heard(&heard, "b:2:d/p:came a:2:d/p:came ");
	feed(c, CLUSTER_PODS, POD("p", "2", ASKS ",\"labels\":{\"x\":\"y\"}"), true);
	assert_heard(&heard, "b:2:d/p:changed a:2:d/p:changed ");
	feed(c, CLUSTER_PODS, POD("p", "3", ASKS), false);
	assert_heard(&heard, "b:2:d/p:went a:2:d/p:went ");
	kube_store_list_begin(cluster_store(c, CLUSTER_NODES));
	feed(c, CLUSTER_NODES, NODE("1", "10.0.0.1"), true);
	assert_heard(&heard, "n:4:n1:came a:4:n1:came ");
	kube_store_list_end(cluster_store(c, CLUSTER_NODES));
	assert_heard(&heard, "n:4:listed a:4:listed ");
	/* A heartbeat is not told. */
	feed(c, CLUSTER_NODES, NODE("2", "10.0.0.1"), true);
	assert_heard(&heard, "");
	feed(c, CLUSTER_NODES, NODE("3", "10.0.0.2"), true);
	assert_heard(&heard, "n:4:n1:changed a:4:n1:changed ");
}

static void a_pod_is_kept_that_a_listener_keeps(void **state)
{
	AUTO(cluster_free) struct cluster *c = cluster_new(&opt);
	AUTO(sb_done) struct sb heard = SB_INIT;
	struct ear a = {"a", &heard, NULL}, d = {"d", &heard, "d/kept"};
	const struct api_pod *pod;
	const char *key;
	size_t pos = 0;

	(void)state;
	cluster_listen(c, CLUSTER_BIT(CLUSTER_PODS), &whole, &a);
	cluster_listen(c, CLUSTER_BIT(CLUSTER_NODES), &deaf, &d);
	feed(c, CLUSTER_PODS, POD("other", "1", ""), true);
	assert_heard(&heard, "");
	feed(c, CLUSTER_PODS, POD("kept", "1", ""), true);
	assert_heard(&heard, "a:2:d/kept:came ");
	pod = cluster_each(c, CLUSTER_PODS, &pos, &key);
	assert_non_null(pod);
	assert_string_equal(key, "d/kept");
	assert_null(cluster_each(c, CLUSTER_PODS, &pos, &key));
	/* Nobody keeps it any more: with its next change it goes. */
	d.keeps = NULL;
	feed(c, CLUSTER_PODS, POD("kept", "2", ",\"labels\":{\"x\":\"y\"}"), true);
	assert_heard(&heard, "a:2:d/kept:went ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_first_is_told_first),
		cmocka_unit_test(a_pod_is_kept_that_a_listener_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
