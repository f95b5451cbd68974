/* SPDX-License-Identifier: Apache-2.0 */
#include "meta/attachment/seats.h"
#include "lib/base/time_test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/test.h"
#include "meta/attachment/state.h"

static char root[] = "/tmp/tandem-seats-XXXXXX";
static struct state_dir *dir;

static const struct seat mac = {"macvlan", "default/web", {"ens4.100", "ens4", 100}};
static const struct seat flat = {"ipvlan l2", "default/db", {"ens4.100", "ens4", 100}};

static int make_root(void **state)
{
	struct err e = {0};

	(void)state;
	return mkdtemp(root) ? state_dir_open(root, &dir, &e) : -1;
}

static int remove_root(void **state)
{
	static const char *const parts[] = {"attachments", "locks", "hints", "parents", ""};
	size_t i;

	(void)state;
	state_dir_free(dir);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		AUTO(free) char *path = xasprintf("%s/%s", root, parts[i]);

		if (rmdir(path) < 0)
			return -1; /* something was left behind */
	}
	return 0;
}

static struct state *attachment(const char *id)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->container_id = xstrdup(id);
	s->ifname = xstrdup("eth0");
	s->boot_id = state_boot_id();
	return s;
}

static struct seats *open_users(void)
{
	struct seats *u = NULL;
	struct err e = {0};

	assert_int_equal(seats_open(dir, "ens4.100", clock_now_ms() + test_ms(5000), &u, &e), 0);
	return u;
}

static bool is_there(const char *name)
{
	AUTO(free) char *path = xasprintf("%s/parents/%s", root, name);

	return access(path, F_OK) == 0;
}

static void the_last_one_is_alone(void **state)
{
	AUTO(state_free) struct state *a = attachment("a"), *b = attachment("b");
	struct seats *u = open_users();
	struct seat other = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(seats_other(u, a, &other, &e), 0);
	assert_int_equal(seats_add(u, a, &mac, &e), 0);
	assert_int_equal(seats_add(u, a, &mac, &e), 0);
	assert_int_equal(seats_other(u, a, &other, &e), 0);
	assert_int_equal(seats_add(u, b, &flat, &e), 0);
	assert_int_equal(seats_other(u, a, &other, &e), 1);
	assert_string_equal(other.link, "ipvlan l2");
	assert_string_equal(other.pod, "default/db");
	assert_string_equal(other.at.name, "ens4.100");
	assert_string_equal(other.at.master, "ens4");
	assert_int_equal(other.at.id, 100);
	seats_close(u);
	assert_true(is_there("ens4.100"));
	u = open_users();
	assert_int_equal(seats_remove(u, b, &e), 0);
	assert_int_equal(seats_remove(u, b, &e), 0);
	assert_int_equal(seats_other(u, a, &other, &e), 0);
	assert_int_equal(seats_remove(u, a, &e), 0);
	seats_close(u);
	assert_false(is_there("ens4.100"));
}

/* Of another boot, cut in the middle of being written, or no file at all. */
static void remains_do_not_count(void **state)
{
	AUTO(free) char *cut = xasprintf("%s/parents/ens4.100/c@eth0", root);
	AUTO(state_free) struct state *a = attachment("a"), *b = attachment("b");
	struct seats *u = open_users();
	struct seat other = {0};
	struct err e = {0};
	FILE *f;

	(void)state;
	free(b->boot_id);
	b->boot_id = xstrdup("11111111-2222-3333-4444-555555555555");
	assert_int_equal(seats_add(u, b, &mac, &e), 0);
	f = fopen(cut, "w");
	assert_non_null(f);
	fprintf(f, "%s\nmacv", a->boot_id);
	fclose(f);
	assert_int_equal(seats_other(u, a, &other, &e), 0);
	assert_int_equal(e.kind, 0);
	assert_int_equal(seats_remove(u, b, &e), 0);
	/* But whose it is has to take it away. */
	assert_int_equal(seats_find(dir, "c", "eth0", &other, &e), 1);
	assert_string_equal(other.at.name, "ens4.100");
	assert_string_equal(other.link, "");
	assert_int_equal(other.at.id, 0);
	assert_int_equal(unlink(cut), 0);
	seats_close(u);
}

static void an_attachment_is_found_by_its_name(void **state)
{
	AUTO(state_free) struct state *a = attachment("a");
	struct seats *u = open_users();
	struct seat found = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(seats_add(u, a, &flat, &e), 0);
	seats_close(u);
	assert_int_equal(seats_find(dir, "a", "eth1", &found, &e), 0);
	assert_int_equal(seats_find(dir, "a", "eth0", &found, &e), 1);
	assert_string_equal(found.at.name, "ens4.100");
	u = open_users();
	assert_int_equal(seats_remove(u, a, &e), 0);
	seats_close(u);
	assert_int_equal(seats_find(dir, "a", "eth0", &found, &e), 0);
}

/* Killed or lost between ADD and DEL: without a file nobody's DEL would end the seat. */
static void seats_without_a_file_end(void **state)
{
	AUTO(free) char *file = xasprintf("%s/attachments/a@eth0", root);
	AUTO(state_free) struct state *a = attachment("a"), *b = attachment("b");
	struct seats *u = open_users();
	struct seat other = {0};
	struct err e = {0};
	size_t n = 0;
	FILE *f = fopen(file, "w");

	(void)state;
	assert_non_null(f);
	fclose(f);
	assert_int_equal(seats_add(u, a, &mac, &e), 0);
	assert_int_equal(seats_add(u, b, &mac, &e), 0);
	/* Somebody is at work there. */
	assert_int_equal(seats_end_lost(dir, &n, &e), 0);
	assert_int_equal(n, 0);
	seats_close(u);
	assert_int_equal(seats_end_lost(dir, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(seats_find(dir, "b", "eth0", &other, &e), 0);
	assert_int_equal(seats_find(dir, "a", "eth0", &other, &e), 1);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(seats_end_lost(dir, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_false(is_there("ens4.100"));
	/* The kernel would give a living one another mode. */
	u = open_users();
	assert_int_equal(seats_add(u, b, &flat, &e), 0);
	seats_close(u);
	assert_int_equal(seats_end_lost(dir, &n, &e), 0);
	assert_int_equal(seats_find(dir, "b", "eth0", &other, &e), 1);
	u = open_users();
	assert_int_equal(seats_remove(u, b, &e), 0);
	seats_close(u);
}

/* It has the folder open, so it waits for the lock or is about to. */
static bool has_open(pid_t pid, const char *name)
{
	AUTO(free) char *want = xasprintf("%s/parents/%s", root, name);
	char target[128];
	ssize_t n;
	int fd;

	for (fd = 3; fd < 64; fd++) {
		AUTO(free) char *path = xasprintf("/proc/%d/fd/%d", (int)pid, fd);

		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (str_eq(target, want))
			return true;
	}
	return false;
}

/* In a child: with nothing open that the parent has locked. */
static int wait_for_folder(void)
{
	AUTO(state_dir_free) struct state_dir *own = NULL;
	AUTO(seats_close) struct seats *u = NULL;
	struct err e = {0};

	close_range(3, ~0U, 0);
	if (state_dir_open(root, &own, &e) < 0 ||
	    seats_open(own, "ens4.100", clock_now_ms() + test_ms(20000), &u, &e) < 0)
		return 1;
	return is_there("ens4.100") ? 0 : 2;
}

/* The first one removes the folder that the second one waits for. */
static void the_lock_outlives_its_folder(void **state)
{
	struct seats *u = open_users(), *none = NULL;
	int64_t deadline_ms = clock_now_ms() + test_ms(20000);
	struct err e = {0};
	int status = -1, inherited[2];
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(inherited), 0);
	assert_int_equal(seats_open(dir, "ens4.100", clock_now_ms(), &none, &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
	child = fork();
	if (child == 0)
		_exit(wait_for_folder());
	/* Its end tells that the child has closed what it inherited. */
	close(inherited[1]);
	assert_int_equal(read(inherited[0], &byte, 1), 0);
	close(inherited[0]);
	while (!has_open(child, "ens4.100") && clock_left_ms(deadline_ms))
		poll(NULL, 0, 1);
	seats_close(u);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	u = open_users();
	seats_close(u);
}

static void sorts_of_links(void **state)
{
	(void)state;
	assert_true(links_agree("macvlan", "macvlan"));
	assert_true(links_agree("ipvlan l3", "ipvlan l3"));
	assert_false(links_agree("ipvlan l3", "ipvlan l3s"));
	assert_false(links_agree("macvlan", "ipvlan l2"));
	assert_false(links_agree("macvlan passthru", "macvlan"));
	assert_false(links_agree("macvlan passthru", "macvlan passthru"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_one_is_alone),
		cmocka_unit_test(remains_do_not_count),
		cmocka_unit_test(an_attachment_is_found_by_its_name),
		cmocka_unit_test(seats_without_a_file_end),
		cmocka_unit_test(the_lock_outlives_its_folder),
		cmocka_unit_test(sorts_of_links),
	};

	return cmocka_run_group_tests_name("seats", tests, make_root, remove_root);
}
