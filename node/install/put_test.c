/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/io.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "node/install/confs.h"
#include "node/install/hostpath.h"
#include "node/install/put.h"

#define LABEL "security.selinux"

static char dir[] = "/tmp/tandem-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void remove_name(const char *name)
{
	AUTO(free) char *path = path_of(name);

	if (unlink(path) < 0)
		IGNORE(rmdir(path) < 0, "the next one says so");
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"a",        "10-b.conf", "host/l1", "host/l2",
					    "host/abs", "host/rel",  "host/up", "host/d/f",
					    "host/d",   "host"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_name(names[i]);
	return rmdir(dir);
}

static int put(const char *name, mode_t mode, const char *text, struct err *e)
{
	const struct put_file f = {dir, name, mode, text, strlen(text)};

	return put_file(&f, e);
}

static void assert_has(const char *name, mode_t mode, const char *text)
{
	AUTO(free) char *path = path_of(name);
	AUTO(free) char *got = NULL;
	struct stat st;
	struct err e = {0};
	size_t len;

	assert_int_equal(io_read_file(path, 1000, &got, &len, &e), 0);
	assert_string_equal(got, text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void it_is_written_when_it_differs(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(put("a", 0600, "one", &e), 1);
	assert_has("a", 0600, "one");
	assert_int_equal(put("a", 0600, "one", &e), 0);
	assert_int_equal(put("a", 0755, "one", &e), 1);
	assert_has("a", 0755, "one");
	assert_int_equal(put("a", 0755, "two", &e), 1);
	assert_int_equal(put("a", 0755, "two!", &e), 1);
	assert_int_equal(put("a", 0755, "", &e), 1);
	assert_has("a", 0755, "");
	assert_int_equal(put_remove(dir, "a", &e), 1);
	assert_int_equal(put_remove(dir, "a", &e), 0);
}

/* All names that have been seen in the folder, a bar behind each. */
static char *names_seen(int fd)
{
	_Alignas(struct inotify_event) char buf[4096 + sizeof(struct inotify_event) + NAME_MAX];
	struct sb out = SB_INIT;
	ssize_t n = read(fd, buf, sizeof(buf));

	for (char *at = buf; n > 0 && at < buf + n;) {
		const struct inotify_event *ev = (const void *)at;

		sb_printf(&out, "%s|", ev->name);
		at += sizeof(*ev) + ev->len;
	}
	return sb_take(&out);
}

static void no_runtime_sees_half_a_conf(void **state)
{
	AUTO(fd) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	AUTO(free) char *seen = NULL;
	struct err e = {0};

	(void)state;
	assert_true(inotify_add_watch(fd, dir, IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO) >= 0);
	assert_int_equal(put("10-b.conf", 0600, "x", &e), 1);
	seen = names_seen(fd);
	assert_string_equal(seen, ".10-b.conf.new|.10-b.conf.new|10-b.conf|");
	assert_false(confs_is_name(".10-b.conf.new"));
}

static void a_link_in_its_place_is_replaced(void **state)
{
	AUTO(free) char *path = path_of("a");
	struct err e = {0};

	(void)state;
	assert_int_equal(symlink("10-b.conf", path), 0);
	assert_int_equal(put("a", 0600, "x", &e), 1);
	assert_has("a", 0600, "x");
	assert_has("10-b.conf", 0600, "x");
}

static void the_label_is_the_neighbours(void **state)
{
	AUTO(free) char *b = path_of("10-b.conf");
	AUTO(free) char *a = path_of("a");
	struct err e = {0};
	char label[64];

	(void)state;
	if (setxattr(b, LABEL, "u:r:t:s0", 8, 0) < 0)
		skip();
	assert_int_equal(put("a", 0600, "labelled", &e), 1);
	assert_int_equal(getxattr(a, LABEL, label, sizeof(label)), 8);
	assert_memory_equal(label, "u:r:t:s0", 8);
}

static void no_folder(void **state)
{
	const struct put_file f = {"/nonexistent", "a", 0600, "", 0};
	struct err e = {0};

	(void)state;
	assert_int_equal(put_file(&f, &e), -1);
	assert_string_equal(e.msg, "open /nonexistent: No such file or directory");
	assert_int_equal(put_remove("/nonexistent", "a", &e), -1);
}

static void one_installer(void **state)
{
	AUTO(free) char *path = path_of("a");
	AUTO(fd) int one = -1;
	struct err e = {0};
	int two = -1;

	(void)state;
	assert_int_equal(put_lock(path, &one, &e), 0);
	assert_int_equal(put_lock(path, &two, &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
}

static void link_in_host(const char *name, const char *target)
{
	AUTO(free) char *path = path_of(name);

	assert_int_equal(symlink(target, path), 0);
}

static void assert_resolves(const char *root, const char *path, const char *want)
{
	AUTO(free) char *got = NULL;
	AUTO(free) char *full = want ? xasprintf("%s%s", root, want) : NULL;
	struct err e = {0};
	int rc = hostpath_resolve(root, path, &got, &e);

	assert_int_equal(rc, want ? 0 : -1);
	if (want && !str_eq(got, full))
		fail_msg("%s: %s", path, got);
}

static void links_lead_where_the_node_sees_them_lead(void **state)
{
	AUTO(free) char *root = path_of("host");
	AUTO(free) char *d = path_of("host/d");
	AUTO(free) char *f = path_of("host/d/f");

	(void)state;
	assert_int_equal(mkdir(root, 0700) | mkdir(d, 0700) | mkdir(f, 0700), 0);
	link_in_host("host/abs", "/d");
	link_in_host("host/rel", "d/f");
	link_in_host("host/up", "../../../d");
	link_in_host("host/l1", "l2");
	link_in_host("host/l2", "l1");
	assert_resolves(root, "/d/f", "/d/f");
	assert_resolves(root, "/abs/f", "/d/f");
	assert_resolves(root, "/rel/", "/d/f");
	assert_resolves(root, "/up/f", "/d/f");
	assert_resolves(root, "/../d/./f/..", "/d");
	assert_resolves(root, "/", "/");
	assert_resolves(root, "/l1", NULL);
	assert_resolves(root, "/nothing", NULL);
	assert_true(hostpath_exists(NULL, f));
	assert_false(hostpath_exists(root, f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_written_when_it_differs),
		cmocka_unit_test(no_runtime_sees_half_a_conf),
		cmocka_unit_test(a_link_in_its_place_is_replaced),
		cmocka_unit_test(the_label_is_the_neighbours),
		cmocka_unit_test(no_folder),
		cmocka_unit_test(one_installer),
		cmocka_unit_test(links_lead_where_the_node_sees_them_lead),
	};

	return cmocka_run_group_tests_name("put", tests, make_dir, remove_dir);
}
