/* SPDX-License-Identifier: Apache-2.0 */
#include "api/owner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

static struct api_owner decode(const char *text)
{
	AUTO(jdoc_free) struct jdoc *doc = NULL;
	struct api_owner o = {0};
	struct err e = {0};
	struct jval root;

	assert_int_equal(jdoc_parse("t", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(api_owner_decode(&root, &o, &e), 0);
	return o;
}

static void the_controlling_one(void **state)
{
	AUTO(api_owner_done)
	struct api_owner none =
		decode("{\"ownerReferences\":[{\"kind\":\"Secret\",\"name\":\"s\"}]}");
	AUTO(api_owner_done)
	struct api_owner o = decode(
		"{\"ownerReferences\":[{\"kind\":\"Secret\",\"name\":\"s\"},{\"controller\":true,"
		"\"apiVersion\":\"apps.kruise.io/v1alpha1\",\"kind\":\"CloneSet\",\"name\":\"web\","
		"\"uid\":\"u-1\"}]}");
	AUTO(free) char *id = api_owner_id(&o, "db");
	AUTO(api_owner_done) struct api_owner back = {0};
	AUTO(free) char *ns = NULL;

	(void)state;
	assert_string_equal(none.kind, "");
	assert_string_equal(id, "CloneSet db/web apps.kruise.io/v1alpha1 u-1");
	assert_true(api_owner_is(&o, "apps.kruise.io", "CloneSet"));
	assert_false(api_owner_is(&o, "apps", "CloneSet"));
	assert_false(api_owner_is(&o, "apps.kruise.io", "Clone"));
	assert_false(api_owner_is(&o, "", "CloneSet"));
	assert_true(api_owner_parse(id, &back, &ns));
	assert_string_equal(ns, "db");
	assert_string_equal(back.api_version, "apps.kruise.io/v1alpha1");
	assert_string_equal(back.kind, "CloneSet");
	assert_string_equal(back.name, "web");
	assert_string_equal(back.uid, "u-1");
}

/* The server takes any text: an id must not come out that is another namespace's. */
static void what_is_no_reference(void **state)
{
	static const char *const cases[] = {
		"\"apiVersion\":\"a/v1\",\"kind\":\"X other/web a/v1 u\",\"name\":\"n\",\"uid\":\"u\"",
		"\"apiVersion\":\"a/v1\",\"kind\":\"X\",\"name\":\"n/m\",\"uid\":\"u\"",
		"\"apiVersion\":\"a/v1 u\",\"kind\":\"X\",\"name\":\"n\",\"uid\":\"u\"",
		"\"apiVersion\":\"a/v1\",\"kind\":\"X\",\"name\":\"n\",\"uid\":\"u v\"",
		"\"apiVersion\":\"a/v1\",\"kind\":\"X\",\"name\":\"\",\"uid\":\"u\"",
		"\"kind\":\"X\",\"name\":\"n\",\"uid\":\"u\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *text =
			xasprintf("{\"ownerReferences\":[{\"controller\":true,%s}]}", cases[i]);
		AUTO(api_owner_done) struct api_owner o = decode(text);

		assert_string_equal(o.kind, "");
	}
}

static void others_ids(void **state)
{
	static const struct {
		const char *id, *title;
	} cases[] = {
		{"Deployment db/web", "Deployment db/web"},
		{"CloneSet db/web a/v1 u", "CloneSet db/web"},
		{"", ""},
		{"x", "x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *title = api_owner_title(cases[i].id);

		assert_string_equal(title, cases[i].title);
	}
	for (const char *const *id =
		     (const char *const[]){"Deployment db/web", "", "a b/c d", "a b c d e",
					   "a /c d e", "a b/ d e", "a b/c d ", NULL};
	     *id; id++) {
		struct api_owner o = {0};
		char *ns = NULL;

		assert_false(api_owner_parse(*id, &o, &ns));
		assert_null(ns);
		assert_null(o.kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_controlling_one),
		cmocka_unit_test(what_is_no_reference),
		cmocka_unit_test(others_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
