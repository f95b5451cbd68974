/* SPDX-License-Identifier: Apache-2.0 */
#include "node/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "meta/attachment/state.h"
#include "node/cards.h"
#include "node/sweep.h"

static char root[] = "/tmp/tandem-files-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	static const char *const parts[] = {"attachments", "locks", "hints"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		AUTO(free) char *path = xasprintf("%s/%s", root, parts[i]);

		if (rmdir(path) < 0)
			return -1; /* a test left a file behind */
	}
	return rmdir(root);
}

static void save(const struct state_dir *d, const char *id, const char *args, const char *uid)
{
	struct err e = {0};
	struct state s = {
		.container_id = (char *)id,
		.ifname = (char *)"eth0",
		.netns = (char *)"/run/netns/none",
		.cni_args = (char *)args,
		.pod_uid = (char *)uid,
		.card = (char *)"eth1",
		.card_mac = (char *)"02:00:00:00:00:01",
		.complete = true,
	};

	assert_int_equal(state_save(d, &s, &e), 0);
}

static void spoil(const char *name)
{
	AUTO(free) char *path = xasprintf("%s/attachments/%s", root, name);
	struct err e = {0};

	assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, "x", 1, &e), 0);
}

static size_t of_pod(const struct files *f, const char *pod, const char *uid)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += files_is_pod(f->v[i], "d", pod, uid);
	return n;
}

/* As they come, change, are damaged and go. */
static void follows_the_directory(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = NULL;
	AUTO(files_done) struct files f = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(state_dir_open(root, &d, &e), 0);
	files_init(&f);
	assert_int_equal(files_scan(&f, d, &e), 0);
	assert_int_equal(f.n, 0);
	save(d, "a", "K8S_POD_NAMESPACE=d;K8S_POD_NAME=p;K8S_POD_UID=u1", NULL);
	save(d, "b", "K8S_POD_NAMESPACE=d;K8S_POD_NAME=q", NULL);
	spoil("c@eth0");
	spoil("a@eth0.tmp.7");
	assert_int_equal(files_scan(&f, d, &e), 0);
	assert_int_equal(f.n, 3);
	assert_int_equal(of_pod(&f, "p", "u1"), 1);
	/* By the name alone only where the UID is not known. */
	assert_int_equal(of_pod(&f, "p", "u2"), 0);
	assert_int_equal(of_pod(&f, "q", "u3"), 1);
	save(d, "b", "K8S_POD_NAMESPACE=d;K8S_POD_NAME=q", "u4");
	assert_int_equal(files_scan(&f, d, &e), 0);
	assert_int_equal(of_pod(&f, "q", "u3"), 0);
	assert_int_equal(of_pod(&f, "q", "u4"), 1);
	/* What was known of a file that is damaged stays. */
	spoil("a@eth0");
	assert_int_equal(files_scan(&f, d, &e), 0);
	assert_int_equal(f.n, 3);
	assert_int_equal(of_pod(&f, "p", "u1"), 1);
	assert_int_equal(f.n_gone, 0);
	assert_int_equal(unlinkat(state_dir_files(d), "a@eth0.tmp.7", 0), 0);
	assert_int_equal(state_remove(d, "a", "eth0", &e), 0);
	assert_int_equal(state_remove(d, "b", "eth0", &e), 0);
	assert_int_equal(state_remove(d, "c", "eth0", &e), 0);
	assert_int_equal(files_scan(&f, d, &e), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.n_gone, 2);
	assert_string_equal(f.gone[0]->netns, "/run/netns/none");
	files_forget(&f, 0);
	assert_int_equal(f.n_gone, 1);
}

/* Complete now and not before, until whoever asks has seen it. */
static void fresh_once(void **state)
{
	AUTO(files_done) struct files f = {0};
	struct state s = {.container_id = (char *)"c", .ifname = (char *)"eth0"};

	(void)state;
	files_init(&f);
	files_add(&f, "c@eth0", 1, &s);
	assert_false(f.v[0]->fresh);
	assert_string_equal(f.v[0]->parent, "");
	s.complete = true;
	s.parent = (char *)"ens4.100";
	files_add(&f, "c@eth0", 2, &s);
	assert_true(f.v[0]->fresh);
	assert_string_equal(f.v[0]->parent, "ens4.100");
	/* Written again before anybody has looked. */
	files_add(&f, "c@eth0", 3, &s);
	assert_true(f.v[0]->fresh);
	f.v[0]->fresh = false;
	files_add(&f, "c@eth0", 4, &s);
	assert_false(f.v[0]->fresh);
}

static void gone_only_for_sure(void **state)
{
	AUTO(free) char *there = xasprintf("%s/attachments", root);
	AUTO(free) char *gone = xasprintf("%s/attachments/none", root);
	AUTO(free) char *hidden = xasprintf("%s/none/none", root);

	(void)state;
	assert_false(cards_netns_is_gone(there));
	assert_true(cards_netns_is_gone(gone));
	assert_false(cards_netns_is_gone(hidden));
	assert_false(cards_netns_is_gone("/proc/4194305/ns/net"));
	assert_false(cards_netns_is_gone("none"));
	assert_false(cards_netns_is_gone("/none"));
	assert_false(cards_netns_is_gone(""));
}

static void conf_of(const char *text, const char *want)
{
	const struct sweep_options opt = {"/var/s", "the conf", "/opt/cni/bin/tandem", "/b", NULL};
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};
	int rc = sweep_conf(&opt, text, strlen(text), &sb, &e);

	assert_int_equal(rc, want ? 0 : -1);
	if (want)
		assert_string_equal(sb_get(&sb), want);
	else
		assert_non_null(strstr(e.msg, "the conf"));
}

static void the_runtimes_conf(void **state)
{
	(void)state;
	conf_of("{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"plugins\":[{\"type\":\"x\"},{\"type\":"
		"\"tandem\",\"stateDir\":\"/old\",\"delegate\":{\"a\": 12345678901234567890}}]}\n",
		"{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"stateDir\":\"/var/s\",\"type\":\"tandem\","
		"\"delegate\":{\"a\": 12345678901234567890}}");
	conf_of("{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"plugins\":[{\"type\":\"x\"}]}",
		NULL);
	conf_of("{\"cniVersion\":\"0.4.0\",\"name\":\"cbr0\",\"type\":\"tandem\"}", NULL);
	conf_of("{\"name\":\"cbr0\",\"plugins\":[{\"type\":\"tandem\"}]}", NULL);
	conf_of("{\"cniVersion\":", NULL);
	conf_of("[]", NULL);
	conf_of("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_directory),
		cmocka_unit_test(fresh_once),
		cmocka_unit_test(gone_only_for_sure),
		cmocka_unit_test(the_runtimes_conf),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
