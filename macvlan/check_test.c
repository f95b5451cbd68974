/* SPDX-License-Identifier: Apache-2.0 */
/* What an ADD has made, told as text, and each single thing taken away from under it. */
#include "macvlan/check.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "macvlan/made.h"
#include "macvlan/world_test.h"

static struct ip_net services[1];
static struct macvlan_route routes[2];

/* A second card or gateway mode, of both families. */
static struct macvlan_card full_card(bool gateway)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	c.addr6 = lab_net("fd78::50/64");
	c.gateway6 = lab_addr("fd78::1");
	services[0] = lab_net("10.43.0.0/16");
	routes[0] = (struct macvlan_route){.dst = lab_net("172.16.18.0/24")};
	routes[1] = (struct macvlan_route){.dst = lab_net("fd99::/64")};
	c.service_cidrs = (struct macvlan_nets){services, 1};
	c.default_gateway = gateway;
	c.routes = routes;
	c.n_routes = 2;
	return c;
}

/* Attaches and tells what was made; the caller frees. */
static char *attach(const struct macvlan_card *c)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct sb made = SB_INIT;
	struct err e = {0};

	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	l = world_attach(c);
	LAB_OK(macvlan_link_made(l, c, &made, &e));
	return sb_take(&made);
}

static void passes(const char *made)
{
	struct err e = {0};

	LAB_OK(macvlan_check(world.pod, made, &e));
}

static void fails(const char *made, const char *want)
{
	struct err e = {0};

	assert_int_equal(macvlan_check(world.pod, made, &e), -1);
	assert_int_equal(e.kind, ERR_MISSING);
	assert_string_equal(e.msg, want);
}

/* ------------------------------------------------------------------ the text */

static void is_told_to_the_line(void **state)
{
	AUTO(free) char *made = NULL;
	AUTO(free) char *index = NULL;
	AUTO(free) char *want = NULL;
	struct macvlan_card c = full_card(true);

	(void)state;
	made = attach(&c);
	index = lab_output(-1, "ip -o link show ens4 | cut -d: -f1 | tr -d '\\n'");
	want = xasprintf("link eth1 kind macvlan\n"
			 "link eth1 mac e6:56:1c:96:94:09\n"
			 "link eth1 mtu 1500\n"
			 "link eth1 parent %s\n"
			 "link eth1 state up\n"
			 "address 192.168.100.50/24 dev eth1\n"
			 "route 192.168.100.0/24 dev eth1 src 192.168.100.50\n"
			 "address fd78::50/64 dev eth1\n"
			 "route fd78::/64 dev eth1 metric 256\n"
			 "route 10.42.0.0/24 dev eth0 table 2000 src 10.42.0.9\n"
			 "route default via 10.42.0.1 dev eth0 table 2000\n"
			 "route 192.168.100.0/24 dev eth1 table 2001 src 192.168.100.50\n"
			 "route 172.16.18.0/24 via 192.168.100.1 dev eth1 table 2001\n"
			 "route default via 192.168.100.1 dev eth1 table 2001\n"
			 "rule 1000 from 10.42.0.9 lookup 2000\n"
			 "rule 1001 from 192.168.100.50 lookup 2001\n"
			 "route fd78::/64 dev eth1 table 2001 metric 256\n"
			 "route fe80::/64 dev eth1 table 2001 metric 256\n"
			 "route fd99::/64 via fd78::1 dev eth1 table 2001 metric 1024\n"
			 "route ::/0 via fd78::1 dev eth1 table 2001 metric 1024\n"
			 "rule 1001 from fd78::50 lookup 2001\n"
			 "route 10.43.0.0/16 via 10.42.0.1 dev eth0\n"
			 "route 172.16.18.0/24 via 192.168.100.1 dev eth1\n"
			 "route fd99::/64 via fd78::1 dev eth1 metric 1024\n"
			 "route default via 192.168.100.1 dev eth1\n"
			 "route ::/0 via fd78::1 dev eth1 metric 1024\n",
			 index);
	assert_string_equal(made, want);
	passes(made);
}

/* A route that has lost its metrics is another one. */
static void a_route_s_metrics_count(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(sb_done) struct sb made = SB_INIT;
	struct macvlan_card c = full_card(true);
	struct err e = {0};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24",
		      "ip route add default via 10.42.0.1 mtu 1450 advmss 1390");
	l = world_attach(&c);
	LAB_OK(macvlan_link_made(l, &c, &made, &e));
	passes(sb_get(&made));
	lab(world.pod, "ip route change default via 10.42.0.1 table 2000 mtu 1400 advmss 1390");
	fails(sb_get(&made),
	      "route default via 10.42.0.1 dev eth0 table 2000 mtu 1450 advmss 1390 is missing");
	lab(world.pod, "ip route change default via 10.42.0.1 table 2000 mtu 1450 advmss 1390");
	lab(world.pod, "ip route change 10.43.0.0/16 via 10.42.0.1");
	fails(sb_get(&made),
	      "route 10.43.0.0/16 via 10.42.0.1 dev eth0 mtu 1450 advmss 1390 is missing");
}

static void knows_the_nets_of_table_main(void **state)
{
	static const char made[] = "link eth1 state up\n"
				   "route 172.16.18.0/24 via 192.168.100.1 dev eth1 table 2001\n"
				   "route default via 192.168.100.1 dev eth1\n"
				   "route 10.43.0.0/16 via 10.42.0.1 dev eth0\n";
	const struct {
		const char *net;
		bool has;
	} cases[] = {
		{"0.0.0.0/0", true},       {"10.43.0.0/16", true}, {"10.43.1.2/16", true},
		{"172.16.18.0/24", false}, {"::/0", false},        {"10.43.0.0/17", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_net net = lab_net(cases[i].net);

		assert_int_equal(made_routes_net(made, &net), cases[i].has);
	}
	assert_false(made_routes_net("", &(struct ip_net){.addr = {.family = AF_INET}}));
}

/* ------------------------------------------------------------------ what is missing */

/* Every single thing, taken away and put back by hand. */
static void names_each_missing_thing(void **state)
{
	static const struct {
		const char *away, *back, *want;
	} cases[] = {
		{"ip route del 172.16.18.0/24", "ip route add 172.16.18.0/24 via 192.168.100.1",
		 "route 172.16.18.0/24 via 192.168.100.1 dev eth1 is missing"},
		{"ip route del 10.43.0.0/16", "ip route add 10.43.0.0/16 via 10.42.0.1",
		 "route 10.43.0.0/16 via 10.42.0.1 dev eth0 is missing"},
		{"ip route del default", "ip route add default via 192.168.100.1",
		 "route default via 192.168.100.1 dev eth1 is missing"},
		{"ip route replace default via 10.42.0.1",
		 "ip route replace default via 192.168.100.1",
		 "route default via 192.168.100.1 dev eth1 is missing"},
		{"ip route del 192.168.100.0/24 table 2001",
		 "ip route add 192.168.100.0/24 dev eth1 scope link src 192.168.100.50 table 2001",
		 "route 192.168.100.0/24 dev eth1 table 2001 src 192.168.100.50 is missing"},
		{"ip route del default table 2000", "ip route add default via 10.42.0.1 table 2000",
		 "route default via 10.42.0.1 dev eth0 table 2000 is missing"},
		{"ip rule del pref 1000", "ip rule add pref 1000 from 10.42.0.9 lookup 2000",
		 "rule 1000 from 10.42.0.9 lookup 2000 is missing"},
		{"ip -6 rule del pref 1001", "ip -6 rule add pref 1001 from fd78::50 lookup 2001",
		 "rule 1001 from fd78::50 lookup 2001 is missing"},
		{"ip -6 route del fd99::/64", "ip -6 route add fd99::/64 via fd78::1",
		 "route fd99::/64 via fd78::1 dev eth1 metric 1024 is missing"},
		{"ip addr add 192.168.100.51/24 dev eth1; ip addr del fd78::50/64 dev eth1;"
		 "ip -6 route add fd78::/64 dev eth1 metric 256",
		 "ip -6 route del fd78::/64; ip addr add fd78::50/64 dev eth1 nodad;"
		 "ip addr del 192.168.100.51/24 dev eth1",
		 "address fd78::50/64 dev eth1 is missing"},
		{"ip link set eth1 mtu 1400", "ip link set eth1 mtu 1500",
		 "link eth1 mtu is 1400 instead of 1500"},
		{"ip link set eth1 address e6:56:1c:96:94:0a",
		 "ip link set eth1 address e6:56:1c:96:94:09",
		 "link eth1 mac is e6:56:1c:96:94:0a instead of e6:56:1c:96:94:09"},
	};
	AUTO(free) char *made = NULL;
	struct macvlan_card c = full_card(true);
	size_t i;

	(void)state;
	made = attach(&c);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		lab(world.pod, "set -e; %s", cases[i].away);
		fails(made, cases[i].want);
		lab(world.pod, "set -e; %s", cases[i].back);
		passes(made);
	}
}

static void tells_a_few_and_counts_the_rest(void **state)
{
	AUTO(free) char *made = NULL;
	struct macvlan_card c = full_card(false);

	(void)state;
	made = attach(&c);
	lab(world.pod, "ip link set eth1 down");
	fails(made, "link eth1 state is down instead of up; "
		    "route 192.168.100.0/24 dev eth1 src 192.168.100.50 is missing; "
		    "address fd78::50/64 dev eth1 is missing; and 10 more");
	lab(world.pod, "ip link del eth1");
	fails(made, "link eth1 is missing");
	lab(world.pod, "ip link add eth1 type veth peer name other");
	fails(made, "link eth1 kind is veth instead of macvlan");
}

static void does_not_mind_what_the_app_adds(void **state)
{
	AUTO(free) char *made = NULL;
	struct macvlan_card c = full_card(false);

	(void)state;
	made = attach(&c);
	lab(world.pod,
	    "set -e; ip route add 203.0.113.0/24 via 192.168.100.1;"
	    "ip route add blackhole 198.51.100.0/24;"
	    "ip route add 198.51.101.0/24 nexthop via 10.42.0.1 nexthop via 192.168.100.1;"
	    "ip addr add 192.168.100.60/24 dev eth1; ip rule add pref 77 lookup 88;"
	    "ip rule add pref 78 from 10.0.0.0/8 lookup 88;"
	    "ip route add default via 10.42.0.1 metric 50;"
	    "ip link add tun9 type veth peer name tun8; ip link set tun9 up");
	passes(made);
}

/* ------------------------------------------------------------------ a card of which little is known */

static void card_is(const struct macvlan_check_card *card, const char *want)
{
	struct err e = {0};
	int rc = macvlan_check_card(world.pod, card, &e);

	assert_string_equal(rc < 0 ? e.msg : "", want);
}

static void knows_a_card_by_name_and_mac(void **state)
{
	AUTO(free) char *made = NULL;
	struct macvlan_card c = full_card(false);
	struct mac_addr mac = lab_mac("e6:56:1c:96:94:09"), other = lab_mac("e6:56:1c:96:94:0a");
	struct macvlan_check_card is = {.ifname = "eth1", .mac = &mac};

	(void)state;
	card_is(&is, "link eth1 is missing");
	is.optional = true;
	card_is(&is, "");
	made = attach(&c);
	card_is(&is, "");
	is.mac = &other;
	card_is(&is, "link eth1 mac is e6:56:1c:96:94:09 instead of e6:56:1c:96:94:0a");
	is.mac = NULL;
	lab(world.pod, "ip link set eth1 down");
	card_is(&is, "link eth1 state is down instead of up");
	lab(world.pod, "ip link set eth1 up; ip addr flush dev eth1");
	card_is(&is, "the address of eth1 is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(is_told_to_the_line),
		IN_WORLD(a_route_s_metrics_count),
		cmocka_unit_test(knows_the_nets_of_table_main),
		IN_WORLD(names_each_missing_thing),
		IN_WORLD(tells_a_few_and_counts_the_rest),
		IN_WORLD(does_not_mind_what_the_app_adds),
		IN_WORLD(knows_a_card_by_name_and_mac),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
