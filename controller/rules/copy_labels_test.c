/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/copy_labels.h"

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jwrite.h"

#define FROM                                                \
	"team\0a\0teams\0b\0app.kubernetes.io/part-of\0x\0" \
	"app.kubernetes.io/managed-by\0helm\0tandem-cni.io/service\0y\0"

static void what_is_copied(void **state)
{
	static const struct {
		const char *list, *have, *text;
		bool eq;
	} cases[] = {
		{NULL, "", "{}", true},
		{"team", NULL, "{\"team\":\"a\"}", false},
		{"team", "team\0a\0", "{\"team\":\"a\"}", true},
		{"team", "team\0b\0", "{\"team\":\"a\"}", false},
		{"team*", NULL, "{\"team\":\"a\",\"teams\":\"b\"}", false},
		{"tea", NULL, "{}", true},
		{"nosuch,team", NULL, "{\"team\":\"a\"}", false},
		/* By the last two the halves are known: never theirs to copy. */
		{"app.kubernetes.io/*,tandem-cni.io/service", NULL,
		 "{\"app.kubernetes.io/part-of\":\"x\"}", false},
		{"*", NULL, "{\"team\":\"a\",\"teams\":\"b\",\"app.kubernetes.io/part-of\":\"x\"}",
		 false},
		/* What the Service has no more goes; what nobody named stays as it is. */
		{"team,tier", "team\0a\0tier\0front\0own\0z\0", "{\"team\":\"a\",\"tier\":null}",
		 false},
		{"team", "team\0a\0own\0z\0", "{\"team\":\"a\"}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(sb_done) struct sb sb = SB_INIT;
		struct jw w = jw_init(&sb);

		jw_obj(&w);
		copy_labels_write(&w, cases[i].list, FROM, cases[i].have);
		jw_end(&w);
		jw_finish(&w);
		assert_string_equal(sb_get(&sb), cases[i].text);
		assert_int_equal(copy_labels_eq(cases[i].list, FROM, cases[i].have), cases[i].eq);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *list, *msg;
	} cases[] = {
		{NULL, ""},
		{"team,app.kubernetes.io/*,*", ""},
		{"", "--copy-labels: \"\" has an empty entry"},
		{"a,,b",
		 "--copy-labels: \"\" is no label key, nor the beginning of one with * at its end"},
		{"a,", "--copy-labels: \"a,\" has an empty entry"},
		{"a b",
		 "--copy-labels: \"a b\" is no label key, nor the beginning of one with * at its end"},
		{"x,te*am",
		 "--copy-labels: \"te*am\" is no label key, nor the beginning of one with * at its end"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = {0};
		int rc = copy_labels_check(cases[i].list, &e);

		assert_int_equal(rc, *cases[i].msg ? -1 : 0);
		assert_string_equal(e.msg, cases[i].msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_copied),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
