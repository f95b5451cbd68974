/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/subnets/waiter.h"

#include "lib/base/test.h"

#include <stdlib.h>

#include "controller/subnets/internal.h"
#include "lib/base/mem.h"

/* How often each was told. */
struct pod {
	struct waiter waiter;
	int n_granted;
};

static void granted(struct waiter *w)
{
	struct pod *pod = CONTAINER_OF(w, struct pod, waiter);

	/* What it is told of is complete. */
	assert_int_equal(w->step, WAITER_COMMITTED);
	assert_non_null(w->subnet);
	pod->n_granted++;
}

static const struct waiter_ops ops = {.granted = granted};

#define POD                              \
	{                                \
		.waiter = {.ops = &ops } \
	}

static void assert_queue(const struct subnet *s, const struct pod *a, const struct pod *b,
			 const struct pod *c)
{
	const struct pod *const want[] = {a, b, c};
	size_t n = 0;

	for (; n < 3 && want[n]; n++) {
		assert_true(n < s->n_queue);
		assert_ptr_equal(s->queue[n], &want[n]->waiter);
		assert_int_equal(want[n]->waiter.step, WAITER_QUEUED);
		assert_ptr_equal(want[n]->waiter.subnet, s);
	}
	assert_int_equal(s->n_queue, n);
}

static void the_oldest_is_first(void **state)
{
	struct pod a = POD, b = POD, c = POD;
	struct subnet s = {0};

	(void)state;
	waiter_enqueue(&b.waiter, &s, "b", 20);
	assert_true(s.hard);
	waiter_enqueue(&c.waiter, &s, "c", 20);
	waiter_enqueue(&a.waiter, &s, "a", 10);
	/* Of one second, whoever came first. */
	assert_queue(&s, &a, &b, &c);
	assert_string_equal(c.waiter.record_uid, "c");
	waiter_dequeue(&b.waiter);
	assert_queue(&s, &a, &c, NULL);
	assert_int_equal(b.waiter.step, WAITER_IDLE);
	assert_null(b.waiter.subnet);
	waiter_dequeue(&b.waiter);
	assert_queue(&s, &a, &c, NULL);
	waiter_dequeue(&a.waiter);
	waiter_dequeue(&c.waiter);
	assert_queue(&s, NULL, NULL, NULL);
	waiter_done(&a.waiter);
	waiter_done(&b.waiter);
	waiter_done(&c.waiter);
	free(s.queue);
}

/* As a write that was refused leaves it. */
static void who_waits_again_has_the_old_place(void **state)
{
	struct pod a = POD, b = POD, c = POD;
	struct subnet s = {0};

	(void)state;
	waiter_enqueue(&a.waiter, &s, "a", 10);
	waiter_dequeue(&a.waiter);
	waiter_enqueue(&b.waiter, &s, "b", 20);
	waiter_enqueue(&c.waiter, &s, "c", 5);
	subnet_requeue(&s, &a.waiter);
	assert_queue(&s, &c, &a, &b);
	assert_string_equal(a.waiter.record_uid, "a");
	waiter_dequeue(&a.waiter);
	waiter_dequeue(&b.waiter);
	waiter_dequeue(&c.waiter);
	waiter_done(&a.waiter);
	waiter_done(&b.waiter);
	waiter_done(&c.waiter);
	free(s.queue);
}

static void what_is_granted_is_its_own(void **state)
{
	struct plan_want want = {.record_uid = "r2"};
	struct pod a = POD;
	struct subnet s = {0};

	(void)state;
	assert_int_equal(ip_parse("10.1.0.5", &want.addr), 0);
	assert_int_equal(ip_parse("fd00::5", &want.addr6), 0);
	assert_int_equal(mac_parse("0a:00:00:00:00:05", &want.mac), 0);
	waiter_enqueue(&a.waiter, &s, "r1", 10);
	waiter_dequeue(&a.waiter);
	waiter_grant(&a.waiter, &s, &want);
	assert_int_equal(a.n_granted, 1);
	assert_true(ip_eq(&a.waiter.addr, &want.addr));
	assert_true(ip_eq(&a.waiter.addr6, &want.addr6));
	assert_true(mac_eq(&a.waiter.mac, &want.mac));
	assert_string_equal(a.waiter.record_uid, "r2");
	/* Whoever is further than the queue stays. */
	waiter_dequeue(&a.waiter);
	assert_int_equal(a.waiter.step, WAITER_COMMITTED);
	waiter_leave(&a.waiter);
	assert_int_equal(a.waiter.step, WAITER_IDLE);
	assert_null(a.waiter.subnet);
	/* To be taken back: nobody is told that it has one. */
	waiter_hold(&a.waiter, &s, &want);
	assert_int_equal(a.waiter.step, WAITER_COMMITTED);
	assert_int_equal(a.n_granted, 1);
	waiter_leave(&a.waiter);
	waiter_done(&a.waiter);
	free(s.queue);
}

static void many_wait(void **state)
{
	struct pod *pods = xcalloc(200, sizeof(*pods));
	struct subnet s = {0};

	(void)state;
	for (int i = 0; i < 200; i++) {
		pods[i].waiter.ops = &ops;
		waiter_enqueue(&pods[i].waiter, &s, "r", 1000 - i);
	}
	for (int i = 0; i < 200; i++)
		assert_ptr_equal(s.queue[i], &pods[199 - i].waiter);
	for (int i = 0; i < 200; i++) {
		waiter_dequeue(&pods[i].waiter);
		waiter_done(&pods[i].waiter);
	}
	assert_int_equal(s.n_queue, 0);
	free(s.queue);
	free(pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_is_first),
		cmocka_unit_test(who_waits_again_has_the_old_place),
		cmocka_unit_test(what_is_granted_is_its_own),
		cmocka_unit_test(many_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
