/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time_test.h"
#include "delegate/chain.h"

#include <errno.h>

#include "delegate/test_dir.h"
#include "lib/base/clock.h"
#include "lib/base/sb.h"

#include "delegate/load_test.h"

static const struct cni_args args = {
	.container_id = (char *)"c1",
	.netns = (char *)"/n",
	.ifname = (char *)"eth0",
	.cni_args = (char *)"A=1;B=2",
	.path = test_dir,
};

static struct chain_env env_of(void)
{
	return (struct chain_env){
		.args = &args,
		.environ = environ,
		.deadline_ms = clock_now_ms() + test_ms(20000),
		.cancel_fd = -1,
	};
}

/*
 * A plugin that keeps what it was given and prints what lies ready: <name>.out, or, to fail, the
 * error object <name>.<verb>.err.
 */
static void recorder(const char *name)
{
	free(test_script(name, "n=${0##*/}; cat >$D/$n.$CNI_COMMAND.conf; "
			       "echo $n $CNI_COMMAND >>$D/order; "
			       "tr '\\000' '\\n' </proc/$$/environ | grep ^CNI_ | "
			       "LC_ALL=C sort >$D/$n.$CNI_COMMAND.env; "
			       "if [ -e $D/$n.$CNI_COMMAND.err ]; then "
			       "cat $D/$n.$CNI_COMMAND.err; exit 1; fi; "
			       "[ $CNI_COMMAND = ADD ] && cat $D/$n.out; exit 0"));
}

static int fresh(void **state)
{
	(void)state;
	test_dir_remove(NULL);
	if (mkdir(test_dir, 0700) < 0)
		return -1;
	recorder("one");
	recorder("two");
	recorder("three");
	test_write("one.out", 0644, "{\"cniVersion\":\"1.0.0\",\"ips\":[],\"x\":1.0}\n");
	test_write("two.out", 0644, " {\"cniVersion\":\"1.0.0\",\"x\":2} ");
	test_write("three.out", 0644, "{\"x\":3}");
	return 0;
}

#define RUNTIME                                                              \
	"{\"dns\":{\"servers\":[]},\"vendor\":{ \"id\": 9007199254740993 }," \
	"\"portMappings\":[ {\"hostPort\":80} ]}"

static void add_splices_byte_for_byte(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	AUTO(chain_results_done) struct chain_results r = {0};
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	env.runtime_config = jspan_of(RUNTIME);
	env.valid_attachments = jspan_of("[1]");
	if (chain_add(c, &env, &r, &e) < 0)
		fail_msg("%s", e.msg);
	test_file_is(
		"one.ADD.conf",
		"{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"one\","
		"\"big\":18446744073709551616,\"f\":1.50,\"z\":[1, 2],\"runtimeConfig\":{"
		"\"portMappings\":[ {\"hostPort\":80} ],\"vendor\":{ \"id\": 9007199254740993 }"
		"}}");
	test_file_is("two.ADD.conf",
		     "{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"two\","
		     "\"runtimeConfig\":{\"static\":1},"
		     "\"prevResult\":{\"cniVersion\":\"1.0.0\",\"ips\":[],\"x\":1.0}}");
	test_file_is("three.ADD.conf",
		     "{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"three\","
		     "\"prevResult\":{\"cniVersion\":\"1.0.0\",\"x\":2}}");
	test_file_is("order", "one ADD\ntwo ADD\nthree ADD\n");
	assert_int_equal(r.n, 3);
	assert_string_equal(r.v[0], "{\"cniVersion\":\"1.0.0\",\"ips\":[],\"x\":1.0}");
	assert_string_equal(r.v[1], "{\"cniVersion\":\"1.0.0\",\"x\":2}");
	assert_string_equal(r.v[2], "{\"x\":3}");
}

static void the_environment(void **state)
{
	static const char *const dirty[] = {"CNI_COMMAND=VERSION",
					    "CNI_IFNAME=wrong",
					    "CNI_NEW=1",
					    "PATH=/nowhere",
					    "CNI_NEW=2",
					    NULL,
					    NULL};
	AUTO(free) char *path = xasprintf("PATH=%s", getenv("PATH"));
	AUTO(chain_free) struct chain *c = load("{\"cniVersion\":\"0.3.1\",\"type\":\"one\"}");
	AUTO(chain_results_done) struct chain_results r = {0};
	AUTO(free)
	char *want = xasprintf("CNI_ARGS=A=1;B=2\nCNI_COMMAND=ADD\nCNI_CONTAINERID=c1\n"
			       "CNI_IFNAME=eth0\nCNI_NETNS=/n\nCNI_NEW=2\nCNI_PATH=%s:/more\n",
			       test_dir);
	const char *vars[ARRAY_SIZE(dirty)];
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	memcpy(vars, dirty, sizeof(dirty));
	vars[5] = path;
	env.environ = (char *const *)vars;
	env.more_dirs = "/more";
	assert_int_equal(chain_add(c, &env, &r, &e), 0);
	test_file_is("one.ADD.env", want);
	test_file_is("one.ADD.conf",
		     "{\"cniVersion\":\"0.3.1\",\"name\":\"cbr0\",\"type\":\"one\"}");
}

static void a_failing_plugin_stops_add(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	AUTO(chain_results_done) struct chain_results r = {0};
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	test_write("two.ADD.err", 0644, "{\"code\":11,\"msg\":\"no lease\"}");
	assert_int_equal(chain_add(c, &env, &r, &e), -1);
	assert_string_equal(e.msg, "plugin \"two\" failed: no lease");
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_int_equal(e.num, 11);
	assert_int_equal(r.n, 1);
	test_file_is("order", "one ADD\ntwo ADD\n");
}

/* What libcni lets through: the last of two, a list with a type beside it, bytes that are no text, a name in capitals. */
static void no_stricter_than_libcni(void **state)
{
	AUTO(chain_free)
	struct chain *c =
		load("{\"cniVersion\":\"0.3.1\",\"cniVersion\":\"1.0.0\",\"type\":\"left\","
		     "\"plugins\":[{\"type\":\"x\"}],\"plugins\":[{\"type\":\"no\",\"type\":"
		     "\"one\",\"a\":\"\xff\\ud800\\u0000\"},{\"Type\":\"two\"}]}");
	AUTO(chain_free)
	struct chain *single = load("{\"type\":\"one\",\"plugins\":[]}");
	AUTO(chain_results_done) struct chain_results r = {0};
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	assert_int_equal(chain_version(c), CNI_1_0_0);
	assert_int_equal(chain_len(c), 2);
	assert_string_equal(chain_type(c, 0), "one");
	assert_string_equal(chain_type(c, 1), "two");
	assert_string_equal(chain_note(c), "delegate: bytes that are not UTF-8 at byte 124");
	assert_int_equal(chain_len(single), 1);
	test_write(
		"one.out", 0644,
		"{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":0}],"
		"\"x\":\"\xff\",\"a\":1,\"a\":2}");
	test_write("two.out", 0644, "{}");
	assert_int_equal(chain_add(c, &env, &r, &e), 0);
	test_file_is(
		"one.ADD.conf",
		"{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"no\",\"type\":\"one\",\"a\":"
		"\"\xff\\ud800\\u0000\"}");
	test_file_is(
		"two.ADD.conf",
		"{\"Type\":\"two\",\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"prevResult\":{"
		"\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":0}],"
		"\"x\":\"\xff\",\"a\":1,\"a\":2}}");
}

/* By a file's name, as libcni does; and what is kept of it says the same without that name. */
static void type_beside_plugins(void **state)
{
	static const char both[] = " {\"cniVersion\":\"0.3.1\",\"name\":\"n\",\"type\":\"one\","
				   "\"plugins\":[{\"type\":\"two\"},{\"type\":\"tandem\"}]}\n";
	struct chain_source src = {.what = "f",
				   .text = jspan_of(both),
				   .fallback_name = "n",
				   .own_type = "tandem",
				   .by_type = true};
	AUTO(chain_free) struct chain *c = NULL, *again = NULL, *many = NULL, *plain = NULL;
	AUTO(free) char *kept = NULL, *none = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(chain_load(&src, &c, &e), 0);
	assert_int_equal(chain_len(c), 1);
	assert_string_equal(chain_type(c, 0), "one");
	kept = chain_list(c);
	again = load_as(kept, "n");
	assert_int_equal(chain_len(again), 1);
	assert_string_equal(chain_type(again, 0), "one");
	assert_int_equal(chain_version(again), CNI_0_3_1);
	/* A list by what it is, and one without any plugins beside the type. */
	src.text = jspan_of("{\"plugins\":[{\"type\":\"one\"},{\"type\":\"two\"}]}");
	assert_int_equal(chain_load(&src, &many, &e), 0);
	assert_int_equal(chain_len(many), 2);
	none = chain_list(many);
	assert_null(none);
	src.text = jspan_of("{\"type\":\"one\"}");
	assert_int_equal(chain_load(&src, &plain, &e), 0);
	none = chain_list(plain);
	assert_null(none);
}

/* What a libcni of the field does not know, and where Go does not care for the case. */
static void keys_that_are_not_known_everywhere(void **state)
{
	AUTO(chain_free)
	struct chain *c = load(
		"{\"disableCheck\":\"TRUE\",\"disableGC\":\"yes\",\"cniVersions\":[1,\"1.1.0\"],"
		"\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"one\"}]}");
	AUTO(chain_free)
	struct chain *single = load(
		"{\"cniVersions\":\"x\",\"CNIVersion\":\"0.4.0\",\"Name\":\"cbr0\",\"TYPE\":\"one\"}");
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	assert_int_equal(chain_version(c), CNI_1_1_0);
	assert_string_equal(chain_note(c), "delegate: disableGC: must be true or false");
	/* CHECK is disabled, GC is not. */
	assert_int_equal(chain_check(c, &env, &e), 0);
	assert_int_equal(chain_gc(c, &env, &e), 0);
	test_file_is("order", "one GC\n");
	assert_int_equal(chain_version(single), CNI_0_4_0);
	assert_string_equal(chain_type(single, 0), "one");
	assert_null(chain_note(single));
}

static void results_must_be_results(void **state)
{
	static const struct {
		const char *out, *msg;
	} bad[] = {
		{"", "plugin \"one\" printed no result"},
		{" \n", "plugin \"one\" printed no result"},
		{"junk", "plugin \"one\": its result: no JSON value at byte 0"},
		{"[]", "plugin \"one\": its result is not an object"},
		{"{} {}", "plugin \"one\": its result: something follows the JSON text at byte 3"},
		{"log line\n{}", "plugin \"one\": its result: no JSON value at byte 0"},
	};
	AUTO(chain_free) struct chain *c = load("{\"cniVersion\":\"1.0.0\",\"type\":\"one\"}");
	struct chain_env env = env_of();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(chain_results_done) struct chain_results r = {0};
		struct err e = {0};

		test_write("one.out", 0644, bad[i].out);
		assert_int_equal(chain_add(c, &env, &r, &e), -1);
		assert_string_equal(e.msg, bad[i].msg);
		assert_int_equal(e.kind, ERR_DECODE);
		assert_int_equal(r.n, 0);
	}
}

static void null_and_versionless_results_get_a_version(void **state)
{
	AUTO(chain_free)
	struct chain *c = load("{\"cniVersion\":\"0.4.0\",\"plugins\":[{\"type\":\"one\"},"
			       "{\"type\":\"three\"},{\"type\":\"two\"}]}");
	AUTO(chain_results_done) struct chain_results r = {0};
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	test_write("one.out", 0644, "null\n");
	assert_int_equal(chain_add(c, &env, &r, &e), 0);
	assert_string_equal(r.v[0], "null");
	test_file_is(
		"three.ADD.conf",
		"{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"three\",\"prevResult\":"
		"{\"cniVersion\":\"0.4.0\"}}");
	test_file_is("two.ADD.conf",
		     "{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"two\",\"prevResult\":"
		     "{\"cniVersion\":\"0.4.0\",\"x\":3}}");
}

static void del_goes_backwards_with_the_final_result(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	env.runtime_config = jspan_of(RUNTIME);
	env.prev_result = jspan_of("{\"cniVersion\":\"1.0.0\",\"final\":1e2}");
	assert_int_equal(chain_del(c, &env, &e), 0);
	test_file_is("order", "three DEL\ntwo DEL\none DEL\n");
	test_file_is(
		"one.DEL.conf",
		"{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"one\","
		"\"big\":18446744073709551616,\"f\":1.50,\"z\":[1, 2],\"runtimeConfig\":{"
		"\"portMappings\":[ {\"hostPort\":80} ],\"vendor\":{ \"id\": 9007199254740993 }"
		"},\"prevResult\":{\"cniVersion\":\"1.0.0\",\"final\":1e2}}");
	test_file_is("three.DEL.conf",
		     "{\"cniVersion\":\"1.0.0\",\"name\":\"cbr0\",\"type\":\"three\","
		     "\"prevResult\":{\"cniVersion\":\"1.0.0\",\"final\":1e2}}");
}

static void an_old_primary_gets_the_result_in_its_version(void **state)
{
	AUTO(chain_free) struct chain *c = load("{\"cniVersion\":\"0.4.0\",\"type\":\"one\"}");
	AUTO(chain_free) struct chain *older = load("{\"cniVersion\":\"0.3.1\",\"type\":\"two\"}");
	AUTO(sb_done) struct sb notes = SB_INIT;
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	env.notes = &notes;
	env.prev_result =
		jspan_of("{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}"
			 "]}");
	assert_int_equal(chain_del(c, &env, &e), 0);
	test_file_is("one.DEL.conf",
		     "{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"one\",\"prevResult\":{"
		     "\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":"
		     "\"10.0.0.2/24\"}],\"dns\":{}}}");
	assert_int_equal(chain_check(c, &env, &e), 0);
	test_file_is("one.CHECK.conf",
		     "{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"one\",\"prevResult\":{"
		     "\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":"
		     "\"10.0.0.2/24\"}],\"dns\":{}}}");
	/* Before 0.4.0 DEL had no former result. */
	assert_int_equal(chain_del(older, &env, &e), 0);
	test_file_is("two.DEL.conf",
		     "{\"cniVersion\":\"0.3.1\",\"name\":\"cbr0\",\"type\":\"two\"}");
	assert_int_equal(notes.len, 0);
	/* One that cannot be read does not stop DEL, but CHECK. */
	env.prev_result = jspan_of("{\"cniVersion\":\"9.0.0\"}");
	assert_int_equal(chain_del(c, &env, &e), 0);
	test_file_is("one.DEL.conf",
		     "{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"one\"}");
	assert_string_equal(sb_get(&notes), "DEL runs without prevResult: prevResult: cniVersion: "
					    "\"9.0.0\" is not known");
	assert_int_equal(chain_check(c, &env, &e), -1);
	assert_int_equal(e.kind, ERR_VERSION);
}

static void del_tries_every_plugin(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	test_write("three.DEL.err", 0644, "{\"code\":5,\"msg\":\"first\"}");
	test_write("two.DEL.err", 0644, "{\"code\":6,\"msg\":\"second\"}");
	assert_int_equal(chain_del(c, &env, &e), -1);
	assert_string_equal(e.msg, "plugin \"three\" failed: first");
	assert_int_equal(e.num, 5);
	test_file_is("order", "three DEL\ntwo DEL\none DEL\n");
}

static void a_missing_binary_yields_to_a_real_failure(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	AUTO(chain_results_done) struct chain_results r = {0};
	AUTO(free) char *three = test_path("three");
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	assert_int_equal(unlink(three), 0);
	assert_int_equal(chain_del(c, &env, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(e.num, ENOENT);
	assert_non_null(strstr(e.msg, "plugin \"three\" is missing in "));
	test_file_is("order", "two DEL\none DEL\n");
	test_write("one.DEL.err", 0644, "{\"code\":6,\"msg\":\"real\"}");
	assert_int_equal(chain_del(c, &env, &e), -1);
	assert_string_equal(e.msg, "plugin \"one\" failed: real");
	assert_int_equal(chain_add(c, &env, &r, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(r.n, 2);
}

static void a_hanging_plugin_leaves_time_for_the_others(void **state)
{
	AUTO(chain_free) struct chain *c = load(list);
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	free(test_script("three", "exec sleep 300"));
	env.deadline_ms = clock_now_ms() + 1500;
	assert_int_equal(chain_del(c, &env, &e), -1);
	assert_string_equal(e.msg, "plugin \"three\" did not finish in time and was killed");
	test_file_is("order", "two DEL\none DEL\n");
	assert_true(clock_left_ms(env.deadline_ms) > 0);
}

static void check_status_and_gc_by_version(void **state)
{
	AUTO(chain_free) struct chain *v031 = load("{\"cniVersion\":\"0.3.1\",\"type\":\"one\"}");
	AUTO(chain_free)
	struct chain *off =
		load("{\"cniVersion\":\"1.1.0\",\"disableCheck\":\"true\",\"disableGC\":"
		     "true,\"plugins\":[{\"type\":\"one\"}]}");
	AUTO(chain_free)
	struct chain *v110 = load("{\"cniVersion\":\"1.1.0\",\"plugins\":[{\"type\":\"one\"},"
				  "{\"type\":\"two\"}]}");
	struct chain_env env = env_of();
	struct err e = {0};

	(void)state;
	env.valid_attachments = jspan_of("[{\"containerID\":\"c\",\"ifname\":\"eth0\"}]");
	assert_int_equal(chain_check(v031, &env, &e), 0);
	assert_int_equal(chain_status(v031, &env, &e), 0);
	assert_int_equal(chain_gc(v031, &env, &e), 0);
	assert_int_equal(chain_check(off, &env, &e), 0);
	assert_int_equal(chain_gc(off, &env, &e), 0);
	assert_null(test_read("order"));
	test_write("one.STATUS.err", 0644, "{\"code\":50,\"msg\":\"not ready\"}");
	test_write("two.GC.err", 0644, "{\"code\":5,\"msg\":\"full\"}");
	assert_int_equal(chain_status(v110, &env, &e), -1);
	assert_int_equal(e.num, 50);
	assert_int_equal(chain_gc(v110, &env, &e), -1);
	test_file_is("order", "one STATUS\ntwo GC\none GC\n");
	test_file_is("one.GC.conf",
		     "{\"cniVersion\":\"1.1.0\",\"name\":\"cbr0\",\"type\":\"one\","
		     "\"cni.dev/valid-attachments\":[{\"containerID\":\"c\",\"ifname\":\"eth0\"}],"
		     "\"cni.dev/attachments\":[{\"containerID\":\"c\",\"ifname\":\"eth0\"}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(add_splices_byte_for_byte, fresh),
		cmocka_unit_test_setup(the_environment, fresh),
		cmocka_unit_test_setup(a_failing_plugin_stops_add, fresh),
		cmocka_unit_test_setup(no_stricter_than_libcni, fresh),
		cmocka_unit_test_setup(type_beside_plugins, fresh),
		cmocka_unit_test_setup(keys_that_are_not_known_everywhere, fresh),
		cmocka_unit_test_setup(results_must_be_results, fresh),
		cmocka_unit_test_setup(null_and_versionless_results_get_a_version, fresh),
		cmocka_unit_test_setup(del_goes_backwards_with_the_final_result, fresh),
		cmocka_unit_test_setup(an_old_primary_gets_the_result_in_its_version, fresh),
		cmocka_unit_test_setup(del_tries_every_plugin, fresh),
		cmocka_unit_test_setup(a_missing_binary_yields_to_a_real_failure, fresh),
		cmocka_unit_test_setup(a_hanging_plugin_leaves_time_for_the_others, fresh),
		cmocka_unit_test_setup(check_status_and_gc_by_version, fresh),
	};

	return cmocka_run_group_tests_name("chain", tests, test_dir_make, test_dir_remove);
}
