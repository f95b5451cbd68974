/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time_test.h"
#include "delegate/chain.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/sb.h"

#include "delegate/load_test.h"

static void names_and_notes(void **state)
{
	AUTO(chain_free)
	struct chain *own = load_as("{\"name\":\"cbr0\",\"type\":\"one\"}", "tandem-net");
	AUTO(chain_free) struct chain *ours = load_as("{\"type\":\"one\"}", "tandem-net");
	AUTO(chain_free) struct chain *same = load_as("{\"name\":\"a\",\"type\":\"one\"}", "a");

	(void)state;
	assert_string_equal(chain_name(own), "cbr0");
	assert_string_equal(
		chain_note(own),
		"delegate: its network is named \"cbr0\", ours \"tandem-net\"; runtimes "
		"clean up by our name, plugins by theirs; use one name");
	assert_string_equal(chain_name(ours), "tandem-net");
	assert_null(chain_note(ours));
	assert_null(chain_note(same));
	assert_int_equal(chain_version(ours), CNI_0_1_0);
	assert_int_equal(chain_len(ours), 1);
	assert_string_equal(chain_type(ours, 0), "one");
}

static void the_highest_version_that_we_know(void **state)
{
	static const struct {
		const char *conf;
		enum cni_version v;
	} good[] = {
		{"{\"type\":\"a\",\"cniVersion\":\"0.3.1\"}", CNI_0_3_1},
		{"{\"type\":\"a\",\"cniVersion\":\"\"}", CNI_0_1_0},
		{"{\"type\":\"a\",\"cniVersions\":[\"0.4.0\",\"1.0.0\",\"9.9.9\"]}", CNI_1_0_0},
		{"{\"type\":\"a\",\"cniVersion\":\"1.1.0\",\"cniVersions\":[\"0.4.0\"]}",
		 CNI_1_1_0},
		{"{\"type\":\"a\",\"cniVersion\":\"2.0.0\",\"cniVersions\":[\"0.4.0\"]}",
		 CNI_0_4_0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(chain_free) struct chain *c = load(good[i].conf);

		assert_int_equal(chain_version(c), good[i].v);
	}
}

struct bad {
	const char *text;
	enum err_kind kind;
	const char *msg;
};

static const struct bad bads[] = {
	{"", ERR_DECODE, "delegate: empty, JSON was expected"},
	{"{\"type\":\"one\"", ERR_DECODE, "delegate: the text ends too early at byte 13"},
	{"{\"type\":\"one\"}{", ERR_DECODE, "delegate: something follows the JSON text at byte 14"},
	{"[]", ERR_DECODE, "delegate: must be an object"},
	{"{}", ERR_CONFIG, "delegate: plugins: there are none"},
	{"{\"plugins\":[]}", ERR_CONFIG, "delegate: plugins: there are none"},
	{"{\"plugins\":null}", ERR_CONFIG, "delegate: plugins: there are none"},
	{"{\"plugins\":{}}", ERR_DECODE, "delegate: plugins: must be an array"},
	{"{\"plugins\":[1]}", ERR_DECODE, "delegate: plugins[0]: must be an object"},
	{"{\"plugins\":[{\"type\":\"a\"},{}]}", ERR_CONFIG,
	 "delegate: plugins[1].type: is missing"},
	{"{\"plugins\":[{\"type\":1}]}", ERR_DECODE, "delegate: plugins[0].type: must be a string"},
	{"{\"type\":\"\"}", ERR_CONFIG, "delegate: type: is missing"},
	{"{\"type\":\"../sh\"}", ERR_CONFIG, "delegate: type: \"../sh\" is not a plugin type"},
	{"{\"type\":\"..\"}", ERR_CONFIG, "delegate: type: \"..\" is not a plugin type"},
	{"{\"type\":[]}", ERR_DECODE, "delegate: type: must be a string"},
	{"{\"type\":\"tandem\"}", ERR_CONFIG, "delegate: type: \"tandem\" must not run itself"},
	{"{\"plugins\":[{\"type\":\"a\"},{\"type\":\"tandem\"}]}", ERR_CONFIG,
	 "delegate: plugins[1].type: \"tandem\" must not run itself"},
	{"{\"name\":\"a b\",\"type\":\"a\"}", ERR_CONFIG,
	 "delegate: name: \"a b\" is not a network name"},
	{"{\"name\":7,\"type\":\"a\"}", ERR_DECODE, "delegate: name: must be a string"},
	{"{\"cniVersion\":\"3.0.0\",\"type\":\"a\"}", ERR_VERSION,
	 "delegate: cniVersion: \"3.0.0\" is not known"},
	{"{\"cniVersion\":1,\"type\":\"a\"}", ERR_DECODE, "delegate: cniVersion: must be a string"},
	{"{\"disableCheck\":\"yes\",\"plugins\":[{\"type\":\"a\"}]}", ERR_DECODE,
	 "delegate: disableCheck: must be true or false"},
};

static void malformed_chains_are_refused(void **state)
{
	struct chain *c = NULL;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		struct chain_source src = {.what = "delegate",
					   .text = jspan_of(bads[i].text),
					   .fallback_name = "cbr0",
					   .own_type = "tandem"};

		err_clear(&e);
		assert_int_equal(chain_load(&src, &c, &e), -1);
		assert_string_equal(e.msg, bads[i].msg);
		assert_int_equal(e.kind, bads[i].kind);
		assert_null(c);
	}
}

static void without_any_name(void **state)
{
	struct chain_source src = {.what = "f",
				   .text = jspan_of("{\"type\":\"a\"}"),
				   .fallback_name = NULL,
				   .own_type = NULL};
	struct chain *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(chain_load(&src, &c, &e), -1);
	assert_string_equal(e.msg, "f: name: is missing");
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void every_half_of_a_file_is_seen(void **state)
{
	struct chain *c = NULL;
	struct err e = {0};
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(list) - 1; n++) {
		struct chain_source src = {.what = "f",
					   .text = {list, n},
					   .fallback_name = "cbr0",
					   .own_type = "tandem"};

		assert_int_equal(chain_load(&src, &c, &e), -1);
		assert_int_equal(e.kind, ERR_DECODE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_notes),
		cmocka_unit_test(the_highest_version_that_we_know),
		cmocka_unit_test(malformed_chains_are_refused),
		cmocka_unit_test(without_any_name),
		cmocka_unit_test(every_half_of_a_file_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
