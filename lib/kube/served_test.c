/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kube/served.h"

#include <string.h>

#include "lib/base/test.h"
#include "lib/kube/request.h"

static bool serves(char *body)
{
	struct kube_response res = {.status = 200, .body = body, .body_len = strlen(body)};

	return kube_serves(&res, "endpointslices");
}

static void test_lists(void **state)
{
	char has[] = "{\"resources\":[{\"name\":\"other\"},{\"name\":\"endpointslices\"}]}";
	char part[] = "{\"resources\":[{\"name\":\"endpointslices/status\"}]}";
	char empty[] = "{\"resources\":[]}", none[] = "{}", junk[] = "<html>";

	(void)state;
	assert_true(serves(has));
	assert_false(serves(part));
	assert_false(serves(empty));
	assert_false(serves(none));
	assert_false(serves(junk));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
