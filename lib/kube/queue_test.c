/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/queue.h"

#include "lib/base/mem.h"
#include "lib/base/test.h"

/* ------------------------------------------------------------------ a table */

enum what { END = 0, MARK, CHECK, TAKE, FINISH, LATER, FAILED, FORGET, REMOVE, NEXT, LIMIT };

/* TAKE: the item that is to come, NONE = nothing is due. */
#define NONE 9

struct step {
	enum what what;
	unsigned int item;
	int64_t ms; /* due, now or the number to expect */
	int64_t least_ms;
};

struct test {
	const char *name;
	struct step steps[24];
};

static const struct test tests[] = {
	{"the earliest is first, equals in their order",
	 {{MARK, 0, 300, 0},
	  {MARK, 1, 100, 0},
	  {MARK, 2, 300, 0},
	  {NEXT, 0, 100, 0},
	  {TAKE, NONE, 99, 0},
	  {TAKE, 1, 300, 0},
	  {TAKE, 0, 300, 0},
	  {TAKE, 2, 300, 0},
	  {TAKE, NONE, 300, 0},
	  {NEXT, 0, 0, 0}}},
	{"many marks are one look, at the earliest time",
	 {{MARK, 0, 500, 0},
	  {MARK, 0, 200, 0},
	  {MARK, 0, 900, 0},
	  {NEXT, 0, 200, 0},
	  {TAKE, 0, 200, 0},
	  {FINISH, 0, 0, 0},
	  {NEXT, 0, 0, 0}}},
	{"a second mark for the same time does not lose the place",
	 {{MARK, 0, 100, 0},
	  {MARK, 1, 100, 0},
	  {MARK, 0, 100, 0},
	  {TAKE, 0, 100, 0},
	  {TAKE, 1, 100, 0}}},
	{"a mark while in flight means again afterwards",
	 {{MARK, 0, 100, 0},
	  {TAKE, 0, 100, 0},
	  {MARK, 0, 150, 0},
	  {MARK, 0, 120, 0},
	  {MARK, 0, 130, 0},
	  {TAKE, NONE, 1000, 0},
	  {NEXT, 0, 0, 0},
	  {FINISH, 0, 0, 0},
	  {NEXT, 0, 120, 0},
	  {TAKE, 0, 120, 0},
	  {FINISH, 0, 0, 0},
	  {NEXT, 0, 0, 0}}},
	{"later is a due time, and a mark meanwhile may be earlier",
	 {{MARK, 0, 100, 0},
	  {TAKE, 0, 100, 0},
	  {LATER, 0, 900, 0},
	  {NEXT, 0, 900, 0},
	  {TAKE, 0, 900, 0},
	  {MARK, 0, 950, 0},
	  {LATER, 0, 2000, 0},
	  {NEXT, 0, 950, 0}}},
	{"the pause doubles, no mark shortens it, success forgets it",
	 {{MARK, 0, 1000, 0},
	  {TAKE, 0, 1000, 0},
	  {FAILED, 0, 1010, 0},
	  {NEXT, 0, 1260, 0},
	  {MARK, 0, 1020, 0},
	  {NEXT, 0, 1260, 0},
	  {TAKE, 0, 1260, 0},
	  {FAILED, 0, 1300, 0},
	  {NEXT, 0, 1800, 0},
	  {TAKE, 0, 1800, 0},
	  {FINISH, 0, 0, 0},
	  {MARK, 0, 2000, 0},
	  {TAKE, 0, 2000, 0},
	  {FAILED, 0, 2000, 0},
	  {NEXT, 0, 2250, 0}}},
	{"later keeps the count of failures, forget does not",
	 {{MARK, 0, 1000, 0},
	  {TAKE, 0, 1000, 0},
	  {FAILED, 0, 1000, 0},
	  {TAKE, 0, 1250, 0},
	  {LATER, 0, 1300, 0},
	  {TAKE, 0, 1300, 0},
	  {FAILED, 0, 2000, 0},
	  {NEXT, 0, 2500, 0},
	  {TAKE, 0, 2500, 0},
	  {FORGET, 0, 0, 0},
	  {LATER, 0, 2600, 0},
	  {TAKE, 0, 2600, 0},
	  {FAILED, 0, 3000, 0},
	  {NEXT, 0, 3250, 0}}},
	{"the server's wish is the least, and never the most",
	 {{MARK, 0, 1000, 0},
	  {TAKE, 0, 1000, 0},
	  {FAILED, 0, 1000, 7000},
	  {NEXT, 0, 8000, 0},
	  {TAKE, 0, 8000, 0},
	  {FAILED, 0, 8000, 100},
	  {NEXT, 0, 8500, 0}}},
	{"a mark while in flight does not shorten the pause after a failure",
	 {{MARK, 0, 1000, 0},
	  {TAKE, 0, 1000, 0},
	  {MARK, 0, 1001, 0},
	  {FAILED, 0, 1010, 0},
	  {NEXT, 0, 1260, 0},
	  {TAKE, 0, 1260, 0},
	  {FINISH, 0, 0, 0},
	  {NEXT, 0, 0, 0}}},
	{"removed in any state, and as new afterwards",
	 {{REMOVE, 0, 0, 0},
	  {MARK, 0, 100, 0},
	  {MARK, 1, 200, 0},
	  {REMOVE, 0, 0, 0},
	  {NEXT, 0, 200, 0},
	  {TAKE, 1, 200, 0},
	  {FAILED, 1, 200, 0},
	  {TAKE, 1, 450, 0},
	  {REMOVE, 1, 0, 0},
	  {MARK, 1, 500, 0},
	  {TAKE, 1, 500, 0},
	  {FAILED, 1, 500, 0},
	  {NEXT, 0, 750, 0}}},
	{"no more than the limit in flight",
	 {{LIMIT, 0, 2, 0},
	  {MARK, 0, 100, 0},
	  {MARK, 1, 100, 0},
	  {MARK, 2, 100, 0},
	  {TAKE, 0, 100, 0},
	  {NEXT, 0, 100, 0},
	  {TAKE, 1, 100, 0},
	  {NEXT, 0, 0, 0},
	  {TAKE, NONE, 100, 0},
	  {FINISH, 0, 0, 0},
	  {NEXT, 0, 100, 0},
	  {TAKE, 2, 100, 0}}},
	{"zero is at once, and a time like any other",
	 {{MARK, 0, 0, 0}, {NEXT, 0, 1, 0}, {TAKE, 0, 1, 0}, {LATER, 0, 0, 0}, {NEXT, 0, 1, 0}}},
};

static void take(struct kube_queue *q, struct kube_queue_item *items, const struct step *s)
{
	struct kube_queue_item *got = kube_queue_take(q, s->ms);

	assert_int_equal(got ? (unsigned int)(got - items) : NONE, s->item);
}

static void act(struct kube_queue *q, struct kube_queue_item *items, const struct step *s)
{
	struct kube_queue_item *item = &items[s->item % 4];

	switch (s->what) {
	case MARK:
		kube_queue_mark(q, item, s->ms);
		break;
	case CHECK:
		kube_queue_check(q, item, s->ms);
		break;
	case TAKE:
		take(q, items, s);
		break;
	case FINISH:
		kube_queue_finish(q, item);
		break;
	case LATER:
		kube_queue_later(q, item, s->ms);
		break;
	case FAILED:
		kube_queue_failed(q, item, s->ms, s->least_ms);
		break;
	case FORGET:
		kube_queue_forget(q, item);
		break;
	case REMOVE:
		kube_queue_remove(q, item);
		break;
	case NEXT:
		assert_int_equal(kube_queue_next_ms(q), s->ms);
		break;
	case LIMIT:
		q->max_in_flight = (size_t)s->ms;
		break;
	case END:
		break;
	}
}

static void rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		struct kube_queue_item items[4] = {0};
		struct kube_queue q = {0};

		print_message("%s\n", tests[i].name);
		for (const struct step *s = tests[i].steps; s->what != END; s++)
			act(&q, items, s);
		kube_queue_done(&q);
	}
}

/* ------------------------------------------------------------------ checks, gauge, pauses */

static void pause_has_the_owners_maximum(void **state)
{
	struct kube_queue q = {.pause_max_ms = 400};
	struct kube_queue_item item = {0};

	(void)state;
	kube_queue_mark(&q, &item, 1);
	assert_ptr_equal(kube_queue_take(&q, 1), &item);
	kube_queue_failed(&q, &item, 1000, 0);
	assert_int_equal(kube_queue_next_ms(&q), 1250);
	assert_ptr_equal(kube_queue_take(&q, 1250), &item);
	kube_queue_failed(&q, &item, 2000, 0);
	assert_int_equal(kube_queue_next_ms(&q), 2400);
	/* It bounds what we would wait by ourselves, not what the server asks for. */
	assert_ptr_equal(kube_queue_take(&q, 2400), &item);
	kube_queue_failed(&q, &item, 3000, 900);
	assert_int_equal(kube_queue_next_ms(&q), 3900);
	kube_queue_done(&q);
}

static void check_is_told_from_mark(void **state)
{
	struct kube_queue_item items[2] = {0};
	struct kube_queue q = {0};

	(void)state;
	kube_queue_check(&q, &items[0], 10);
	kube_queue_check(&q, &items[1], 10);
	kube_queue_mark(&q, &items[1], 20);
	assert_false(kube_queue_is_check(&items[0]));
	assert_ptr_equal(kube_queue_take(&q, 10), &items[0]);
	assert_true(kube_queue_is_check(&items[0]));
	/* Due already by the check, but marked as well: nothing was lost. */
	assert_ptr_equal(kube_queue_take(&q, 10), &items[1]);
	assert_false(kube_queue_is_check(&items[1]));
	kube_queue_later(&q, &items[0], 30);
	kube_queue_check(&q, &items[0], 20);
	assert_int_equal(kube_queue_next_ms(&q), 30);
	assert_ptr_equal(kube_queue_take(&q, 30), &items[0]);
	assert_false(kube_queue_is_check(&items[0]));
	/* In flight: it is looked at anyway. */
	kube_queue_check(&q, &items[0], 31);
	kube_queue_finish(&q, &items[0]);
	assert_int_equal(kube_queue_next_ms(&q), 0);
	kube_queue_done(&q);
}

static void gauge_counts(void **state)
{
	struct kube_queue_item items[5] = {0};
	struct kube_queue_gauge g;
	struct kube_queue q = {0};

	(void)state;
	kube_queue_gauge(&q, 1000, &g);
	assert_int_equal(g.waiting + g.later + g.in_flight + g.retrying, 0);
	assert_int_equal(g.oldest_ms, 0);
	for (int i = 0; i < 5; i++)
		kube_queue_mark(&q, &items[i], 100 + 100 * i);
	assert_ptr_equal(kube_queue_take(&q, 100), &items[0]);
	kube_queue_failed(&q, &items[0], 100, 0);
	assert_ptr_equal(kube_queue_take(&q, 200), &items[1]);
	kube_queue_gauge(&q, 360, &g);
	/* 300 and 350 (after the failure) are due; 400 and 500 are not. */
	assert_int_equal(g.waiting, 2);
	assert_int_equal(g.later, 2);
	assert_int_equal(g.in_flight, 1);
	assert_int_equal(g.retrying, 1);
	assert_int_equal(g.oldest_ms, 60);
	assert_ptr_equal(kube_queue_take(&q, 360), &items[2]);
	assert_ptr_equal(kube_queue_take(&q, 360), &items[0]);
	kube_queue_gauge(&q, 360, &g);
	assert_int_equal(g.retrying, 1);
	kube_queue_remove(&q, &items[0]);
	kube_queue_gauge(&q, 360, &g);
	assert_int_equal(g.in_flight, 2);
	assert_int_equal(g.retrying, 0);
	kube_queue_done(&q);
}

static void pauses(void **state)
{
	static const int64_t want[] = {0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(kube_queue_backoff_ms(i), want[i]);
	assert_int_equal(kube_queue_backoff_ms(4000000000U), 30000);
}

/* ------------------------------------------------------------------ against a naive list */

#define ITEMS 40
#define STEPS 200000

/* An entry of the list, in the order of arrival; there is no other structure. */
struct naive {
	unsigned int item;
	int64_t due_ms;
};

struct model {
	struct kube_queue q;
	struct kube_queue_item items[ITEMS];
	struct naive list[ITEMS];
	size_t n;
	bool flying[ITEMS], checked[ITEMS];
	int64_t again_ms[ITEMS], pause_end_ms[ITEMS];
	unsigned int failures[ITEMS];
	int64_t now_ms;
	uint32_t random;
};

static uint32_t draw(struct model *m, uint32_t below)
{
	m->random = m->random * 1664525 + 1013904223;
	return (m->random >> 8) % below;
}

static size_t find(const struct model *m, unsigned int item)
{
	size_t i = 0;

	while (i < m->n && m->list[i].item != item)
		i++;
	return i;
}

static void drop(struct model *m, size_t at)
{
	m->n--;
	for (; at < m->n; at++)
		m->list[at] = m->list[at + 1];
}

static int64_t max_ms(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void put(struct model *m, unsigned int item, int64_t due_ms)
{
	size_t at = find(m, item);

	due_ms = max_ms(due_ms, m->pause_end_ms[item]);
	if (at < m->n && m->list[at].due_ms <= due_ms)
		return;
	if (at < m->n)
		drop(m, at);
	m->list[m->n++] = (struct naive){item, due_ms};
}

static void model_mark(struct model *m, unsigned int i)
{
	int64_t due = m->now_ms + (int64_t)draw(m, 40) - 10;

	kube_queue_mark(&m->q, &m->items[i], due);
	if (!m->flying[i]) {
		m->checked[i] = false;
		put(m, i, due);
	} else if (!m->again_ms[i] || due < m->again_ms[i]) {
		m->again_ms[i] = due;
	}
}

static void model_check(struct model *m, unsigned int i)
{
	kube_queue_check(&m->q, &m->items[i], m->now_ms);
	if (m->flying[i] || find(m, i) < m->n)
		return;
	m->checked[i] = true;
	put(m, i, m->now_ms);
}

static void model_take(struct model *m)
{
	struct kube_queue_item *got = kube_queue_take(&m->q, m->now_ms);
	size_t best = m->n, flying = 0;
	unsigned int i;

	for (i = 0; i < ITEMS; i++)
		flying += m->flying[i];
	for (size_t k = 0; k < m->n && flying < m->q.max_in_flight; k++) {
		if (m->list[k].due_ms <= m->now_ms &&
		    (best == m->n || m->list[k].due_ms < m->list[best].due_ms))
			best = k;
	}
	if (best == m->n) {
		assert_null(got);
		return;
	}
	i = m->list[best].item;
	assert_ptr_equal(got, &m->items[i]);
	assert_int_equal(kube_queue_is_check(got), m->checked[i]);
	drop(m, best);
	m->flying[i] = true;
	m->pause_end_ms[i] = 0;
}

static void model_end(struct model *m, unsigned int i)
{
	int64_t due = m->now_ms + 1 + (int64_t)draw(m, 30), again = m->again_ms[i];

	m->flying[i] = m->checked[i] = false;
	m->again_ms[i] = 0;
	switch (draw(m, 3)) {
	case 0:
		kube_queue_finish(&m->q, &m->items[i]);
		m->failures[i] = 0;
		break;
	case 1:
		kube_queue_later(&m->q, &m->items[i], due);
		put(m, i, again && again < due ? again : due);
		return;
	default:
		kube_queue_failed(&m->q, &m->items[i], m->now_ms, 0);
		m->failures[i]++;
		due = 125;
		for (unsigned int k = 0; k < m->failures[i] && due < 30000; k++)
			due *= 2;
		m->pause_end_ms[i] = m->now_ms + (due < 30000 ? due : 30000);
		put(m, i, m->pause_end_ms[i]);
		return;
	}
	if (again)
		put(m, i, again);
}

static void model_remove(struct model *m, unsigned int i)
{
	size_t at = find(m, i);

	kube_queue_remove(&m->q, &m->items[i]);
	if (at < m->n)
		drop(m, at);
	m->flying[i] = m->checked[i] = false;
	m->again_ms[i] = m->pause_end_ms[i] = 0;
	m->failures[i] = 0;
}

static void model_compare(const struct model *m)
{
	struct kube_queue_gauge g;
	size_t flying = 0, waiting = 0, retrying = 0;
	int64_t next = 0;

	for (unsigned int i = 0; i < ITEMS; i++) {
		flying += m->flying[i];
		retrying += m->failures[i] > 0;
	}
	for (size_t k = 0; k < m->n; k++) {
		waiting += m->list[k].due_ms <= m->now_ms;
		if (!next || m->list[k].due_ms < next)
			next = m->list[k].due_ms;
	}
	kube_queue_gauge(&m->q, m->now_ms, &g);
	assert_int_equal(g.in_flight, flying);
	assert_int_equal(g.retrying, retrying);
	assert_int_equal(g.waiting, waiting);
	assert_int_equal(g.later, m->n - waiting);
	assert_int_equal(kube_queue_next_ms(&m->q), flying < m->q.max_in_flight ? next : 0);
}

static void like_a_naive_list(void **state)
{
	struct model m = {.now_ms = 1000, .random = 20261130, .q.max_in_flight = 12};
	unsigned int taken = 0;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned int i = draw(&m, ITEMS), what = draw(&m, 100);

		if (what < 25)
			model_mark(&m, i);
		else if (what < 30)
			model_check(&m, i);
		else if (what < 60)
			model_take(&m);
		else if (what < 95 && m.flying[i])
			model_end(&m, i);
		else if (what == 99)
			model_remove(&m, i);
		m.now_ms += draw(&m, 20);
		taken += m.flying[i];
		model_compare(&m);
	}
	/* The run has been through what it is about. */
	assert_true(taken > STEPS / 20);
	kube_queue_done(&m.q);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(check_is_told_from_mark),
		cmocka_unit_test(gauge_counts),
		cmocka_unit_test(pauses),
		cmocka_unit_test(pause_has_the_owners_maximum),
		cmocka_unit_test(like_a_naive_list),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
