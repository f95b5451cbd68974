/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory of network namespaces for tests: made with "ip", looked at with "ip". Needs root. */
#ifndef LIB_NL_LAB_TEST_H
#define LIB_NL_LAB_TEST_H

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/io.h"
#include "lib/base/ip.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/nl/netns.h"

#define LAB_UNUSED __attribute__((unused))

extern char **environ;

/* The thread's own namespace as a descriptor. */
static inline int lab_own(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A new namespace with lo up; the caller closes it, which ends it. */
static inline int lab_netns(void)
{
	AUTO(fd) int own = lab_own();
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = lab_own();
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	return fd;
}

struct lab_cmd {
	const char *text;
	int out;
	int status;
};

static inline int lab_spawn(void *ctx, struct err *e)
{
	struct lab_cmd *c = ctx;
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)c->text, NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, c->out, 1);
	posix_spawn_file_actions_adddup2(&fa, c->out, 2);
	rc = posix_spawn(&pid, "/bin/sh", &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (rc)
		return err_errno(e, ERR_IO, rc, "spawn");
	assert_int_equal(waitpid(pid, &c->status, 0), pid);
	return 0;
}

/* Output of a shell command in that namespace (-1: the own one); the test fails when it does. */
static inline char *lab_output(int netns, const char *text)
{
	AUTO(fd) int own = lab_own();
	struct err e = {0};
	char *out = NULL;
	size_t n = 0;
	FILE *tmp = tmpfile();

	assert_non_null(tmp);
	struct lab_cmd c = {.text = text, .out = fileno(tmp)};

	if (netns_call(netns < 0 ? own : netns, lab_spawn, &c, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	rewind(tmp);
	if (io_read_all(fileno(tmp), "output", 1 << 20, &out, &n, &e) < 0)
		fail_msg("%s", e.msg);
	fclose(tmp);
	if (c.status)
		fail_msg("%s: status %d: %s", text, c.status, out);
	return out;
}

/* Runs a shell command made of the format. */
static inline void LAB_UNUSED __attribute__((format(printf, 2, 3)))
lab(int netns, const char *fmt, ...)
{
	AUTO(free) char *out = NULL;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out = lab_output(netns, text);
}

/* The command's output is exactly this. */
static inline void LAB_UNUSED lab_same(int netns, const char *cmd, const char *want)
{
	AUTO(free) char *out = lab_output(netns, cmd);

	assert_string_equal(out, want);
}

#define LAB_TEXT "sed 's/ *$//'"
/* Table main as people read it; order and "proto" aside. */
#define LAB_ROUTES   "ip -4 route | sed 's/ proto [a-z]*//; s/ *$//' | sort"
#define LAB_ROUTES6  "ip -6 route | sed 's/ proto [a-z]*//; s/ pref medium//; s/ *$//' | sort"
#define LAB_TABLE(t) "ip -4 route show table " t " 2>/dev/null | sed 's/ *$//' | sort"
#define LAB_TABLE6(t) \
	"ip -6 route show table " t " 2>/dev/null | sed 's/ pref medium//; s/ *$//' | sort"
#define LAB_RULES  "ip -4 rule | sed 's/[ \t]\\+/ /g; s/ *$//'"
#define LAB_RULES6 "ip -6 rule | sed 's/[ \t]\\+/ /g; s/ *$//'"
#define LAB_PLAIN_RULES \
	"0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default\n"
#define LAB_PLAIN_RULES6 "0: from all lookup local\n32766: from all lookup main\n"
#define LAB_LINKS        "ip -o link | awk -F'[ :@]+' '{print $2}'"
/* All that a rollback must bring back to the byte. */
#define LAB_STATE \
	"ip -4 route show table all; ip -6 route show table all; ip -4 rule; ip -6 rule; " LAB_LINKS

static inline LAB_UNUSED struct ip_addr lab_addr(const char *s)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(s, &a), 0);
	return a;
}

static inline LAB_UNUSED struct ip_net lab_net(const char *s)
{
	struct ip_net n;

	assert_int_equal(ip_net_parse(s, &n), 0);
	return n;
}

static inline LAB_UNUSED struct mac_addr lab_mac(const char *s)
{
	struct mac_addr m;

	assert_int_equal(mac_parse(s, &m), 0);
	return m;
}

static inline LAB_UNUSED void lab_ok(int rc, const char *call, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s: %s", call, e->msg);
}

/* A call that reports into a local "struct err e". */
#define LAB_OK(call) lab_ok((call), #call, &e)

#endif
