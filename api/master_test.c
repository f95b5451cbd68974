/* SPDX-License-Identifier: Apache-2.0 */
#include "api/master.h"

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/json/jread.h"
#include "lib/json/jwrite.h"
#include "lib/json/text_test.h"

/* A spec as a user writes it, with single quotes. */
static int decode(const char *spec, struct api_network *out, struct err *e)
{
	AUTO(free) char *text = xasprintf("{%s}", spec);
	AUTO(jdoc_free) struct jdoc *doc = json_text(json_quotes(text));
	struct jval root = jdoc_root(doc);

	return api_network_decode(&root, "spec", out, e);
}

static struct api_network network(const char *spec)
{
	struct api_network n = {0};
	struct err e = {0};

	if (decode(spec, &n, &e) < 0)
		fail_msg("%s: %s", spec, e.msg);
	return n;
}

static void each_key_in_one_form(void **state)
{
	static const struct {
		const char *spec, *text, *json;
	} rows[] = {
		{"'master':'ens4'", "ens4", "\"master\":\"ens4\","},
		{"'masterSelector':{'addressIn':'192.168.100.7/24'}", "addressIn=192.168.100.0/24",
		 "\"masterSelector\":{\"addressIn\":\"192.168.100.0/24\"},"},
		{"'masterSelector':{'addressIn':'FD00:0::9/64'}", "addressIn=fd00::/64",
		 "\"masterSelector\":{\"addressIn\":\"fd00::/64\"},"},
		{"'masterSelector':{'mac':'0A:00:00:00:00:FF'}", "mac=0a:00:00:00:00:ff",
		 "\"masterSelector\":{\"mac\":\"0a:00:00:00:00:ff\"},"},
		{"'masterSelector':{'driver':'e1000e'}", "driver=e1000e",
		 "\"masterSelector\":{\"driver\":\"e1000e\"},"},
		{"'masterSelector':{'namePattern':'enp[0-9]s0f?','mac':null}",
		 "namePattern=enp[0-9]s0f?",
		 "\"masterSelector\":{\"namePattern\":\"enp[0-9]s0f?\"},"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(api_network_done) struct api_network n = network(rows[i].spec);
		AUTO(sb_done) struct sb made = SB_INIT;
		char text[API_MASTER_TEXT];
		struct jw w = jw_init(&made);

		assert_string_equal(api_master_text(&n, text), rows[i].text);
		jw_obj(&w);
		api_network_write(&w, &n, false);
		jw_end(&w);
		jw_finish(&w);
		if (!str_starts(sb_get(&made) + 1, rows[i].json))
			fail_msg("%s: %s", rows[i].spec, sb_get(&made));
	}
}

/* What a record has of another way to tell the NIC goes with the patch. */
static void a_patch_takes_the_others_away(void **state)
{
	static const char *const rows[][2] = {
		{"'master':'ens4'", "{\"master\":\"ens4\",\"masterSelector\":null,"},
		{"'masterSelector':{'mac':'0a:00:00:00:00:01'}",
		 "{\"master\":null,\"masterSelector\":{\"addressIn\":null,"
		 "\"mac\":\"0a:00:00:00:00:01\",\"driver\":null,\"namePattern\":null},"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(api_network_done) struct api_network n = network(rows[i][0]);
		AUTO(sb_done) struct sb made = SB_INIT;
		struct jw w = jw_init(&made);

		jw_obj(&w);
		api_network_write(&w, &n, true);
		jw_end(&w);
		jw_finish(&w);
		if (!str_starts(sb_get(&made), rows[i][1]))
			fail_msg("%s: %s", rows[i][0], sb_get(&made));
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const char one[] =
		"spec.masterSelector: must have one of addressIn, mac, driver and namePattern";
	static const struct {
		const char *spec, *msg, *more;
	} rows[] = {
		{"'vlan':1", "spec.master: is missing, and so is masterSelector", ""},
		{"'master':''", "spec.master: is missing, and so is masterSelector", ""},
		{"'master':'ens4','masterSelector':{'driver':'igb'}",
		 "spec.master: \"ens4\" stands beside masterSelector; only one of them may", ""},
		{"'masterSelector':{}", one, ""},
		{"'masterSelector':{'mac':''}", one, ""},
		{"'masterSelector':{'mac':'0a:00:00:00:00:01','driver':'igb'}", one,
		 ", and has mac beside driver"},
		{"'masterSelector':{'driver':'igb','pciAddress':'0000:00:03.0'}", one,
		 ", and has \"pciAddress\""},
		{"'masterSelector':{'addressIn':'192.168.1.1'}",
		 "spec.masterSelector.addressIn: \"192.168.1.1\" is not a CIDR", ""},
		{"'masterSelector':{'mac':'01:00:5e:00:00:01'}",
		 "spec.masterSelector.mac: \"01:00:5e:00:00:01\" is not the MAC of a network card",
		 ""},
		{"'masterSelector':{'driver':'a b'}",
		 "spec.masterSelector.driver: \"a b\" is not the name of a driver", ""},
		{"'masterSelector':{'driver':'abcdefghijklmnopqrstuvwxyz012345'}",
		 "spec.masterSelector.driver: \"abcdefghijklmnopqrstuvwxyz012345\" is not the name of a driver",
		 ""},
		{"'masterSelector':{'namePattern':'../*'}",
		 "spec.masterSelector.namePattern: \"../*\" fits no name of a network card", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *want = xasprintf("%s%s", rows[i].msg, rows[i].more);
		struct api_network n;
		struct err e = {0};

		assert_int_equal(decode(rows[i].spec, &n, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_string_equal(e.msg, want);
	}
}

#define SEL   "'masterSelector':{'addressIn':'192.168.100.0/24'}"
#define OTHER "'masterSelector':{'driver':'igb'}"

static void what_may_be_one_lan(void **state)
{
	static const struct {
		const char *a, *b;
		bool may, eq;
	} rows[] = {
		{"'master':'ens4'", "'master':'ens4'", true, true},
		{"'master':'ens4'", "'master':'ens5'", false, false},
		{"'master':'ens4'", "'master':'ens4','vlan':7", false, true},
		{SEL, SEL, true, true},
		/* The same NIC, whichever it is, and another tag. */
		{SEL, SEL ",'vlan':7", false, true},
		{SEL, OTHER, true, false},
		{SEL, "'master':'ens4'", true, false},
		{"'master':'ens4','vlan':7", SEL ",'vlan':7", true, false},
		{"'master':'ens4','vlan':7", SEL ",'vlan':8", false, false},
		/* The selector may find ens4.7. */
		{"'master':'ens4','vlan':7", SEL, true, false},
		{OTHER, SEL ",'vlan':7", true, false},
		{OTHER ",'vlan':8", SEL ",'vlan':7", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(api_network_done) struct api_network a = network(rows[i].a);
		AUTO(api_network_done) struct api_network b = network(rows[i].b);

		if (api_master_may_meet(&a, &b) != rows[i].may ||
		    api_master_may_meet(&b, &a) != rows[i].may ||
		    api_master_eq(&a, &b) != rows[i].eq)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_in_one_form),
		cmocka_unit_test(a_patch_takes_the_others_away),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_may_be_one_lan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
