/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include "lib/kube/path.h"

static void check_path(const char *want, const char *const part[5])
{
	AUTO(free) char *path = kube_path(part[0], part[1], part[2], part[3], part[4]);

	assert_string_equal(path, want);
}

static void test_paths(void **state)
{
	static const struct {
		const char *part[5], *want;
	} rows[] = {
		{{"v1", NULL, "pods", NULL, NULL}, "/api/v1/pods"},
		{{"v1", "a", "pods", NULL, NULL}, "/api/v1/namespaces/a/pods"},
		{{"v1", "a", "pods", "b-1.x", NULL}, "/api/v1/namespaces/a/pods/b-1.x"},
		{{"v1", "a", "pods", "b", "status"}, "/api/v1/namespaces/a/pods/b/status"},
		{{"v1", "a", "pods", NULL, "status"}, "/api/v1/namespaces/a/pods"},
		{{"v1", NULL, "nodes", "n", NULL}, "/api/v1/nodes/n"},
		{{"tandem-cni.io/v1", NULL, "macvlanips", NULL, NULL},
		 "/apis/tandem-cni.io/v1/macvlanips"},
		{{"tandem-cni.io/v1", "a", "macvlanips", "p", "status"},
		 "/apis/tandem-cni.io/v1/namespaces/a/macvlanips/p/status"},
		{{"v1", "../x", "pods", "a/b?c#d%", NULL},
		 "/api/v1/namespaces/..%2Fx/pods/a%2Fb%3Fc%23d%25"},
		{{"v1", "..", "pods", ".", NULL}, "/api/v1/namespaces/%2E%2E/pods/%2E"},
		{{"v1", "a b", "pods", "\xc3\xa9\x01", NULL},
		 "/api/v1/namespaces/a%20b/pods/%C3%A9%01"},
		{{"v1", "", "pods", "", NULL}, "/api/v1/namespaces//pods/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_path(rows[i].want, rows[i].part);
}

static void test_child(void **state)
{
	AUTO(free) char *path = kube_path_child("/api/v1/pods", "a/../b");

	(void)state;
	assert_string_equal(path, "/api/v1/pods/a%2F..%2Fb");
}

static void test_queries(void **state)
{
	AUTO(sb_done) struct sb q = SB_INIT;

	(void)state;
	kube_query_add(&q, "continue", NULL);
	assert_string_equal(sb_get(&q), "");
	kube_query_add(&q, "labelSelector", "app in (a,b),x=y&z");
	kube_query_add_number(&q, "limit", 500);
	kube_query_add(&q, "continue", "ab+/=");
	assert_string_equal(sb_get(&q), "labelSelector=app%20in%20%28a%2Cb%29%2Cx%3Dy%26z&limit=500"
					"&continue=ab%2B%2F%3D");
}

static void test_field_selector(void **state)
{
	AUTO(sb_done) struct sb q = SB_INIT;

	(void)state;
	kube_query_add_field(&q, "metadata.name", "pod-1");
	assert_string_equal(sb_get(&q), "fieldSelector=metadata.name%3Dpod-1");
	sb_clear(&q);
	/* "a,metadata.namespace=b" stays one value. */
	kube_query_add_field(&q, "metadata.name", "a,n=b\\");
	assert_string_equal(sb_get(&q), "fieldSelector=metadata.name%3Da%5C%2Cn%5C%3Db%5C%5C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_field_selector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
