/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include "lib/pki/digest.h"

/* FIPS 180-4's own examples. */
static void known_answers(void **state)
{
	char hex[PKI_SHA256_HEX_LEN];

	(void)state;
	assert_string_equal(pki_sha256_hex("", 0, hex),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(pki_sha256_hex("abc", 3, hex),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
