/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/link_type.h"

#include <linux/if_link.h>

#include "lib/base/test.h"

/* The modes of a type follow each other, each mode is of one type, and its name leads back to it. */
static void the_tables_fit_each_other(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t t = 0; t < NL_TYPES; t++) {
		const struct nl_link_type *type = nl_link_type_get((enum nl_type)t);

		assert_ptr_equal(nl_link_type_find(type->kind), type);
		assert_int_equal(nl_link_type_number(type), t);
		assert_int_equal(type->first, n);
		for (size_t m = type->first; m <= (size_t)type->last; m++, n++) {
			const struct nl_link_mode *mode = nl_link_mode_get((enum nl_mode)m);

			assert_ptr_equal(nl_link_type_of((enum nl_mode)m), type);
			assert_ptr_equal(nl_link_mode_find(type, mode->name), mode);
			assert_int_equal(nl_link_mode_number(mode), m);
			assert_string_equal(nl_link_mode_find_sort(mode->sort)->sort, mode->sort);
		}
	}
	assert_int_equal(n, NL_MODES);
}

static void what_is_no_card(void **state)
{
	const struct nl_link_type *macvlan = nl_link_type_get(NL_TYPE_MACVLAN);

	(void)state;
	assert_null(nl_link_type_find("veth"));
	assert_null(nl_link_type_find(""));
	assert_null(nl_link_mode_find(macvlan, "l2"));
	assert_null(nl_link_mode_find(macvlan, ""));
	assert_null(nl_link_mode_find_sort("ipvlan"));
}

/* What the kernel and the objects say must not move. */
static void the_numbers_of_the_kernel(void **state)
{
	static const struct {
		const char *name, *kind, *sort;
		uint32_t kernel;
	} rows[NL_MODES] = {
		{"bridge", "macvlan", "macvlan", MACVLAN_MODE_BRIDGE},
		{"private", "macvlan", "macvlan", MACVLAN_MODE_PRIVATE},
		{"vepa", "macvlan", "macvlan", MACVLAN_MODE_VEPA},
		{"passthru", "macvlan", "macvlan passthru", MACVLAN_MODE_PASSTHRU},
		{"l2", "ipvlan", "ipvlan l2", IPVLAN_MODE_L2},
		{"l3", "ipvlan", "ipvlan l3", IPVLAN_MODE_L3},
		{"l3s", "ipvlan", "ipvlan l3s", IPVLAN_MODE_L3S},
	};

	(void)state;
	for (size_t i = 0; i < NL_MODES; i++) {
		const struct nl_link_mode *mode = nl_link_mode_get((enum nl_mode)i);

		assert_string_equal(mode->name, rows[i].name);
		assert_string_equal(nl_link_type_of((enum nl_mode)i)->kind, rows[i].kind);
		assert_string_equal(mode->sort, rows[i].sort);
		assert_int_equal(mode->kernel, rows[i].kernel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_fit_each_other),
		cmocka_unit_test(what_is_no_card),
		cmocka_unit_test(the_numbers_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
