/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/daemon/loop.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"

struct bell {
	struct loop *loop;
	int fd, other; /* other: taken out when this one rings; -1 = none */
	int rung;
	int rc;
};

static int ring(void *ctx, struct err *e)
{
	struct bell *b = ctx;
	uint64_t n;

	IGNORE(read(b->fd, &n, sizeof(n)) < 0, "it is readable");
	b->rung++;
	if (b->other >= 0)
		loop_remove(b->loop, b->other);
	return b->rc < 0 ? err_set(e, ERR_IO, 0, "bell") : 0;
}

static struct bell bell(struct loop *l, unsigned int count)
{
	return (struct bell){.loop = l, .fd = eventfd(count, EFD_CLOEXEC), .other = -1};
}

static void what_is_readable_is_done(void **state)
{
	AUTO(loop_free) struct loop *l = NULL;
	struct err e = {0};
	struct bell a, b;

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	a = bell(l, 1);
	b = bell(l, 0);
	assert_int_equal(loop_add(l, a.fd, ring, &a, &e), 0);
	assert_int_equal(loop_add(l, b.fd, ring, &b, &e), 0);
	assert_int_equal(loop_turn(l, INT64_MAX, &e), 1);
	assert_int_equal(a.rung, 1);
	assert_int_equal(b.rung, 0);
	/* Nothing more: the deadline ends the turn. */
	assert_int_equal(loop_turn(l, clock_now_ms(), &e), 1);
	assert_int_equal(a.rung + b.rung, 1);
	a.rc = -1;
	assert_int_equal(eventfd_write(a.fd, 1), 0);
	assert_int_equal(loop_turn(l, INT64_MAX, &e), -1);
	assert_string_equal(e.msg, "bell");
	close(a.fd);
	close(b.fd);
}

static void who_was_removed_in_the_turn_is_not_called(void **state)
{
	AUTO(loop_free) struct loop *l = NULL;
	struct err e = {0};
	struct bell a, b;

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	a = bell(l, 1);
	b = bell(l, 1);
	a.other = b.fd;
	b.other = a.fd;
	assert_int_equal(loop_add(l, a.fd, ring, &a, &e), 0);
	assert_int_equal(loop_add(l, b.fd, ring, &b, &e), 0);
	assert_int_equal(loop_turn(l, INT64_MAX, &e), 1);
	assert_int_equal(a.rung + b.rung, 1);
	assert_int_equal(loop_turn(l, clock_now_ms(), &e), 1);
	assert_int_equal(a.rung + b.rung, 1);
	loop_remove(l, 12345);
	close(a.fd);
	close(b.fd);
}

static void a_signal_ends_it_before_anything_else(void **state)
{
	AUTO(loop_free) struct loop *l = NULL;
	struct err e = {0};
	struct bell a;

	(void)state;
	assert_int_equal(loop_new(&l, &e), 0);
	a = bell(l, 1);
	assert_int_equal(loop_add(l, a.fd, ring, &a, &e), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(loop_turn(l, INT64_MAX, &e), 0);
	assert_int_equal(a.rung, 0);
	close(a.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_readable_is_done),
		cmocka_unit_test(who_was_removed_in_the_turn_is_not_called),
		/* The last one: the signal stays pending. */
		cmocka_unit_test(a_signal_ends_it_before_anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
