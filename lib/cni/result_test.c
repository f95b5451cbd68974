/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cni/result.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"

static struct cni_result *parse(const char *text, enum cni_version fallback)
{
	struct cni_result *r = NULL;
	struct err e = {0};

	if (cni_result_parse("r", jspan_of(text), fallback, &r, &e) < 0)
		fail_msg("%s", e.msg);
	return r;
}

static void converts(const char *text, enum cni_version to, const char *want)
{
	AUTO(cni_result_free) struct cni_result *r = parse(text, CNI_1_0_0);
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};

	assert_int_equal(cni_result_write(r, to, &sb, &e), 0);
	assert_string_equal(sb_get(&sb), want);
}

/* The same network in the shape of every version. */
#define BODY_04                                                                                 \
	"\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"0a:58:0a:2a:00:01\"},{\"name\":\"eth0\"," \
	"\"sandbox\":\"/n\"}],\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":"         \
	"\"10.42.0.9/24\",\"gateway\":\"10.42.0.1\"},{\"version\":\"6\",\"address\":"           \
	"\"fd00::9/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.42.0.1\"},{\"dst\":"   \
	"\"10.42.0.0/16\"}],\"dns\":{}}"
#define BODY_10                                                                                    \
	"\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"0a:58:0a:2a:00:01\"},{\"name\":\"eth0\","    \
	"\"sandbox\":\"/n\"}],\"ips\":[{\"interface\":1,\"address\":\"10.42.0.9/24\",\"gateway\":" \
	"\"10.42.0.1\"},{\"address\":\"fd00::9/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":"  \
	"\"10.42.0.1\"},{\"dst\":\"10.42.0.0/16\"}]}"

static const char *body_of(enum cni_version v)
{
	return v < CNI_1_0_0 ? BODY_04 : BODY_10;
}

static char *sample(enum cni_version v)
{
	return xasprintf("{\"cniVersion\":\"%s\",%s", cni_version_name(v), body_of(v));
}

static void every_version_to_every_version(void **state)
{
	int from, to;

	(void)state;
	for (from = CNI_0_3_0; from <= CNI_1_1_0; from++) {
		for (to = CNI_0_3_0; to <= CNI_1_1_0; to++) {
			AUTO(free) char *in = sample((enum cni_version)from);
			AUTO(free) char *want = sample((enum cni_version)to);

			converts(in, (enum cni_version)to, want);
		}
	}
}

static void the_oldest_are_read(void **state)
{
#define OLD(v)                                                                                \
	"{\"cniVersion\":\"" v "\",\"ip4\":{\"ip\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\"," \
	"\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.0.0.3\"}]},"  \
	"\"ip6\":{\"ip\":\"fd00::2/64\"},\"dns\":{\"nameservers\":[\"1.1.1.1\"],"             \
	"\"domain\":\"d\",\"search\":[\"s\"],\"options\":[\"o\"]}}"
#define OLD_DNS                                                                                   \
	"\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\",\"search\":[\"s\"],\"options\":" \
	"[\"o\"]}}"
	(void)state;
	converts(OLD("0.1.0"), CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\",\"gateway\":"
		 "\"10.0.0.1\"},{\"address\":\"fd00::2/64\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
		 "{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.0.0.3\"}]," OLD_DNS);
	converts(OLD("0.2.0"), CNI_0_3_1,
		 "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.2/24\""
		 ",\"gateway\":\"10.0.0.1\"},{\"version\":\"6\",\"address\":\"fd00::2/64\"}],"
		 "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.0.0.3\"}]"
		 "," OLD_DNS);
}

static void the_oldest_are_written(void **state)
{
	static const char in[] =
		"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],"
		"\"ips\":[{\"interface\":0,\"address\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\"},"
		"{\"address\":\"10.0.0.3/24\"},{\"address\":\"fd00::2/64\"}],"
		"\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":1400},{\"dst\":\"::/0\",\"gw\":\"fd00::1\"},"
		"{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.0.0.3\"}]}";
	static const char six[] =
		"{\"ips\":[{\"address\":\"fd00::2/64\"}],\"routes\":[{\"dst\":\"1.0.0.0/8\"}]}";

	(void)state;
	converts(OLD("0.2.0"), CNI_0_2_0, OLD("0.2.0"));
	converts(OLD("0.2.0"), CNI_0_1_0, OLD("0.1.0"));
	converts(
		in, CNI_0_2_0,
		"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\","
		"\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"1.0.0.0/8\",\"gw\":\"10.0.0.3\"}]},"
		"\"ip6\":{\"ip\":\"fd00::2/64\",\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}]},"
		"\"dns\":{}}");
	converts(six, CNI_0_1_0,
		 "{\"cniVersion\":\"0.1.0\",\"ip6\":{\"ip\":\"fd00::2/64\"},\"dns\":{}}");
}

static const char newest[] =
	"{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"m\",\"mtu\":1450,"
	"\"sandbox\":\"/n\",\"socketPath\":\"/s\",\"pciID\":\"p\"}],\"ips\":[{\"interface\":0,"
	"\"address\":\"10.0.0.2/24\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":1400,\"advmss\":"
	"1360,\"priority\":0,\"table\":254,\"scope\":253}]}";

static void what_is_new_is_dropped_going_down(void **state)
{
	(void)state;
	converts(newest, CNI_1_1_0, newest);
	converts(newest, CNI_1_0_0,
		 "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"m\","
		 "\"sandbox\":\"/n\"}],\"ips\":[{\"interface\":0,\"address\":\"10.0.0.2/24\"}],"
		 "\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}");
	converts(newest, CNI_0_4_0,
		 "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"m\","
		 "\"sandbox\":\"/n\"}],\"ips\":[{\"version\":\"4\",\"interface\":0,\"address\":"
		 "\"10.0.0.2/24\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],\"dns\":{}}");
}

static void empty_results(void **state)
{
	(void)state;
	converts("null", CNI_0_4_0, "{\"cniVersion\":\"0.4.0\",\"dns\":{}}");
	converts("", CNI_1_0_0, "{\"cniVersion\":\"1.0.0\"}");
	converts(" \n", CNI_1_1_0, "{\"cniVersion\":\"1.1.0\"}");
	converts("{}", CNI_1_0_0, "{\"cniVersion\":\"1.0.0\"}");
	converts("{\"cniVersion\":\"\",\"ips\":null,\"dns\":{\"domain\":\"\"},\"vendor\":[1]}",
		 CNI_1_0_0, "{\"cniVersion\":\"1.0.0\"}");
}

static void without_a_version_it_is_the_conf_s(void **state)
{
	AUTO(cni_result_free)
	struct cni_result *r = parse("{\"ip4\":{\"ip\":\"10.0.0.2/24\"}}", CNI_0_2_0);
	AUTO(cni_result_free)
	struct cni_result *s =
		parse("{\"ips\":[{\"address\":\"10.0.0.2/24\",\"gateway\":\"\"}]}", CNI_0_3_1);

	(void)state;
	assert_int_equal(r->version, CNI_0_2_0);
	assert_int_equal(r->n_ips, 1);
	assert_int_equal(r->ips[0].interface, -1);
	assert_int_equal(s->version, CNI_0_3_1);
	assert_false(ip_is_set(&s->ips[0].gateway));
}

static void the_oldest_need_an_address(void **state)
{
	AUTO(cni_result_free) struct cni_result *r = cni_result_new();
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct err e = {0};

	(void)state;
	assert_int_equal(cni_result_write(r, CNI_0_2_0, &sb, &e), -1);
	assert_int_equal(e.kind, ERR_VERSION);
	assert_string_equal(e.msg, "cniVersion 0.2.0 has no result without an address");
	assert_int_equal(cni_result_write(r, CNI_0_1_0, &sb, &e), -1);
	assert_string_equal(sb_get(&sb), "");
}

static void the_pods_interface(void **state)
{
	AUTO(cni_result_free)
	struct cni_result *r =
		parse("{\"interfaces\":[{\"name\":\"cni0\"},{\"name\":\"eth0\"},"
		      "{\"name\":\"eth0\",\"sandbox\":\"/other\"},{\"name\":\"eth0\","
		      "\"sandbox\":\"/n\"},{\"name\":\"eth1\",\"sandbox\":\"/n\"}]}",
		      CNI_1_0_0);

	(void)state;
	assert_int_equal(cni_result_find_interface(r, "/n", "eth0"), 3);
	assert_int_equal(cni_result_find_interface(r, "/n", "eth1"), 4);
	assert_int_equal(cni_result_find_interface(r, "/n", "cni0"), -1);
	assert_int_equal(cni_result_find_interface(r, "/m", "eth0"), -1);
}

static void made_by_hand(void **state)
{
	AUTO(cni_result_free) struct cni_result *r = cni_result_new();
	AUTO(sb_done) struct sb sb = SB_INIT;
	struct ip_net net, any = ip_net_any(AF_INET);
	struct ip_addr gw;
	struct err e = {0};

	(void)state;
	assert_int_equal(ip_net_parse("192.168.22.3/24", &net), 0);
	assert_int_equal(ip_parse("192.168.22.1", &gw), 0);
	assert_int_equal(cni_result_add_interface(r, "eth0", "02:00:00:00:00:01", "/n"), 0);
	cni_result_add_ip(r, &net, &gw, 0);
	cni_result_add_route(r, &any, &gw);
	cni_result_add_route(r, &any, NULL);
	assert_int_equal(cni_result_write(r, CNI_1_0_0, &sb, &e), 0);
	assert_string_equal(sb_get(&sb),
			    "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":"
			    "\"02:00:00:00:00:01\",\"sandbox\":\"/n\"}],\"ips\":[{\"interface\":0,"
			    "\"address\":\"192.168.22.3/24\",\"gateway\":\"192.168.22.1\"}],"
			    "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"192.168.22.1\"},{\"dst\":"
			    "\"0.0.0.0/0\"}]}");
}

struct bad {
	const char *text;
	enum err_kind kind;
	const char *msg; /* NULL: any */
};

static const struct bad bads[] = {
	{"junk", ERR_DECODE, "r: no JSON value at byte 0"},
	{"{", ERR_DECODE, NULL},
	{"{} {}", ERR_DECODE, "r: something follows the JSON text at byte 3"},
	{"[]", ERR_DECODE, "r: must be an object"},
	{"7", ERR_DECODE, "r: must be an object"},
	{"\"x\"", ERR_DECODE, "r: must be an object"},
	{"true", ERR_DECODE, "r: must be an object"},
	{"{\"cniVersion\":\"1.2.0\"}", ERR_VERSION, "r: cniVersion: \"1.2.0\" is not known"},
	{"{\"interfaces\":{}}", ERR_DECODE, "r: interfaces: must be an array"},
	{"{\"interfaces\":[1]}", ERR_DECODE, "r: interfaces[0]: must be an object"},
	{"{\"interfaces\":[{\"name\":1}]}", ERR_DECODE, "r: interfaces[0].name: must be a string"},
	{"{\"interfaces\":[{\"mac\":[]}]}", ERR_DECODE, "r: interfaces[0].mac: must be a string"},
	{"{\"interfaces\":[{\"sandbox\":{}}]}", ERR_DECODE, NULL},
	{"{\"ips\":\"10.0.0.2/24\"}", ERR_DECODE, "r: ips: must be an array"},
	{"{\"ips\":[1]}", ERR_DECODE, "r: ips[0]: must be an object"},
	{"{\"ips\":[{}]}", ERR_DECODE, "r: ips[0].address: is missing"},
	{"{\"ips\":[{\"address\":7}]}", ERR_DECODE, "r: ips[0].address: must be a string"},
	{"{\"ips\":[{\"address\":\"10.0.0.2\"}]}", ERR_DECODE,
	 "r: ips[0].address: \"10.0.0.2\" is not an address with a prefix"},
	{"{\"ips\":[{\"address\":\"10.0.0.2/33\"}]}", ERR_DECODE, NULL},
	{"{\"ips\":[{\"address\":\"10.0.0.256/24\"}]}", ERR_DECODE, NULL},
	{"{\"ips\":[{\"address\":\"10.0.0.2/24 \"}]}", ERR_DECODE, NULL},
	{"{\"ips\":[{\"address\":\"10.0.0.2/24\",\"gateway\":\"gw\"}]}", ERR_DECODE,
	 "r: ips[0].gateway: \"gw\" is not an address"},
	{"{\"ips\":[{\"address\":\"10.0.0.2/24\",\"gateway\":1}]}", ERR_DECODE, NULL},
	{"{\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":\"0\"}]}", ERR_DECODE, NULL},
	{"{\"routes\":{}}", ERR_DECODE, "r: routes: must be an array"},
	{"{\"routes\":[{}]}", ERR_DECODE, "r: routes[0].dst: is missing"},
	{"{\"routes\":[{\"dst\":\"default\"}]}", ERR_DECODE,
	 "r: routes[0].dst: \"default\" is not an address with a prefix"},
	{"{\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1/24\"}]}", ERR_DECODE, NULL},
	{"{\"dns\":[]}", ERR_DECODE, "r: dns: must be an object"},
	{"{\"dns\":{\"nameservers\":\"1.1.1.1\"}}", ERR_DECODE, NULL},
	{"{\"dns\":{\"search\":[1]}}", ERR_DECODE, "r: dns.search[0]: must be a string"},
	{"{\"dns\":{\"domain\":1}}", ERR_DECODE, "r: dns.domain: must be a string"},
	{"{\"cniVersion\":\"0.2.0\",\"ip4\":[]}", ERR_DECODE, "r: ip4: must be an object"},
	{"{\"cniVersion\":\"0.2.0\",\"ip4\":{}}", ERR_DECODE, "r: ip4.ip: is missing"},
	{"{\"cniVersion\":\"0.1.0\",\"ip6\":{\"ip\":\"x\"}}", ERR_DECODE, NULL},
};

/* As libcni decodes it: names in any case, null for an element, an index that leads nowhere, odd values of what is newer. */
static void no_stricter_than_libcni(void **state)
{
	static const char *const cases[][2] = {
		{"{\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":-1}]}",
		 "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}"},
		{"{\"ips\":[{\"address\":\"10.0.0.2/24\",\"interface\":9007199254740993}]}",
		 "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}]}"},
		{"{\"Interfaces\":[{\"NAME\":\"eth0\"}],\"IPs\":[{\"Address\":\"10.0.0.2/24\",\"INTERFACE\":"
		 "0}],\"DNS\":{\"Search\":[\"a\",null]}}",
		 "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\"}],\"ips\":[{\"interface\":0,"
		 "\"address\":\"10.0.0.2/24\"}],\"dns\":{\"search\":[\"a\"]}}"},
		{"{\"interfaces\":[null,{\"name\":\"a\"},null,{\"name\":\"b\"}],\"ips\":[null,{\"address\":"
		 "\"10.0.0.2/24\",\"interface\":3},{\"address\":\"10.0.0.3/24\",\"interface\":0}],\"routes\":"
		 "[null]}",
		 "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"ips\":[{"
		 "\"interface\":1,\"address\":\"10.0.0.2/24\"},{\"address\":\"10.0.0.3/24\"}]}"},
		{"{\"cniVersion\":7,\"CNIVersion\":\"9.0.0\",\"interfaces\":[{\"name\":\"a\",\"mtu\":\"x\","
		 "\"pciID\":1,\"socketPath\":[]}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":-1,\"table\":1.5}]}",
		 "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"a\"}],\"routes\":[{\"dst\":"
		 "\"0.0.0.0/0\"}]}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		converts(cases[i][0], CNI_1_1_0, cases[i][1]);
}

static void malformed_results_are_refused(void **state)
{
	struct cni_result *r = NULL;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		err_clear(&e);
		assert_int_equal(cni_result_parse("r", jspan_of(bads[i].text), CNI_1_0_0, &r, &e),
				 -1);
		if (bads[i].msg)
			assert_string_equal(e.msg, bads[i].msg);
		assert_int_equal(e.kind, bads[i].kind);
		assert_null(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_to_every_version),
		cmocka_unit_test(the_oldest_are_read),
		cmocka_unit_test(what_is_new_is_dropped_going_down),
		cmocka_unit_test(empty_results),
		cmocka_unit_test(without_a_version_it_is_the_conf_s),
		cmocka_unit_test(the_oldest_are_written),
		cmocka_unit_test(the_oldest_need_an_address),
		cmocka_unit_test(the_pods_interface),
		cmocka_unit_test(made_by_hand),
		cmocka_unit_test(no_stricter_than_libcni),
		cmocka_unit_test(malformed_results_are_refused),
	};

	return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
