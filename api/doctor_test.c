/* SPDX-License-Identifier: Apache-2.0 */
#include "api/doctor.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"

#define HEAD "{\"time\":\"2026-12-01T05:17:44Z\",\"subnets\":["
#define ONE  "{\"name\":\"lan\",\"reason\":\"OK\",\"nic\":\"ens4\",\"mtu\":true}"

static void reads(const char *text, size_t n)
{
	AUTO(api_doctor_done) struct api_doctor d = {0};
	struct err e = {0};

	if (api_doctor_read(text, &d, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	assert_int_equal(d.n, n);
}

static void refuses(const char *text)
{
	AUTO(api_doctor_done) struct api_doctor d = {0};
	struct err e = {0};

	if (api_doctor_read(text, &d, &e) == 0)
		fail_msg("taken: %s", text);
	assert_int_equal(e.kind, ERR_DECODE);
	assert_int_equal(d.n, 0);
}

static void what_is_written_is_read(void **state)
{
	AUTO(api_doctor_done) struct api_doctor d = {.time_s = 1796102264}, again = {0};
	AUTO(sb_done) struct sb text = SB_INIT;
	struct api_doctor_entry *x;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < API_DOCTOR_REASONS; i++) {
		enum api_doctor_reason r;

		assert_int_equal(api_doctor_find(api_doctor_word((enum api_doctor_reason)i), &r),
				 0);
		assert_int_equal(r, i);
	}
	x = api_doctor_add(&d);
	snprintf(x->subnet, sizeof(x->subnet), "bad");
	x->reason = API_DOCTOR_VLAN;
	snprintf(x->message, sizeof(x->message), "VLAN 7 is \"not\" passed");
	x = api_doctor_add(&d);
	snprintf(x->subnet, sizeof(x->subnet), "lan");
	snprintf(x->nic, sizeof(x->nic), "ens4");
	snprintf(x->sw, sizeof(x->sw), "sw-a");
	snprintf(x->port, sizeof(x->port), "Gi1/0/3");
	x->mtu = true;
	api_doctor_write(&d, &text);
	assert_int_equal(api_doctor_read(sb_get(&text), &again, &e), 0);
	assert_true(api_doctor_eq(&d, &again));
	assert_int_equal(again.time_s, d.time_s);
	assert_non_null(api_doctor_get(&again, "lan"));
	assert_null(api_doctor_get(&again, "other"));
	again.v[0].mtu = true;
	assert_false(api_doctor_eq(&d, &again));
}

static void what_fails_has_room_first(void **state)
{
	AUTO(api_doctor_done) struct api_doctor d = {0}, again = {0};
	AUTO(sb_done) struct sb text = SB_INIT;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct api_doctor_entry *x = api_doctor_add(&d);

		snprintf(x->subnet, sizeof(x->subnet), "subnet-%d", i);
		x->reason = i == 199 ? API_DOCTOR_MTU : API_DOCTOR_OK;
		memset(x->message, 'x', sizeof(x->message) - 1);
	}
	api_doctor_write(&d, &text);
	assert_true(text.len <= API_DOCTOR_BYTES);
	assert_int_equal(api_doctor_read(sb_get(&text), &again, &e), 0);
	assert_string_equal(again.v[0].subnet, "subnet-199");
	assert_int_equal(again.n + again.omitted, 200);
}

static void anybody_may_have_written_it(void **state)
{
	AUTO(free) char *long_text = xcalloc(1, 5000);

	(void)state;
	reads(HEAD "]}", 0);
	reads(HEAD ONE "],\"omitted\":3,\"new\":{}}", 1);
	refuses("");
	refuses("null");
	refuses("[]");
	refuses("{\"subnets\":[]}");
	refuses("{\"time\":\"yesterday\",\"subnets\":[]}");
	refuses(HEAD ONE "]");
	refuses(HEAD ONE "," ONE "]}");
	refuses(HEAD "7]}");
	refuses(HEAD "{\"name\":\"lan\"}]}");
	refuses(HEAD "{\"name\":\"lan\",\"reason\":\"Fine\"}]}");
	refuses(HEAD "{\"name\":\"\",\"reason\":\"OK\"}]}");
	refuses(HEAD "{\"name\":\"a/b\",\"reason\":\"OK\"}]}");
	refuses(HEAD "{\"name\":\"Lan\",\"reason\":\"OK\"}]}");
	refuses(HEAD "{\"name\":\"lan\",\"reason\":\"OK\",\"message\":\"a\\nb\"}]}");
	refuses(HEAD "{\"name\":\"lan\",\"reason\":\"OK\",\"switch\":\"\\u001b[2J\"}]}");
	refuses(HEAD "{\"name\":\"lan\",\"reason\":\"OK\",\"nic\":\"a-name-that-is-too-long\"}]}");
	refuses(HEAD "{\"name\":\"lan\",\"reason\":\"OK\",\"mtu\":\"yes\"}]}");
	refuses(HEAD "],\"omitted\":-1}");
	memset(long_text, ' ', 4999);
	memcpy(long_text, HEAD "]}", strlen(HEAD "]}"));
	refuses(long_text);
}

static void foreign_text_is_cleaned(void **state)
{
	char out[6];

	(void)state;
	assert_string_equal(api_doctor_clean("a\tb", 3, out, sizeof(out)), "a?b");
	assert_string_equal(api_doctor_clean("abcdefgh", 8, out, sizeof(out)), "abcde");
	assert_string_equal(api_doctor_clean("ab\0cd", 5, out, sizeof(out)), "ab");
	assert_string_equal(api_doctor_clean("\xc3\xa4", 2, out, sizeof(out)), "??");
	assert_string_equal(api_doctor_clean("", 0, out, sizeof(out)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_fails_has_room_first),
		cmocka_unit_test(anybody_may_have_written_it),
		cmocka_unit_test(foreign_text_is_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
