/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rules/contradict.h"

#include "lib/base/test.h"

#include <string.h>

#include "api/ip.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/text_test.h"

/* A record of pod p with 10.1.0.5, with that status; single quotes for double ones. */
static struct api_ip *record(const char *pod, const char *status)
{
	AUTO(free)
	char *text = xasprintf(
		"{'metadata':{'namespace':'d','name':'p1','uid':'r'},'spec':{'subnet':'net',"
		"'podId':'%s','node':'n1','master':'ens4','cidr':'10.1.0.5/24',"
		"'mac':'0a:00:00:00:00:05'},'status':{%s}}",
		pod, status);
	AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(text));
	struct api_ip *out = NULL;
	struct jval root;
	struct err e = {0};

	root = jdoc_root(doc);
	if (api_ip_decode(&root, &out, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

#define ATTACHED      "'phase':'Attached'"
#define CONFLICT      "'phase':'Conflict','message':'in use by 0a:00:00:00:00:01'"
#define DOWN(p)       "'cardDown':'" p "'"
#define CARD(ip, mac) "'card':{'podId':'p','ips':['10.1.0." ip "'],'mac':'0a:00:00:00:00:" mac "'}"

static const struct {
	const char *was, *now;
	bool in_use;
	const char *is;
} rows[] = {
	{"", ATTACHED, false, ""},
	{"", CONFLICT, false, ""},
	{CONFLICT, ATTACHED, false, ""},
	{ATTACHED, "'phase':'Missing'", false, ""},
	{"", CONFLICT, true, "conflict"},
	{ATTACHED, CONFLICT, false, "conflict"},
	{CONFLICT, CONFLICT, true, ""},
	/* A card that goes, and one that comes back: its maker has taken the word away. */
	{ATTACHED, DOWN("p"), false, ""},
	{DOWN("p"), "", false, ""},
	{"", ATTACHED, true, ""},
	{DOWN("p"), ATTACHED, false, "down"},
	{ATTACHED, ATTACHED "," DOWN("p"), false, "down"},
	{DOWN("p"), ATTACHED "," DOWN("p"), false, "down"},
	/* Once. */
	{ATTACHED "," DOWN("p"), ATTACHED "," DOWN("p"), false, ""},
	{ATTACHED "," DOWN("p"), ATTACHED, false, ""},
	/* Of a former pod. */
	{DOWN("other"), ATTACHED, false, ""},
	{ATTACHED, ATTACHED "," DOWN("other"), false, ""},
	{"", CARD("5", "05"), false, ""},
	{CARD("5", "05"), CARD("5", "05") "," ATTACHED, false, ""},
	{"", CARD("6", "05"), false, "card"},
	{"", CARD("5", "06"), false, "card"},
	{CARD("6", "05"), CARD("6", "05") "," ATTACHED, false, ""},
	{CARD("6", "05"), CARD("7", "05"), false, "card"},
	{CARD("5", "05"), "'card':{'podId':'p','ips':[]}", false, "card"},
	{"'card':{'podId':'other','ips':[]}", CARD("5", "05"), false, ""},
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(api_ip_free) struct api_ip *was = record("p", rows[i].was);
		AUTO(api_ip_free) struct api_ip *now = record("p", rows[i].now);
		const char *is = contradict_name(contradict_of(was, now, rows[i].in_use));

		if (!str_eq(is, rows[i].is))
			fail_msg("row %zu: \"%s\", not \"%s\"", i, is, rows[i].is);
	}
}

/* A kept record passes on with what was said of the former pod's card. */
static void test_next_pod(void **state)
{
	AUTO(api_ip_free) struct api_ip *was = record("p", ATTACHED);
	AUTO(api_ip_free) struct api_ip *now = record("q", CONFLICT);

	(void)state;
	assert_int_equal(contradict_of(was, now, true), CONTRADICT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_next_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
