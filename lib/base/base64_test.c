/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"

static const struct {
	const char *plain, *text;
} pairs[] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
	{"\xff\xfe\xfb", "//77"},
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *text = base64_encode(pairs[i].plain, strlen(pairs[i].plain));
		size_t len = 99;
		char *plain = base64_decode(pairs[i].text, &len);

		assert_string_equal(text, pairs[i].text);
		assert_string_equal(plain, pairs[i].plain);
		assert_int_equal(len, strlen(pairs[i].plain));
		free(text);
		free(plain);
	}
}

static void test_every_byte(void **state)
{
	unsigned char all[256];
	char *text, *back;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	text = base64_encode(all, sizeof(all));
	back = base64_decode(text, &len);
	assert_int_equal(len, sizeof(all));
	assert_memory_equal(back, all, sizeof(all));
	free(text);
	free(back);
}

static void test_what_is_none(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm 9v", "===="};
	char *text = base64_decode("Zm9v\r\nYmFy\n", NULL);

	(void)state;
	assert_string_equal(text, "foobar");
	free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(base64_decode(bad[i], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
