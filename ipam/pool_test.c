/* SPDX-License-Identifier: Apache-2.0 */
/* The pool against a simple model of its rules: random operations, the same answers. */
#include "ipam/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipam/allocation.h"
#include "lib/base/mem.h"
#include "lib/base/test.h"
#include "lib/json/jread.h"

#define SIZE  700 /* three blocks, one of them in part */
#define STEPS 40000

/* One entry for each address of 10.0.0.0 + i. */
struct model {
	bool in_range[SIZE];
	bool used[SIZE];
	int64_t cooling[SIZE]; /* until, 0 = not */
	size_t cursor;
};

static struct ip_addr addr(size_t i)
{
	struct ip_addr base, a;

	assert_int_equal(ip_parse("10.0.0.0", &base), 0);
	assert_int_equal(ip_add(&base, i, &a), 0);
	return a;
}

static size_t index_of(const struct ip_addr *a)
{
	struct ip_addr base = addr(0);

	return (size_t)ip_distance(&base, a);
}

static bool model_free(const struct model *m, size_t i)
{
	return m->in_range[i] && !m->used[i] && !m->cooling[i];
}

static long model_next(struct model *m)
{
	for (size_t n = 0; n < SIZE; n++) {
		size_t i = (m->cursor + n) % SIZE;

		if (!model_free(m, i))
			continue;
		m->used[i] = true;
		m->cursor = i + 1;
		return (long)i;
	}
	return -1;
}

static void model_release(struct model *m, size_t i, int64_t now, uint32_t delay)
{
	int64_t step = delay >= 64 ? delay / 64 : 1;

	if (!m->used[i])
		return;
	m->used[i] = false;
	if (delay)
		m->cooling[i] = (now + delay + step - 1) / step * step;
}

static void compare(const struct model *m, const struct ipam_pool *p, const struct ipam_set *range)
{
	struct ipam_counts c = ipam_pool_count(p, range, NULL, 0), want = {0};
	int64_t next = 0;

	for (size_t i = 0; i < SIZE; i++) {
		struct ip_addr a = addr(i);

		assert_int_equal(ipam_set_has(&p->used, &a), m->used[i]);
		assert_int_equal(ipam_set_has(&p->cooling_all, &a), m->cooling[i] != 0);
		assert_int_equal(ipam_pool_is_free(p, range, &a), model_free(m, i));
		want.total += m->in_range[i];
		want.used += m->used[i];
		want.cooling += m->in_range[i] && m->cooling[i];
		want.free += model_free(m, i);
		if (m->in_range[i] && m->cooling[i] && (!next || m->cooling[i] < next))
			next = m->cooling[i];
	}
	assert_memory_equal(&c, &want, sizeof(c));
	assert_int_equal(ipam_pool_next_expiry(p, range), next);
}

/* Out to text and back, as at a change of leader. */
static void through_text(struct ipam_pool *p)
{
	struct ipam_allocation r = {.pool = *p}, back;
	struct jdoc *doc = NULL;
	struct err e = {0};
	struct jval root;
	char *text = NULL;

	assert_int_equal(ipam_allocation_encode(&r, &text, &e), 0);
	assert_int_equal(jdoc_parse("record", text, strlen(text), &doc, &e), 0);
	root = jdoc_root(doc);
	assert_int_equal(ipam_allocation_decode(&root, &back, &e), 0);
	ipam_allocation_done(&r);
	*p = back.pool;
	back.pool = (struct ipam_pool){0};
	ipam_allocation_done(&back);
	jdoc_free(doc);
	free(text);
}

static void flip_range(struct model *m, struct ipam_set *range, size_t i)
{
	struct ip_addr a = addr(i);

	m->in_range[i] = !m->in_range[i];
	if (m->in_range[i])
		ipam_set_add(range, &a);
	else
		ipam_set_remove(range, &a);
}

static void one_step(struct model *m, struct ipam_pool *p, struct ipam_set *range, int64_t now)
{
	static const uint32_t delays[] = {0, 1, 60, 200, 3600};
	size_t i = (size_t)rand() % SIZE;
	uint32_t delay = delays[rand() % 5];
	struct ip_addr a = addr(i), got;
	long want;

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		want = model_next(m);
		assert_int_equal(ipam_pool_take_next(p, range, NULL, 0, &got), want >= 0);
		if (want >= 0)
			assert_int_equal(index_of(&got), want);
		break;
	case 3:
	case 4:
	case 5:
		model_release(m, i, now, delay);
		ipam_pool_release(p, &a, now, delay);
		break;
	case 6:
		m->used[i] = true;
		m->cooling[i] = 0;
		ipam_pool_use(p, &a);
		break;
	default:
		flip_range(m, range, i);
		break;
	}
}

static void as_the_model(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10)
				  : (unsigned int)time(NULL);
	struct model m = {0};
	int64_t now = 1000000;

	(void)state;
	print_message("SEED=%u\n", seed);
	srand(seed);
	for (size_t i = 0; i < SIZE; i++)
		flip_range(&m, &range, i);
	for (int step = 0; step < STEPS; step++) {
		one_step(&m, &p, &range, now);
		if (step % 20)
			continue;
		now += rand() % 30;
		for (size_t i = 0; i < SIZE; i++)
			m.cooling[i] = m.cooling[i] > now ? m.cooling[i] : 0;
		ipam_pool_expire(&p, now);
		if (step % 200 == 0) {
			compare(&m, &p, &range);
			through_text(&p);
			compare(&m, &p, &range);
		}
	}
}

static void longest_free_first(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	struct ip_addr first = addr(1), last = addr(3), a;
	const size_t order[] = {1, 2, 3, 1, 2};

	(void)state;
	ipam_set_add_span(&range, &first, &last);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(ipam_pool_take_next(&p, &range, NULL, 0, &a), 1);
		assert_int_equal(index_of(&a), order[i]);
		ipam_pool_release(&p, &a, 0, 0);
	}
}

static void what_is_to_be_avoided_is_not_given(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	AUTO(ipam_set_done) struct ipam_set avoid = IPAM_SET_INIT;
	const struct ipam_set *avoids[] = {&avoid};
	struct ip_addr first = addr(1), last = addr(2), a;

	(void)state;
	ipam_set_add_span(&range, &first, &last);
	ipam_set_add(&avoid, &first);
	assert_int_equal(ipam_pool_take_next(&p, &range, avoids, 1, &a), 1);
	assert_int_equal(index_of(&a), 2);
	assert_int_equal(ipam_pool_take_next(&p, &range, avoids, 1, &a), 0);
}

/* Each family has a cursor of its own, and both come back from the text. */
static void a_cursor_for_each_family(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	AUTO(ipam_set_done) struct ipam_set range6 = IPAM_SET_INIT;
	struct ip_addr first = addr(1), last = addr(3), six, seven, a;

	(void)state;
	assert_int_equal(ip_parse("fd00::6", &six), 0);
	assert_int_equal(ip_parse("fd00::7", &seven), 0);
	ipam_set_add_span(&range, &first, &last);
	ipam_set_add_span(&range6, &six, &seven);
	assert_int_equal(ipam_pool_take_next(&p, &range, NULL, 0, &a), 1);
	assert_int_equal(ipam_pool_take_next(&p, &range6, NULL, 0, &a), 1);
	assert_true(ip_eq(&a, &six));
	ipam_pool_release(&p, &first, 0, 0);
	ipam_pool_release(&p, &six, 0, 0);
	through_text(&p);
	assert_int_equal(ipam_pool_take_next(&p, &range, NULL, 0, &a), 1);
	assert_int_equal(index_of(&a), 2);
	assert_int_equal(ipam_pool_take_next(&p, &range6, NULL, 0, &a), 1);
	assert_true(ip_eq(&a, &seven));
	assert_int_equal(ipam_pool_count(&p, &range, NULL, AF_INET).used, 1);
	assert_int_equal(ipam_pool_count(&p, &range6, NULL, AF_INET6).used, 1);
	assert_int_equal(ipam_pool_count(&p, &range6, NULL, AF_INET6).free, 1);
}

static void quarantine(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	struct ip_addr first = addr(1), second = addr(2), last = addr(3);
	struct ipam_counts c;

	(void)state;
	ipam_set_add_span(&range, &first, &last);
	ipam_pool_use(&p, &first);
	ipam_pool_use(&p, &second);
	ipam_pool_release(&p, &first, 100, 50);
	ipam_pool_quarantine(&p, &second, 150);
	through_text(&p);
	assert_int_equal(p.n_cooling, 2);
	c = ipam_pool_count(&p, &range, NULL, 0);
	assert_int_equal(c.used, 0);
	assert_int_equal(c.cooling, 2);
	assert_int_equal(c.quarantined, 1);
	assert_int_equal(c.free, 1);
	/* Of two ends the later one counts, whichever kind it is. */
	ipam_pool_cool(&p, &second, 120);
	assert_int_equal(ipam_pool_count(&p, &range, NULL, 0).quarantined, 1);
	ipam_pool_cool(&p, &second, 180);
	assert_int_equal(ipam_pool_count(&p, &range, NULL, 0).quarantined, 0);
	ipam_pool_quarantine(&p, &first, 200);
	assert_int_equal(ipam_pool_expire(&p, 180), 1);
	assert_false(ipam_pool_coarsen(&p));
	assert_int_equal(ipam_pool_expire(&p, 199), 0);
	assert_int_equal(ipam_pool_expire(&p, 200), 1);
	/* Kinds are not joined. */
	ipam_pool_cool(&p, &first, 300);
	ipam_pool_quarantine(&p, &second, 301);
	assert_false(ipam_pool_coarsen(&p));
	ipam_pool_cool(&p, &last, 302);
	assert_true(ipam_pool_coarsen(&p));
	assert_int_equal(ipam_pool_expire(&p, 301), 1);
	assert_int_equal(ipam_pool_expire(&p, 302), 2);
}

static void coarser_is_later_never_earlier(void **state)
{
	AUTO(ipam_pool_done) struct ipam_pool p = {0};
	AUTO(ipam_set_done) struct ipam_set range = IPAM_SET_INIT;
	struct ip_addr first = addr(0), last = addr(4);

	(void)state;
	ipam_set_add_span(&range, &first, &last);
	for (size_t i = 0; i < 5; i++) {
		struct ip_addr a = addr(i);

		ipam_pool_cool(&p, &a, (int64_t)(100 + i));
	}
	assert_true(ipam_pool_coarsen(&p));
	assert_int_equal(p.n_cooling, 3);
	assert_int_equal(ipam_pool_expire(&p, 100), 0);
	assert_int_equal(ipam_pool_expire(&p, 101), 2);
	assert_true(ipam_pool_coarsen(&p));
	assert_false(ipam_pool_coarsen(&p));
	assert_int_equal(ipam_pool_expire(&p, 103), 0);
	assert_int_equal(ipam_pool_expire(&p, 104), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_model),
		cmocka_unit_test(longest_free_first),
		cmocka_unit_test(what_is_to_be_avoided_is_not_given),
		cmocka_unit_test(a_cursor_for_each_family),
		cmocka_unit_test(quarantine),
		cmocka_unit_test(coarser_is_later_never_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
