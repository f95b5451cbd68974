/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/doctor/sum.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

static void is(char *got, const char *want)
{
	AUTO(free) char *text = got;

	if (want)
		assert_string_equal(text, want);
	else
		assert_null(text);
}

static void few(void **state)
{
	AUTO(sum_done) struct sum s = {0};

	(void)state;
	is(sum_json(&s), NULL);
	is(sum_set(&s), "");
	sum_add(&s, "n2", API_DOCTOR_OK);
	sum_add(&s, "n9", API_DOCTOR_UNTESTED);
	is(sum_json(&s), "{\"ok\":1,\"failed\":0,\"untested\":1,\"failing\":[]}");
	sum_add(&s, "n3", API_DOCTOR_VLAN);
	sum_add(&s, "n1", API_DOCTOR_NO_CARRIER);
	sum_sort(&s);
	is(sum_json(&s),
	   "{\"ok\":1,\"failed\":2,\"untested\":1,\"failing\":[{\"node\":\"n1\",\"reason\":"
	   "\"NoCarrier\"},{\"node\":\"n3\",\"reason\":\"VLANNotPassed\"}]}");
	is(sum_sentence(&s), "2 of 4 nodes cannot serve it: n1 (NoCarrier), n3 (VLANNotPassed)");
}

static void many(void **state)
{
	static const char *const names[] = {"g", "f", "e", "d", "c", "b", "a"};
	AUTO(sum_done) struct sum s = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sum_add(&s, names[i], API_DOCTOR_MTU);
	sum_sort(&s);
	is(sum_sentence(&s),
	   "7 of 7 nodes cannot serve it: a (MTUTooSmall), b (MTUTooSmall), c (MTUTooSmall), "
	   "d (MTUTooSmall), e (MTUTooSmall) and 2 more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(few), cmocka_unit_test(many)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
