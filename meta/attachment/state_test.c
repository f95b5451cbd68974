/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/state.h"
#include "meta/attachment/sweep.h"
#include "lib/base/time_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"

static char root[] = "/tmp/tandem-state-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	static const char *const parts[] = {"attachments", "locks", "hints", NULL};
	size_t i;

	(void)state;
	for (i = 0; parts[i]; i++) {
		AUTO(free) char *path = xasprintf("%s/%s", root, parts[i]);

		if (rmdir(path) < 0)
			return -1; /* a test left a file behind */
	}
	return rmdir(root);
}

static struct state_dir *open_dir(void)
{
	struct state_dir *d = NULL;
	struct err e = {0};

	assert_int_equal(state_dir_open(root, &d, &e), 0);
	return d;
}

static struct state *sample(void)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->container_id = xstrdup("c0ffee");
	s->ifname = xstrdup("eth0");
	s->netns = xstrdup("/run/netns/x");
	s->cni_args = xstrdup("K8S_POD_NAME=a;K8S_POD_NAMESPACE=b");
	s->pod_uid = xstrdup("93cd6a2e-26aa-4fda-81cd-6bff3089891c");
	s->given_up = xstrdup("5b0e5f5a-0e39-4d0c-9a51-0a6a4f0d2a11");
	s->cni_version = xstrdup("0.4.0");
	s->network = xstrdup("cbr0");
	s->delegate = xstrdup(
		"{ \"type\":\t\"bridge\", \"big\":12345678901234567890,\n\"u\":\"\\u00e9 \xc3\xa9\"}");
	s->runtime_config = xstrdup("{\"portMappings\":[]}");
	s->result = xstrdup("{}");
	s->plugin_results = xcalloc(2, sizeof(char *));
	s->plugin_results[0] = xstrdup("{\"a\":1}");
	s->plugin_results[1] = xstrdup("{}");
	s->n_plugin_results = 2;
	s->card = xstrdup("eth1");
	s->card_mac = xstrdup("02:00:00:00:00:01");
	s->made = xstrdup("link eth1 state up\nrule 1001 from 192.168.100.50 lookup 2001\n");
	s->parent = xstrdup("tv0123abcd");
	s->master = xstrdup("enp0s31f6abcdef");
	s->told_master = xstrdup("addressIn=192.168.100.0/24");
	s->vlan = 4094;
	s->link = xstrdup("ipvlan l3s");
	s->mode = xstrdup("l3s");
	s->boot_id = state_boot_id();
	s->complete = true;
	s->missing_since = 1700000000;
	s->host.parent = xstrdup("ens4.100");
	s->host.device = xstrdup("ens4.100.host");
	s->host.addrs[0] = xstrdup("192.168.22.3");
	s->host.addrs[1] = xstrdup("fd22::3");
	return s;
}

static void every_field_comes_back_to_the_byte(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(state_free) struct state *s = sample(), *back = NULL;
	struct err e = {0};
	bool damaged = true;

	(void)state;
	assert_int_equal(state_save(d, s, &e), 0);
	assert_int_equal(state_load(d, "c0ffee", "eth0", &back, &damaged, &e), 1);
	assert_false(damaged);
	assert_string_equal(back->netns, s->netns);
	assert_string_equal(back->cni_args, s->cni_args);
	assert_string_equal(back->pod_uid, s->pod_uid);
	assert_string_equal(back->given_up, s->given_up);
	assert_string_equal(back->cni_version, s->cni_version);
	assert_string_equal(back->network, s->network);
	assert_string_equal(back->delegate, s->delegate);
	assert_string_equal(back->runtime_config, s->runtime_config);
	assert_string_equal(back->result, s->result);
	assert_int_equal(back->n_plugin_results, 2);
	assert_string_equal(back->plugin_results[0], "{\"a\":1}");
	assert_string_equal(back->plugin_results[1], "{}");
	assert_string_equal(back->card, "eth1");
	assert_string_equal(back->card_mac, s->card_mac);
	assert_string_equal(back->made, s->made);
	assert_string_equal(back->parent, s->parent);
	assert_string_equal(back->master, s->master);
	assert_string_equal(back->told_master, s->told_master);
	assert_int_equal(back->vlan, 4094);
	assert_string_equal(back->link, s->link);
	assert_string_equal(back->mode, s->mode);
	assert_string_equal(back->boot_id, s->boot_id);
	assert_int_equal(strlen(back->boot_id), 36);
	assert_true(back->complete);
	assert_true(back->missing_since == 1700000000);
	assert_string_equal(back->host.parent, "ens4.100");
	assert_string_equal(back->host.device, "ens4.100.host");
	assert_string_equal(back->host.addrs[0], "192.168.22.3");
	assert_string_equal(back->host.addrs[1], "fd22::3");
	assert_int_equal(state_remove(d, "c0ffee", "eth0", &e), 0);
	assert_int_equal(state_remove(d, "c0ffee", "eth0", &e), 0);
}

static void a_file_that_knows_no_parent_is_read(void **state)
{
	static const char body[] =
		"{\"containerID\":\"c0ffee\",\"ifname\":\"eth0\",\"card\":\"eth1\",\"complete\":true}";
	AUTO(free) char *path = xasprintf("%s/attachments/c0ffee@eth0", root);
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(state_free) struct state *back = NULL;
	struct err e = {0};
	bool damaged = true;
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fprintf(f, "tandem-state 1 %zu %016llx\n%s", strlen(body),
		(unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, body, strlen(body)), body);
	fclose(f);
	assert_int_equal(state_load(d, "c0ffee", "eth0", &back, &damaged, &e), 1);
	assert_string_equal(back->card, "eth1");
	assert_null(back->parent);
	assert_null(back->link);
	assert_int_equal(back->vlan, 0);
	assert_int_equal(state_remove(d, "c0ffee", "eth0", &e), 0);
}

static void two_interfaces_of_a_container_do_not_meet(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(state_free) struct state *s = sample(), *back = NULL;
	struct err e = {0};
	bool damaged;

	(void)state;
	assert_int_equal(state_save(d, s, &e), 0);
	assert_int_equal(state_load(d, "c0ffee", "eth1", &back, &damaged, &e), 0);
	assert_false(damaged);
	assert_null(back);
	assert_int_equal(state_remove(d, "c0ffee", "eth1", &e), 0);
	assert_int_equal(state_load(d, "c0ffee", "eth0", &back, &damaged, &e), 1);
	assert_int_equal(state_remove(d, "c0ffee", "eth0", &e), 0);
}

/* Any single damage must be seen, and the file set aside under a name that DEL does not meet again. */
static void damaged_files_are_set_aside(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(free) char *path = xasprintf("%s/attachments/c0ffee@eth0", root);
	AUTO(free) char *aside = xasprintf("%s.corrupt", path);
	AUTO(state_free) struct state *s = sample();
	AUTO(free) char *good = NULL;
	struct err e = {0};
	size_t len, cut;

	(void)state;
	assert_int_equal(state_save(d, s, &e), 0);
	assert_int_equal(io_read_file(path, 1 << 20, &good, &len, &e), 0);
	for (cut = 0; cut < len; cut += 13) {
		AUTO(free) char *bad = xmemdup(good, len);
		struct state *back = NULL;
		bool damaged = false;
		size_t n = cut % 2 ? cut : len; /* cut short, or one byte changed */

		bad[cut] ^= 1;
		assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, bad, n, &e), 0);
		assert_int_equal(state_load(d, "c0ffee", "eth0", &back, &damaged, &e), 0);
		assert_true(damaged);
		assert_null(back);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(unlink(aside), 0);
	}
}

/* Who only looks changes nothing, and does not take for an attachment what is none. */
static void looking_leaves_all_as_it_is(void **state)
{
	static const char *const beside[] = {"c0ffee@eth0.corrupt", "c0ffee@eth0.tmp.7", "README"};
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(state_free) struct state *s = sample(), *back = NULL;
	struct err e = {0};
	bool damaged = true;

	(void)state;
	assert_int_equal(state_save(d, s, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		AUTO(free) char *path = xasprintf("%s/attachments/%s", root, beside[i]);

		assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, "x", 1, &e), 0);
	}
	assert_int_equal(faccessat(state_dir_files(d), beside[2], F_OK, 0), 0);
	assert_int_equal(state_peek(d, "c0ffee@eth0", &back, &damaged, &e), 1);
	assert_false(damaged);
	assert_string_equal(back->pod_uid, "93cd6a2e-26aa-4fda-81cd-6bff3089891c");
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		assert_int_equal(state_peek(d, beside[i], &back, &damaged, &e), 0);
		assert_false(damaged);
	}
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		AUTO(free) char *path = xasprintf("%s/attachments/%s", root, beside[i]);

		assert_int_equal(unlink(path), 0);
	}
	AUTO(free) char *path = xasprintf("%s/attachments/c0ffee@eth0", root);
	assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, "x", 1, &e), 0);
	assert_int_equal(state_peek(d, "c0ffee@eth0", &back, &damaged, &e), 0);
	assert_true(damaged);
	assert_int_equal(unlink(path), 0);
}

static void a_file_of_another_container_is_damage(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(free) char *path = xasprintf("%s/attachments/c0ffee@eth0", root);
	AUTO(free) char *other = xasprintf("%s/attachments/beef@eth0", root);
	AUTO(free) char *aside = xasprintf("%s.corrupt", other);
	AUTO(state_free) struct state *s = sample();
	struct state *back = NULL;
	struct err e = {0};
	bool damaged = false;

	(void)state;
	assert_int_equal(state_save(d, s, &e), 0);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(state_load(d, "beef", "eth0", &back, &damaged, &e), 0);
	assert_true(damaged);
	assert_int_equal(unlink(aside), 0);
}

static void a_second_call_waits_for_the_first(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(free) char *path = xasprintf("%s/locks/c0ffee", root);
	struct err e = {0};
	int fd = -1, status, told[2];
	char byte = 0;
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(state_lock(d, "c0ffee", clock_now_ms() + test_ms(1000), &fd, &e), 0);
	child = fork();
	if (child == 0) {
		int mine = -1;

		close(fd); /* or the lock would be ours as well */
		if (state_lock(d, "c0ffee", clock_now_ms() + 20, &mine, &e) == 0)
			_exit(1);
		if (e.kind != ERR_AGAIN || write(told[1], &byte, 1) != 1)
			_exit(2);
		/* The holder removes the file; we must not end up with the dead one. */
		if (state_lock(d, "c0ffee", clock_now_ms() + test_ms(5000), &mine, &e) < 0)
			_exit(3);
		_exit(access(path, F_OK) == 0 ? 0 : 4);
	}
	assert_true(child > 0);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	close(told[1]);
	state_unlock_remove(d, "c0ffee", &fd);
	assert_int_equal(fd, -1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(state_lock(d, "c0ffee", clock_now_ms() + test_ms(1000), &fd, &e), 0);
	state_unlock_remove(d, "c0ffee", &fd);
}

static void a_parents_lock_is_another_than_a_containers(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	int container = -1, parent = -1, again = -1;
	struct err e = {0};

	(void)state;
	assert_int_equal(state_lock(d, "ens4", clock_now_ms() + test_ms(1000), &container, &e), 0);
	assert_int_equal(state_lock_parent(d, "ens4", clock_now_ms() + test_ms(1000), &parent, &e),
			 0);
	assert_int_equal(state_lock_parent(d, "ens4", clock_now_ms() + 20, &again, &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_string_equal(e.msg, "another call for link ens4 is still running");
	state_unlock_parent(d, "ens4", &parent);
	assert_int_equal(state_lock_parent(d, "ens4", clock_now_ms() + test_ms(1000), &again, &e),
			 0);
	state_unlock_parent(d, "ens4", &again);
	state_unlock_remove(d, "ens4", &container);
}

/* As it was written before there was hostAccess. */
static void a_file_of_an_older_tandem_is_read(void **state)
{
	static const char body[] =
		"{\"containerID\":\"c0ffee\",\"ifname\":\"eth0\",\"netns\":\"/run/netns/x\",\"cniVersion\":\"0.4.0\","
		"\"network\":\"cbr0\",\"bootID\":\"b\",\"complete\":true,\"card\":\"eth1\",\"pluginResults\":[\"{}\"]}";
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(free) char *path = xasprintf("%s/attachments/c0ffee@eth0", root);
	AUTO(free)
	char *text = xasprintf("tandem-state 1 %zu %016llx\n%s", strlen(body),
			       (unsigned long long)hash_fnv1a(HASH_FNV1A_INIT, body, strlen(body)),
			       body);
	AUTO(state_free) struct state *back = NULL;
	struct err e = {0};
	bool damaged = true;

	(void)state;
	assert_int_equal(io_replace_file(AT_FDCWD, path, 0600, text, strlen(text), &e), 0);
	assert_int_equal(state_load(d, "c0ffee", "eth0", &back, &damaged, &e), 1);
	assert_false(damaged);
	assert_string_equal(back->card, "eth1");
	assert_null(back->host.parent);
	assert_int_equal(state_remove(d, "c0ffee", "eth0", &e), 0);
}

static void delegate_copy_is_kept_once(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	AUTO(free) char *path = xasprintf("%s/delegate.json", root);
	AUTO(free) char *text = NULL;
	struct stat before, after;
	struct err e = {0};
	size_t len;

	(void)state;
	assert_int_equal(state_last_delegate(d, &text, &len, &e), 0);
	assert_int_equal(state_keep_delegate(d, "{}", 2, &e), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(state_keep_delegate(d, "{}", 2, &e), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	assert_int_equal(state_keep_delegate(d, "{ }", 3, &e), 0);
	assert_int_equal(state_last_delegate(d, &text, &len, &e), 1);
	assert_string_equal(text, "{ }");
	assert_int_equal(unlink(path), 0);
}

static void hints_take_uids_only(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	const char *uid = "93cd6a2e-26aa-4fda-81cd-6bff3089891c";

	(void)state;
	assert_false(state_hint_is_set(d, uid));
	state_hint_set(d, uid);
	assert_true(state_hint_is_set(d, uid));
	state_hint_clear(d, uid);
	assert_false(state_hint_is_set(d, uid));
	state_hint_set(d, "../attachments/x");
	state_hint_set(d, "");
	assert_false(state_hint_is_set(d, "../attachments/x"));
}

static size_t count_files(const char *folder)
{
	AUTO(free) char *path = xasprintf("%s/%s", root, folder);
	AUTO(closedir) DIR *dir = opendir(path);
	const struct dirent *ent;
	size_t n = 0;

	while (dir && (ent = readdir(dir)))
		n += ent->d_name[0] != '.';
	return n;
}

static void empty(const char *folder)
{
	AUTO(free) char *path = xasprintf("%s/%s", root, folder);
	AUTO(closedir) DIR *dir = opendir(path);
	const struct dirent *ent;

	while (dir && (ent = readdir(dir)))
		unlinkat(dirfd(dir), ent->d_name, 0);
}

static void make_old(const char *folder, const char *name, time_t age)
{
	AUTO(free) char *path = xasprintf("%s/%s/%s", root, folder, name);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};

	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
}

/* Nobody else ends them: a pod that is gone asks no more, and a killed call lets go of its lock without its file. */
static void what_nobody_else_ends_is_bounded(void **state)
{
	AUTO(state_dir_free) struct state_dir *d = open_dir();
	char name[64];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%08x-26aa-4fda-81cd-6bff3089891c", i);
		make_old("hints", name, 300 - i);
	}
	make_old("hints", "00000000-aaaa-4fda-81cd-6bff3089891c", 601);
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "c%d@eth0.corrupt", i);
		make_old("attachments", name, 70 - i);
	}
	make_old("attachments", "old@eth0.corrupt", 24 * 3600 + 1);
	make_old("attachments", "other", 24 * 3600 + 1);
	make_old("locks", "c1", 0);
	make_old("locks", "parent@ens4", 0);
	sweep_leftovers(d);
	assert_int_equal(count_files("hints"), 256);
	assert_true(state_hint_is_set(d, "0000012b-26aa-4fda-81cd-6bff3089891c"));
	assert_false(state_hint_is_set(d, "0000002b-26aa-4fda-81cd-6bff3089891c"));
	assert_int_equal(count_files("attachments"), 64 + 1);
	/* A container whose damaged file is still there keeps its lock until that goes. */
	assert_int_equal(count_files("locks"), 1);
	empty("hints");
	empty("attachments");
	empty("locks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back_to_the_byte),
		cmocka_unit_test(a_file_that_knows_no_parent_is_read),
		cmocka_unit_test(two_interfaces_of_a_container_do_not_meet),
		cmocka_unit_test(damaged_files_are_set_aside),
		cmocka_unit_test(looking_leaves_all_as_it_is),
		cmocka_unit_test(a_file_of_another_container_is_damage),
		cmocka_unit_test(a_second_call_waits_for_the_first),
		cmocka_unit_test(a_parents_lock_is_another_than_a_containers),
		cmocka_unit_test(a_file_of_an_older_tandem_is_read),
		cmocka_unit_test(delegate_copy_is_kept_once),
		cmocka_unit_test(hints_take_uids_only),
		cmocka_unit_test(what_nobody_else_ends_is_bounded),
	};

	return cmocka_run_group_tests_name("state", tests, make_root, remove_root);
}
