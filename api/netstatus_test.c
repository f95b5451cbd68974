/* SPDX-License-Identifier: Apache-2.0 */
#include "api/netstatus.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

struct fixture {
	struct api_pod pod;
	struct api_ip card;
};

static struct fixture fixture(const char *interface)
{
	struct fixture f = {
		.pod = {.annotations.text = {[API_ASKED_SUBNET] = (char *)"vlan100",
					     [API_ASKED_INTERFACE] = (char *)interface}},
		.card = {.subnet = (char *)"vlan100"}};

	assert_int_equal(ip_parse("10.42.0.9", &f.pod.ips[0]), 0);
	assert_int_equal(ip_net_parse("192.168.100.10/24", &f.card.cidr), 0);
	assert_int_equal(ip_parse("192.168.100.1", &f.card.network.gateway), 0);
	assert_int_equal(mac_parse("e6:56:1c:96:94:09", &f.card.mac), 0);
	return f;
}

static void is(const struct fixture *f, const char *old, const char *want)
{
	AUTO(free) char *text = api_netstatus_text(&f->pod, &f->card, "kube-system", old);

	assert_string_equal(text, want);
}

#define PRIMARY                                                                                          \
	"{\"name\":\"cluster-default\",\"interface\":\"eth0\",\"ips\":[\"10.42.0.9\"],\"default\":true," \
	"\"dns\":{}}"
#define CARD                                                                                     \
	"{\"name\":\"kube-system/vlan100\",\"interface\":\"eth1\",\"ips\":[\"192.168.100.10\"]," \
	"\"mac\":\"e6:56:1c:96:94:09\",\"dns\":{}}"

static void two_cards(void **state)
{
	struct fixture f = fixture(NULL);

	(void)state;
	is(&f, NULL, "[" PRIMARY "," CARD "]");
	is(&f, "", "[" PRIMARY "," CARD "]");
	is(&f, "no JSON", "[" PRIMARY "," CARD "]");
	/* Written again, it is the same. */
	is(&f, "[" PRIMARY "," CARD "]", "[" PRIMARY "," CARD "]");
}

static void one_card(void **state)
{
	struct fixture f = fixture("eth0");

	(void)state;
	is(&f, NULL,
	   "[{\"name\":\"kube-system/vlan100\",\"interface\":\"eth0\",\"ips\":[\"192.168.100.10\"],"
	   "\"mac\":\"e6:56:1c:96:94:09\",\"default\":true,\"dns\":{}}]");
}

static void default_gateway(void **state)
{
	struct fixture f = fixture("eth1");

	(void)state;
	f.card.network.pod_default_gateway = true;
	is(&f, NULL,
	   "[" PRIMARY ",{\"name\":\"kube-system/vlan100\",\"interface\":\"eth1\",\"ips\":["
	   "\"192.168.100.10\"],\"mac\":\"e6:56:1c:96:94:09\",\"gateway\":[\"192.168.100.1\"],\"dns\":{}}]");
}

static void others_entries_stay(void **state)
{
	struct fixture f = fixture(NULL);

	(void)state;
	is(&f, "[{\"name\":\"default/ib0\",\"interface\":\"net1\",\"x\": 12345678901234567890}]",
	   "[" PRIMARY
	   ",{\"name\":\"default/ib0\",\"interface\":\"net1\",\"x\": 12345678901234567890}," CARD
	   "]");
	/* Who knows the primary's name says it better. */
	is(&f,
	   "[{\"name\":\"cbr0\",\"interface\":\"eth0\",\"default\":true},{\"interface\":\"eth1\"}, 7]",
	   "[{\"name\":\"cbr0\",\"interface\":\"eth0\",\"default\":true}," CARD "]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_cards),
		cmocka_unit_test(one_card),
		cmocka_unit_test(default_gateway),
		cmocka_unit_test(others_entries_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
