/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/netns.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/base/sb.h"
#include "lib/nl/lab_test.h"
#include "lib/nl/link.h"
#include "lib/nl/nl.h"

static char dir[] = "/tmp/netns_test.XXXXXX";

static const char *in_dir(const char *name, char buf[64])
{
	snprintf(buf, 64, "%s/%s", dir, name);
	return buf;
}

static int setup(void **state)
{
	(void)state;
	/* A "host" of our own, which is not that of process 1. */
	return unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !mkdtemp(dir);
}

static int teardown(void **state)
{
	char cmd[96];

	(void)state;
	snprintf(cmd, sizeof(cmd), "umount -l %s/pod; rm -rf %s", dir, dir);
	free(lab_output(-1, cmd));
	return 0;
}

static void expect_refused(const char *path, int num)
{
	struct err e = {0};
	int fd = -7;

	assert_int_equal(netns_open(path, &fd, &e), -1);
	assert_int_equal(e.kind, ERR_NETNS);
	assert_int_equal(e.num, num);
	assert_int_equal(fd, -7);
}

static void only_a_foreign_network_namespace_opens(void **state)
{
	AUTO(fd) int pod = lab_netns();
	AUTO(fd) int opened = -1;
	char buf[64], proc[64];
	struct err e = {0};

	(void)state;
	snprintf(proc, sizeof(proc), "/proc/%d/fd/%d", getpid(), pod);
	LAB_OK(netns_open(proc, &opened, &e));
	assert_int_equal(netns_is_own(opened, &e), 0);

	lab(-1, "touch %s", in_dir("pod", buf));
	expect_refused(buf, ENOENT); /* a mount point without its mount */
	assert_int_equal(mount(proc, buf, NULL, MS_BIND, NULL), 0);
	close(opened);
	opened = -1;
	LAB_OK(netns_open(buf, &opened, &e));

	expect_refused(in_dir("missing", buf), ENOENT);
	expect_refused("/proc/thread-self/ns/net", EPERM);
	expect_refused("/proc/self/ns/mnt", EINVAL);
	expect_refused(dir, EINVAL);
	expect_refused("/dev/null", EINVAL);
	lab(-1, "mkfifo %s", in_dir("fifo", buf));
	expect_refused(buf, EINVAL);
}

static int fails_there(void *ctx, struct err *e)
{
	AUTO(fd) int here = lab_own();

	if (netns_id(here, &((struct stat *)ctx)->st_dev, &((struct stat *)ctx)->st_ino, e) < 0)
		return -1;
	return err_set(e, ERR_INTERNAL, 42, "on purpose");
}

static void a_visit_always_ends(void **state)
{
	AUTO(fd) int pod = lab_netns();
	AUTO(fd) int own = lab_own();
	struct stat there = {0}, pod_st, here;
	struct err e = {0};

	(void)state;
	assert_int_equal(fstat(pod, &pod_st), 0);
	assert_int_equal(netns_call(pod, fails_there, &there, &e), -1);
	assert_int_equal(e.num, 42);
	assert_int_equal(there.st_ino, pod_st.st_ino);
	assert_int_equal(netns_is_own(own, &e), 1);
	assert_int_equal(netns_call(STDIN_FILENO, fails_there, &here, &e), -1);
	assert_int_equal(e.kind, ERR_NETNS);
	assert_int_equal(netns_is_own(own, &e), 1);
}

static void a_socket_stays_in_its_namespace(void **state)
{
	AUTO(fd) int pod = lab_netns();
	AUTO(nl_close) struct nl *there = NULL;
	AUTO(nl_close) struct nl *here = NULL;
	struct nl_link l;
	struct err e = {0};

	(void)state;
	LAB_OK(nl_open_in(pod, &there, &e));
	LAB_OK(nl_open(&here, &e));
	lab(pod, "ip link add onlythere type bridge");
	assert_int_equal(nl_link_find(there, "onlythere", &l, &e), 1);
	assert_int_equal(nl_link_find(here, "onlythere", &l, &e), 0);
}

static void *visitor(void *arg)
{
	int pod = *(int *)arg, i;

	for (i = 0; i < 300; i++) {
		struct nl *nl = NULL;
		struct err e = {0};

		if (nl_open_in(pod, &nl, &e) < 0)
			return (void *)1;
		nl_close(nl);
	}
	return NULL;
}

/* While one thread visits a pod, another's children must be born at home. */
static void other_threads_do_not_move(void **state)
{
	AUTO(fd) int pod = lab_netns();
	AUTO(free) char *want = lab_output(-1, "readlink /proc/self/ns/net");
	pthread_t t;
	void *rc;
	int i;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, visitor, &pod), 0);
	for (i = 0; i < 20; i++)
		lab_same(-1, "readlink /proc/self/ns/net", want);
	assert_int_equal(pthread_join(t, &rc), 0);
	assert_null(rc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_foreign_network_namespace_opens),
		cmocka_unit_test(a_visit_always_ends),
		cmocka_unit_test(a_socket_stays_in_its_namespace),
		cmocka_unit_test(other_threads_do_not_move),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
