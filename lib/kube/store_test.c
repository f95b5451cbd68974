/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/json/jread.h"
#include "lib/kube/store.h"

/* Objects are {"metadata":{...},"v":"text"}; "-" is not of interest, none is malformed. */
static int decode(void *ctx, const struct jval *obj, void **out, struct err *e)
{
	const char *v;

	(void)ctx;
	if (jneed_str(obj, "v", &v, e))
		return -1;
	*out = strcmp(v, "-") ? xstrdup(v) : NULL;
	return 0;
}

static void changed(void *ctx, const char *key, const void *old, const void *obj)
{
	sb_printf(ctx, "%s:%s>%s ", key, old ? (const char *)old : "",
		  obj ? (const char *)obj : "");
}

static void synced(void *ctx)
{
	sb_puts(ctx, "synced ");
}

static void bad(void *ctx, const char *key, const struct err *why)
{
	(void)why;
	sb_printf(ctx, "bad %s ", key);
}

static const struct kube_store_ops ops = {
	.decode = decode, .free = free, .changed = changed, .synced = synced, .bad = bad};

static int with_object(struct kube_store *s, const char *text,
		       int (*f)(struct kube_store *, const struct jval *, struct err *))
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	return f(s, &root, &e);
}

static void set(struct kube_store *s, const char *name, const char *version, const char *v)
{
	AUTO(free)
	char *text = xasprintf(
		"{\"metadata\":{\"namespace\":\"n\",\"name\":\"%s\",\"resourceVersion\":\"%s\"},\"v\":%s}",
		name, version, v);

	assert_int_equal(with_object(s, text, kube_store_set), 0);
}

static void drop(struct kube_store *s, const char *name)
{
	AUTO(free)
	char *text = xasprintf("{\"metadata\":{\"namespace\":\"n\",\"name\":\"%s\"}}", name);

	assert_int_equal(with_object(s, text, kube_store_remove), 0);
}

static void expect(struct sb *log, const char *want)
{
	assert_string_equal(sb_get(log), want);
	sb_clear(log);
}

static void test_changes(void **state)
{
	AUTO(sb_done) struct sb log = SB_INIT;
	AUTO(kube_store_free) struct kube_store *s = kube_store_new(&ops, &log);

	(void)state;
	set(s, "a", "1", "\"one\"");
	set(s, "a", "1", "\"same version\"");
	set(s, "a", "2", "\"two\"");
	expect(&log, "n/a:>one n/a:one>two ");
	assert_string_equal(kube_store_get(s, "n", "a"), "two");
	assert_string_equal(kube_store_get_key(s, "n/a"), "two");
	assert_string_equal(kube_store_version(s, "n/a"), "2");
	assert_null(kube_store_get(s, "n", "b"));
	assert_null(kube_store_get(s, "", "a"));
	set(s, "b", "3", "\"-\"");
	expect(&log, "");
	assert_null(kube_store_get(s, "n", "b"));
	assert_null(kube_store_version(s, "n/b"));
	set(s, "a", "4", "17");
	expect(&log, "bad n/a n/a:two> ");
	assert_int_equal(kube_store_count(s), 0);
	set(s, "a", "5", "\"five\"");
	drop(s, "a");
	drop(s, "a");
	drop(s, "never");
	expect(&log, "n/a:>five n/a:five> ");
	assert_int_equal(kube_store_count(s), 0);
}

static void test_lists(void **state)
{
	AUTO(sb_done) struct sb log = SB_INIT;
	AUTO(kube_store_free) struct kube_store *s = kube_store_new(&ops, &log);

	(void)state;
	kube_store_list_begin(s);
	set(s, "a", "1", "\"a\"");
	set(s, "b", "2", "\"b\"");
	assert_false(kube_store_is_synced(s));
	kube_store_list_end(s);
	assert_true(kube_store_is_synced(s));
	expect(&log, "n/a:>a n/b:>b synced ");
	/* Started over in the middle: what only the first try saw is gone. */
	kube_store_list_begin(s);
	set(s, "c", "3", "\"c\"");
	kube_store_list_begin(s);
	set(s, "b", "2", "\"b\"");
	expect(&log, "n/c:>c ");
	kube_store_list_end(s);
	assert_int_equal(kube_store_count(s), 1);
	assert_string_equal(kube_store_get(s, "n", "b"), "b");
	assert_non_null(strstr(sb_get(&log), "n/a:a> "));
	assert_non_null(strstr(sb_get(&log), "n/c:c> "));
	assert_int_equal(log.len, strlen("n/a:a> n/c:c> synced "));
}

static void test_keys(void **state)
{
	AUTO(sb_done) struct sb log = SB_INIT;
	AUTO(kube_store_free) struct kube_store *s = kube_store_new(&ops, &log);
	const char *unnamed[] = {"{}", "{\"metadata\":{}}", "{\"metadata\":{\"name\":\"\"}}",
				 "{\"metadata\":{\"name\":7}}", "{\"metadata\":[]}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unnamed); i++) {
		assert_int_equal(with_object(s, unnamed[i], kube_store_set), -1);
		assert_int_equal(with_object(s, unnamed[i], kube_store_remove), -1);
	}
	assert_int_equal(with_object(s, "{\"metadata\":{\"name\":\"node\"},\"v\":\"x\"}",
				     kube_store_set),
			 0);
	expect(&log, "node:>x ");
	assert_string_equal(kube_store_get(s, NULL, "node"), "x");
	assert_string_equal(kube_store_get(s, "", "node"), "x");
}

static void test_twenty_thousand(void **state)
{
	enum { N = 20000 };
	AUTO(sb_done) struct sb log = SB_INIT;
	AUTO(kube_store_free) struct kube_store *s = kube_store_new(&ops, &log);
	size_t seen = 0;
	char name[32];

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "pod-%d", i);
		set(s, name, "1", "\"x\"");
	}
	assert_int_equal(kube_store_count(s), N);
	for (int i = 0; i < N; i += 2) {
		snprintf(name, sizeof(name), "pod-%d", i);
		drop(s, name);
	}
	assert_int_equal(kube_store_count(s), N / 2);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "pod-%d", i);
		assert_int_equal(kube_store_get(s, "n", name) != NULL, i % 2);
	}
	for (size_t pos = 0; kube_store_each(s, &pos, NULL);)
		seen++;
	assert_int_equal(seen, N / 2);
	/* A list that has none of them but one. */
	kube_store_list_begin(s);
	set(s, "pod-1", "1", "\"x\"");
	kube_store_list_end(s);
	assert_int_equal(kube_store_count(s), 1);
	assert_non_null(kube_store_get(s, "n", "pod-1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_twenty_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
