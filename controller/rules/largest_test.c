/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/largest.h"

#include <string.h>

#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jwrite.h"

static void three_are_told(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);
	char text[LARGEST_TEXT_LEN];
	struct largest l = {0};

	(void)state;
	assert_string_equal(largest_format(&l, text), "");
	largest_add(&l, "namespace c", 2);
	largest_add(&l, "namespace none", 0);
	largest_add(&l, "namespace b", 2);
	largest_add(&l, "Deployment a/web", 16);
	largest_add(&l, "namespace d", 1);
	largest_add(&l, "namespace e", 3);
	assert_string_equal(
		largest_format(&l, text),
		"; largest holders: Deployment a/web (16), namespace e (3), namespace b (2)");
	jw_obj(&w);
	largest_write(&w, &l);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(sb_get(&sb),
			    "{\"holders\":[{\"name\":\"Deployment a/web\",\"count\":16},"
			    "{\"name\":\"namespace e\",\"count\":3},"
			    "{\"name\":\"namespace b\",\"count\":2}]}");
}

static void long_names_are_cut(void **state)
{
	char text[LARGEST_TEXT_LEN], name[LARGEST_NAME_LEN + 20];
	struct largest l = {0};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < LARGEST_MAX; i++)
		largest_add(&l, name, (size_t)-1);
	assert_int_equal(strlen(l.items[2].name), LARGEST_NAME_LEN - 1);
	assert_true(strlen(largest_format(&l, text)) < LARGEST_TEXT_LEN - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_are_told),
		cmocka_unit_test(long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
