/* SPDX-License-Identifier: Apache-2.0 */
#include "api/labels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/test.h"
#include "lib/json/jread.h"

static char *decode(const char *text, int want)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char *out = NULL;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_labels_decode(&root, "labels", &out, &e), want);
	return out;
}

static void looked_up(void **state)
{
	AUTO(free)
	char *labels = decode("{\"labels\":{\"app\":\"a\",\"empty\":\"\",\"v\":\"2\"}}", 0);
	AUTO(free) char *some = decode("{\"labels\":{\"v\":\"2\",\"app\":\"a\"}}", 0);
	AUTO(free) char *other = decode("{\"labels\":{\"app\":\"b\"}}", 0);

	(void)state;
	assert_string_equal(api_labels_get(labels, "app"), "a");
	assert_string_equal(api_labels_get(labels, "empty"), "");
	/* A value is never taken for a key. */
	assert_null(api_labels_get(labels, "a"));
	assert_null(api_labels_get(NULL, "a"));
	assert_true(api_labels_have(labels, some));
	assert_false(api_labels_have(some, labels));
	assert_false(api_labels_have(labels, other));
	assert_false(api_labels_have(NULL, some));
	assert_true(api_labels_have(labels, NULL));
	assert_true(api_labels_eq(labels, labels));
	assert_false(api_labels_eq(labels, some));
	assert_false(api_labels_eq(labels, NULL));
	assert_true(api_labels_eq(NULL, NULL));
}

static void refused(void **state)
{
	(void)state;
	assert_null(decode("{\"labels\":{\"a\":1}}", -1));
	assert_null(decode("{\"labels\":[]}", -1));
	assert_null(decode("{\"labels\":{}}", 0));
	assert_null(decode("{}", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looked_up),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
