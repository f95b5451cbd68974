/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/args.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

#define ALL "CNI_CONTAINERID=c1", "CNI_NETNS=/n", "CNI_IFNAME=eth0", "CNI_PATH=/bin"

struct env_case {
	const char *env[8];
	int rc;
	const char *msg;
};

static const struct env_case cases[] = {
	{{"HOME=/", NULL}, 0, ""},
	{{"CNI_COMMAND=", NULL}, 0, ""},
	{{"CNI_COMMAND=ADD", ALL, NULL}, 1, ""},
	{{"CNI_COMMAND=CHECK", ALL, NULL}, 1, ""},
	{{"CNI_COMMAND=DEL", ALL, NULL}, 1, ""},
	{{"CNI_COMMAND=VERSION", NULL}, 1, ""},
	{{"CNI_COMMAND=VERSION", "CNI_IFNAME=a/b", NULL}, 1, ""},
	{{"CNI_COMMAND=GC", "CNI_PATH=/bin", NULL}, 1, ""},
	{{"CNI_COMMAND=STATUS", "CNI_PATH=/bin", NULL}, 1, ""},
	{{"CNI_COMMAND=DEL", "CNI_CONTAINERID=c", "CNI_IFNAME=eth0", "CNI_PATH=/b", NULL}, 1, ""},
	{{"CNI_COMMAND=DEL", "CNI_CONTAINERID=c1", "CNI_NETNS=", "CNI_IFNAME=eth0", "CNI_PATH=/b",
	  NULL},
	 1,
	 ""},
	{{"CNI_COMMAND=ADD", NULL},
	 -1,
	 "ADD needs the environment variables CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"},
	{{"CNI_COMMAND=CHECK", NULL},
	 -1,
	 "CHECK needs the environment variables CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"},
	{{"CNI_COMMAND=DEL", NULL},
	 -1,
	 "DEL needs the environment variables CNI_CONTAINERID, CNI_IFNAME, CNI_PATH"},
	{{"CNI_COMMAND=GC", NULL}, -1, "GC needs the environment variables CNI_PATH"},
	{{"CNI_COMMAND=STATUS", NULL}, -1, "STATUS needs the environment variables CNI_PATH"},
	{{"CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_NETNS=", "CNI_IFNAME=eth0", "CNI_PATH=/b",
	  NULL},
	 -1,
	 "ADD needs the environment variables CNI_NETNS"},
	{{"CNI_COMMAND=add", ALL, NULL}, -1, "CNI_COMMAND: unknown verb \"add\""},
	{{"CNI_COMMAND=UPDATE", ALL, NULL}, -1, "CNI_COMMAND: unknown verb \"UPDATE\""},
	{{"CNI_COMMAND=ADD", ALL, "CNI_CONTAINERID=../x", NULL},
	 -1,
	 "CNI_CONTAINERID: \"../x\" is not a container ID"},
	{{"CNI_COMMAND=DEL", ALL, "CNI_CONTAINERID=a/b", NULL},
	 -1,
	 "CNI_CONTAINERID: \"a/b\" is not a container ID"},
	{{"CNI_COMMAND=ADD", ALL, "CNI_IFNAME=sixteen-bytes-no", NULL},
	 -1,
	 "CNI_IFNAME: \"sixteen-bytes-no\" is not an interface name (1 to 15 bytes, no slash, colon or "
	 "blank)"},
};

static void the_table_of_verbs(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cni_args_done) struct cni_args a = CNI_ARGS_INIT;
		struct err e = {0};

		assert_int_equal(cni_args_from_env((char *const *)cases[i].env, &a, &e),
				 cases[i].rc);
		assert_string_equal(e.msg, cases[i].msg);
		assert_int_equal(e.kind, cases[i].rc < 0 ? ERR_ENV : ERR_NONE);
		assert_true((a.container_id != NULL) == (cases[i].rc == 1));
	}
}

static void values_and_the_later_one_counts(void **state)
{
	static const char *const env[] = {
		"CNI_COMMAND=DEL", "CNI_COMMANDX=ADD",  ALL, "CNI_ARGS=A=1;B=2", "CNI_IFNAME=eth1",
		"CNI_COMMAND=ADD", "XCNI_IFNAME=other", NULL};
	AUTO(cni_args_done) struct cni_args a = CNI_ARGS_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(cni_args_from_env((char *const *)env, &a, &e), 1);
	assert_int_equal(a.command, CNI_ADD);
	assert_string_equal(a.container_id, "c1");
	assert_string_equal(a.netns, "/n");
	assert_string_equal(a.ifname, "eth1");
	assert_string_equal(a.cni_args, "A=1;B=2");
	assert_string_equal(a.path, "/bin");
}

static void args_by_key(void **state)
{
	static const char args[] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p-0;"
				   "VENDOR=x y;EMPTY=;K8S_POD_NAME=p-1";
	struct err e = {0};
	char *v = NULL;

	(void)state;
	assert_int_equal(cni_args_get(args, "K8S_POD_NAME", &v, &e), 1);
	assert_string_equal(v, "p-1");
	free(v);
	assert_int_equal(cni_args_get(args, "EMPTY", &v, &e), 1);
	assert_string_equal(v, "");
	free(v);
	v = NULL;
	assert_int_equal(cni_args_get(args, "K8S_POD", &v, &e), 0);
	assert_int_equal(cni_args_get("", "A", &v, &e), 0);
	assert_int_equal(cni_args_get(NULL, "A", &v, &e), 0);
	assert_int_equal(cni_args_get("A=1;;", "B", &v, &e), 0);
	assert_int_equal(cni_args_get("A=1;B", "A", &v, &e), -1);
	assert_string_equal(e.msg, "CNI_ARGS: \"B\" is not a KEY=VALUE");
	assert_int_equal(cni_args_get("A=1;=B", "A", &v, &e), -1);
	assert_int_equal(cni_args_get("B=1=2;A=1", "A", &v, &e), -1);
	assert_string_equal(e.msg, "CNI_ARGS: a second '=' in \"B=1=2\"");
	assert_int_equal(e.kind, ERR_ENV);
	assert_null(v);
}

static void names(void **state)
{
	static const char *const good[] = {"a", "0", "A.b_c-d", "cbr0"};
	static const char *const bad[] = {"",    ".a",  "-a",       "_a",    "a/b",
					  "a b", "a:b", "\xc3\xa9", "a\xc3", "a\n"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(cni_name_check(good[i]), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cni_name_check(bad[i]), -1);
}

static void interface_names(void **state)
{
	static const char *const good[] = {"e", "eth0", "fifteen-bytes-n", "...", "a.b"};
	static const char *const bad[] = {"",    ".",   "..",   "a/b",
					  "a:b", "a b", "a\tb", "sixteen-bytes-no"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(cni_ifname_check(good[i]), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cni_ifname_check(bad[i]), -1);
}

static void versions(void **state)
{
	enum cni_version v = CNI_0_3_0;
	struct err e = {0};

	(void)state;
	assert_int_equal(cni_version_parse("1.0.0", &v), 0);
	assert_int_equal(v, CNI_1_0_0);
	assert_int_equal(cni_version_parse("1.0", &v), -1);
	assert_int_equal(cni_version_parse("1.2.0", &v), -1);
	assert_int_equal(cni_version_parse("", &v), -1);
	assert_int_equal(cni_version_allows(CNI_0_3_1, CNI_CHECK, &e), -1);
	assert_string_equal(e.msg, "CHECK needs cniVersion 0.4.0 or later, the conf has 0.3.1");
	assert_int_equal(e.kind, ERR_VERSION);
	assert_int_equal(cni_version_allows(CNI_0_4_0, CNI_CHECK, &e), 0);
	assert_int_equal(cni_version_allows(CNI_1_0_0, CNI_GC, &e), -1);
	assert_int_equal(cni_version_allows(CNI_1_0_0, CNI_STATUS, &e), -1);
	assert_int_equal(cni_version_allows(CNI_1_1_0, CNI_GC, &e), 0);
	assert_int_equal(cni_version_allows(CNI_0_3_0, CNI_ADD, &e), 0);
	assert_int_equal(cni_version_allows(CNI_0_3_0, CNI_DEL, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_verbs),
		cmocka_unit_test(values_and_the_later_one_counts),
		cmocka_unit_test(args_by_key),
		cmocka_unit_test(names),
		cmocka_unit_test(interface_names),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
