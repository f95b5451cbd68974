/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "node/install/platform.h"

static void names(void **state)
{
	static const char *const all[] = {"auto",    "microk8s", "rke2",   "k3s",
					  "k3s-old", "crio",     "kubeadm"};
	enum platform_kind kind;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(platform_parse(all[i], &kind), 0);
		assert_int_equal(kind, i);
		assert_string_equal(platform_name(kind), all[i]);
	}
	assert_int_equal(platform_parse("given", &kind), -1);
	assert_int_equal(platform_parse("", &kind), -1);
}

/* The words with a bar behind each; "none". */
static char *words(const char *text, const char *key)
{
	char **v = platform_toml(text, key);
	struct sb out = SB_INIT;

	for (size_t i = 0; v && v[i]; i++) {
		sb_printf(&out, "%s|", v[i]);
		free(v[i]);
	}
	if (!v)
		sb_puts(&out, "none");
	free(v);
	return sb_take(&out);
}

static void one_key_of_a_toml(void **state)
{
	static const struct {
		const char *text, *key, *words;
	} table[] = {
		{"", "k", "none"},
		{"k=\"a\"", "k", "a|"},
		{"\n[x.y]\n\t k = 'a b' # c\n", "k", "a b|"},
		{"#k = \"a\"\n", "k", "none"},
		{"kk = \"a\"\n", "k", "none"},
		{"my_k = \"a\"\n", "k", "none"},
		{"k = 12 # of\n", "k", "12|"},
		{"k = \"a\"\n[z]\nk = \"b\"\n", "k", "b|"},
		{"k = [\"a\", 'b']\n", "k", "a|b|"},
		{"k = [\n  \"a\", # one, \"x\"\n  \"b\",\n]\nl = 1\n", "k", "a|b|"},
		{"k = []\n", "k", "none"},
		{"k = [\"a", "k", "a|"},
		{"k = \"a", "k", "a|"},
		{"k = ", "k", "none"},
		{"k = \"\"", "k", "|"},
		{"k", "k", "none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		AUTO(free) char *got = words(table[i].text, table[i].key);

		if (!str_eq(got, table[i].words))
			fail_msg("row %zu: %s", i, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(one_key_of_a_toml),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
