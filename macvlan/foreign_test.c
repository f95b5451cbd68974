/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/foreign.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/neigh.h"
#include "lib/nl/nl.h"
#include "macvlan/plan_host.h"
#include "macvlan/world_test.h"

static struct mac_addr mac(const char *text)
{
	struct mac_addr m;

	assert_int_equal(mac_parse(text, &m), 0);
	return m;
}

static struct nl_link parent(struct nl *host)
{
	struct nl_link l = {0};
	struct err e = {0};

	assert_int_equal(nl_link_find(host, "ens4", &l, &e), 1);
	return l;
}

/* What is said of a card with that MAC; "" = it is allowed. */
static const char *says(struct nl *host, struct macvlan_card *card, const struct mac_addr *m)
{
	struct nl_link l = parent(host);
	static struct err e;

	e = (struct err){0};
	card->mac = *m;
	if (macvlan_foreign_check(host, card, &l, &e) == 0)
		return "";
	assert_int_equal(e.kind, ERR_CONFIG);
	return e.msg;
}

static void whose_macs(void **state)
{
	struct macvlan_card card = world_card("192.168.100.50/24", "192.168.100.1");
	struct mac_addr gateway = mac("0a:00:00:00:00:fe"), gateway6 = mac("0a:00:00:00:00:f6"),
			none = {{0}};
	AUTO(nl_close) struct nl *host = NULL;
	struct mac_addr own, of_host;
	AUTO(free) char *of_parent = NULL, *of_device = NULL;
	struct nl_link l;
	char text[MAC_ADDR_LEN];
	struct err e = {0};

	(void)state;
	assert_int_equal(nl_open(&host, &e), 0);
	l = parent(host);
	own = l.mac;
	of_host = macvlan_host_mac(&l);
	of_parent = xasprintf("MAC %s is that of the node's ens4; the pod needs another",
			      mac_format(&own, text));
	of_device = xasprintf("MAC %s is that of the node's ens4.host; the pod needs another",
			      mac_format(&of_host, text));
	card.gateway6 = lab_addr("fd78::1");
	assert_string_equal(says(host, &card, &own), of_parent);
	assert_string_equal(says(host, &card, &of_host), of_device);
	/* Not known yet, or not any more. */
	assert_string_equal(says(host, &card, &gateway), "");
	lab(-1, "ip neigh add 192.168.100.1 dev ens4 nud incomplete;"
		"ip neigh add 192.168.100.2 dev ens4 lladdr 0a:00:00:00:00:fe nud stale");
	assert_string_equal(says(host, &card, &gateway), "");
	lab(-1, "ip neigh replace 192.168.100.1 dev ens4 lladdr 0a:00:00:00:00:fe nud stale;"
		"ip neigh replace fd78::1 dev ens4 lladdr 0a:00:00:00:00:f6 nud reachable");
	assert_string_equal(
		says(host, &card, &gateway),
		"MAC 0a:00:00:00:00:fe is that of the gateway 192.168.100.1; the pod needs another");
	assert_string_equal(
		says(host, &card, &gateway6),
		"MAC 0a:00:00:00:00:f6 is that of the gateway fd78::1; the pod needs another");
	assert_string_equal(says(host, &card, &none), "");
	/* Another gateway's, and a card that has the parent's by its nature. */
	card.gateway = lab_addr("192.168.100.9");
	assert_string_equal(says(host, &card, &gateway), "");
	card.mode = NL_MODE_PASSTHRU;
	assert_string_equal(says(host, &card, &own), "");
	card.mode = NL_MODE_L2;
	assert_string_equal(says(host, &card, &own), "");
}

/* What is said of a card with that address; "" = it is allowed. */
static const char *says_net(const char *addr, const char *addr6, const char *on)
{
	struct macvlan_card card = world_card(addr, "192.168.100.1");
	AUTO(nl_close) struct nl *host = NULL;
	static struct err e;
	struct nl_link l;

	e = (struct err){0};
	if (addr6)
		card.addr6 = lab_net(addr6);
	assert_int_equal(nl_open(&host, &e), 0);
	assert_int_equal(nl_link_find(host, on, &l, &e), 1);
	if (macvlan_foreign_net_check(host, &card, &l, &e) == 0)
		return "";
	assert_int_equal(e.kind, ERR_CONFIG);
	return e.msg;
}

#define LOOKED \
	" of node worker-1 itself, where it would be looked for; set other ranges in the MacvlanSubnet and recreate the pod"

static void whose_networks(void **state)
{
	(void)state;
	lab(-1,
	    "ip addr add 192.168.100.9/24 dev ens4;"
	    "ip link add ens5 type veth peer name far5; ip link set ens5 up; ip addr add 192.168.0.9/16 dev ens5;"
	    "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0;"
	    "ip link add veth0 type veth peer name in0; ip link set veth0 master docker0;"
	    "ip link add br0 type bridge; ip addr add 172.18.0.1/16 dev br0;"
	    "ip link add link far5 name nic0 type macvlan; ip link set nic0 master br0;"
	    "ip addr add 172.19.0.1/32 dev docker0");
	/* Its own LAN, also when the node has another NIC in it. */
	assert_string_equal(says_net("192.168.100.50/24", "fd78::50/64", "ens4"), "");
	assert_string_equal(
		says_net("172.17.3.4/24", NULL, "ens4"),
		"address 172.17.3.4/24 is in 172.17.0.0/16, the network of bridge docker0" LOOKED);
	assert_string_equal(
		says_net("10.42.0.50/16", NULL, "ens4"),
		"address 10.42.0.50/16 is in 10.42.0.0/24, the network of bridge cni0" LOOKED);
	assert_string_equal(
		says_net("192.168.100.50/24", "fd42::50/64", "ens4"),
		"address fd42::50/64 is in fd42::/64, the network of bridge cni0" LOOKED);
	/* A LAN around it; one address alone; a bridge that leads to a LAN; the bridge that the card is on. */
	assert_string_equal(says_net("10.44.0.50/8", NULL, "ens4"), "");
	assert_string_equal(says_net("172.19.0.1/24", NULL, "ens4"), "");
	assert_string_equal(says_net("172.18.0.50/16", NULL, "ens4"), "");
	assert_string_equal(says_net("172.17.0.50/16", NULL, "docker0"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whose_macs, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(whose_networks, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
