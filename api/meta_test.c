/* SPDX-License-Identifier: Apache-2.0 */
#include "api/meta.h"

#include <stdlib.h>

#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/json/jwrite.h"

#define BOTH "\"uid\":\"u-1\",\"resourceVersion\":\"77\""

static void conditions_in_metadata(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	(void)state;
	jw_arr(&w);
	jw_obj(&w);
	jw_kv_str(&w, "name", "n");
	api_meta_write_condition(&w, "u-1", "77");
	jw_end(&w);
	jw_obj(&w);
	api_meta_write_uid(&w, "u-1");
	jw_kv_str(&w, "name", "n");
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(sb_get(&sb),
			    "[{\"name\":\"n\"," BOTH "},{\"uid\":\"u-1\",\"name\":\"n\"}]");
}

static void patch_begins(void **state)
{
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct jw w = jw_init(&sb);

	(void)state;
	api_meta_begin_patch(&w, "u-1", "77");
	jw_kv_obj(&w, "labels");
	jw_end(&w);
	jw_end(&w);
	jw_kv_obj(&w, "spec");
	jw_end(&w);
	jw_end(&w);
	jw_finish(&w);
	assert_string_equal(sb_get(&sb), "{\"metadata\":{" BOTH ",\"labels\":{}},\"spec\":{}}");
}

static void delete_has_preconditions(void **state)
{
	AUTO(free) char *options = api_meta_delete_options("u-1", "77");

	(void)state;
	assert_string_equal(options, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
				     "\"preconditions\":{" BOTH "}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_in_metadata),
		cmocka_unit_test(patch_begins),
		cmocka_unit_test(delete_has_preconditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
