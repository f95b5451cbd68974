/* SPDX-License-Identifier: Apache-2.0 */
#include "node/herald.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/base/test.h"

static void looks(struct herald *h, uint32_t changes, bool carrier, int64_t now_ms)
{
	const struct herald_seen seen[] = {{3, 7, true}, {4, changes, carrier}};

	herald_look(h, seen, 2, now_ms);
}

/* The next round is of that link, and then. */
static void round_at(struct herald *h, int64_t at_ms)
{
	int index = 0;

	assert_int_equal(herald_when(h), at_ms);
	assert_false(herald_round(h, at_ms - 1, &index));
	assert_true(herald_round(h, at_ms, &index));
	assert_int_equal(index, 4);
}

static void a_link_that_was_there_is_quiet(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 2, true, 5000);
	assert_int_equal(herald_when(&h), 0);
}

static void three_rounds_after_it_came_back(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 3, false, 5000);
	assert_int_equal(herald_when(&h), 0);
	looks(&h, 4, true, 90000);
	round_at(&h, 90000);
	round_at(&h, 92000);
	round_at(&h, 125000);
	assert_int_equal(herald_when(&h), 0);
	looks(&h, 4, true, 200000);
	assert_int_equal(herald_when(&h), 0);
}

/* Down and up again before anybody has looked. */
static void a_flap_between_two_looks(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 4, true, 2000);
	round_at(&h, 2000);
}

static void one_that_was_down_when_first_seen(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 1, false, 1000);
	looks(&h, 2, true, 2000);
	round_at(&h, 2000);
}

static void its_rounds_end_with_its_carrier(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 4, true, 2000);
	round_at(&h, 2000);
	looks(&h, 5, false, 3000);
	assert_int_equal(herald_when(&h), 0);
}

static void one_that_flaps_begins_every_ten_seconds(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 4, true, 2000);
	round_at(&h, 2000);
	for (uint32_t i = 0; i < 5; i++)
		looks(&h, 6 + 2 * i, true, 2100 + 100 * i);
	round_at(&h, 12000);
	round_at(&h, 14000);
	looks(&h, 20, true, 60000);
	round_at(&h, 60000);
}

static void a_link_that_went_is_forgotten(void **state)
{
	AUTO(herald_done) struct herald h = {0};
	const struct herald_seen other = {3, 7, true};

	(void)state;
	looks(&h, 2, true, 1000);
	looks(&h, 4, true, 2000);
	herald_look(&h, &other, 1, 2500);
	assert_int_equal(herald_when(&h), 0);
	/* Another of that number. */
	looks(&h, 9, true, 3000);
	assert_int_equal(herald_when(&h), 0);
}

static void takes(struct herald *h, int64_t now_ms, const char *file, int parent)
{
	struct herald_task t = {0};

	assert_int_equal(herald_when(h), now_ms);
	assert_false(herald_take(h, now_ms - 1, &t));
	assert_true(herald_take(h, now_ms, &t));
	assert_string_equal(t.file, file);
	assert_int_equal(t.parent, parent);
	free(t.file);
}

static void cards_of_a_round_one_by_one(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	herald_add(&h, "a@eth0", 4, 0, 1000);
	herald_add(&h, "b@eth0", 4, 1, 1000);
	herald_add(&h, "c@eth0", 4, 2, 1000);
	/* Still waiting from before: once is enough. */
	herald_add(&h, "c@eth0", 4, 0, 1001);
	takes(&h, 1000, "a@eth0", 4);
	takes(&h, 1005, "b@eth0", 4);
	takes(&h, 1010, "c@eth0", 4);
	assert_int_equal(herald_when(&h), 0);
}

static void a_new_card_after_two_seconds(void **state)
{
	AUTO(herald_done) struct herald h = {0};

	(void)state;
	herald_add_new(&h, "a@eth0", 1000);
	takes(&h, 3000, "a@eth0", 0);
	assert_int_equal(herald_when(&h), 0);
	herald_add_new(&h, "left@eth0", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_was_there_is_quiet),
		cmocka_unit_test(three_rounds_after_it_came_back),
		cmocka_unit_test(a_flap_between_two_looks),
		cmocka_unit_test(one_that_was_down_when_first_seen),
		cmocka_unit_test(its_rounds_end_with_its_carrier),
		cmocka_unit_test(one_that_flaps_begins_every_ten_seconds),
		cmocka_unit_test(a_link_that_went_is_forgotten),
		cmocka_unit_test(cards_of_a_round_one_by_one),
		cmocka_unit_test(a_new_card_after_two_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
