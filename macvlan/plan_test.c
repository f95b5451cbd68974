/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/plan.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/base/mem.h"
#include "macvlan/plan_lab_test.h"

/* ------------------------------------------------------------------ the pictures */

static void picture_a(void **state)
{
	struct pod p = flannel_pod("10.42.0.9/24");
	struct macvlan_card c = card_of("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route r[] = {route("172.16.18.0/24", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.100.50/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.9",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.100.0/24 dev eth1 table 2001 scope link src 192.168.100.50",
	       "route 172.16.18.0/24 via 192.168.100.1 dev eth1 table 2001",
	       "route default via 192.168.100.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.9 lookup 2000", "rule 1001 from 192.168.100.50 lookup 2001",
	       "route 172.16.18.0/24 via 192.168.100.1 dev eth1");
}

static void picture_b(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();

	(void)state;
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1");
}

static void picture_c(void **state)
{
	struct pod p = empty_pod();
	struct macvlan_card c = card_of("192.168.22.3/24", NULL);
	struct macvlan_route r[] = {route("0.0.0.0/0", "192.168.22.1", MACVLAN_IFACE_PRIMARY)};

	(void)state;
	p.seen.primary_index = 0;
	memcpy(c.ifname, "eth0", 5);
	c.single = true;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.22.3/24 dev eth0", "up eth0",
	       "replace default via 192.168.22.1 dev eth0");
}

static void picture_c_without_a_default(void **state)
{
	struct pod p = empty_pod();
	struct macvlan_card c = card_of("192.168.22.3/24", "192.168.22.1");
	struct macvlan_route r[] = {route("10.9.0.0/16", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	p.seen.primary_index = 0;
	memcpy(c.ifname, "eth0", 5);
	c.single = true;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.22.3/24 dev eth0", "up eth0",
	       "route 10.9.0.0/16 via 192.168.22.1 dev eth0");
	c.default_gateway = true;
	EXPECT(&c, &p, "address 192.168.22.3/24 dev eth0", "up eth0",
	       "route 10.9.0.0/16 via 192.168.22.1 dev eth0",
	       "replace default via 192.168.22.1 dev eth0");
}

/* ------------------------------------------------------------------ primaries */

#define CALICO_HEAD                                                                        \
	"address 192.168.120.2/24 dev eth1", "up eth1",                                    \
		"route 169.254.1.1/32 dev eth0 table 2000 scope link",                     \
		"route default via 169.254.1.1 dev eth0 table 2000",                       \
		"route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2", \
		"route default via 192.168.120.1 dev eth1 table 2001",                     \
		"rule 1000 from 10.42.0.40 lookup 2000",                                   \
		"rule 1001 from 192.168.120.2 lookup 2001"

static void calico_keeps_pods_and_services_on_eth0(void **state)
{
	struct pod p = calico_pod();
	struct macvlan_card c = gateway_card();

	(void)state;
	EXPECT(&c, &p, CALICO_HEAD, "route 10.43.0.0/16 via 169.254.1.1 dev eth0",
	       "route 10.42.0.0/16 via 169.254.1.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1");
}

static void onlink_is_copied(void **state)
{
	struct pod p = empty_pod();
	struct macvlan_card c = gateway_card();

	(void)state;
	has_addr(&p, "10.42.0.40/32", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "0.0.0.0/0", "169.254.1.1", ETH0)->onlink = true;
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route default via 169.254.1.1 dev eth0 table 2000 onlink",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.40 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 169.254.1.1 dev eth0 onlink",
	       "route 10.42.0.0/16 via 169.254.1.1 dev eth0 onlink",
	       "replace default via 192.168.120.1 dev eth1");
}

static void a_default_without_gateway_is_copied_as_link(void **state)
{
	struct pod p = empty_pod();
	struct macvlan_card c = gateway_card();

	(void)state;
	has_addr(&p, "10.42.0.40/32", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "0.0.0.0/0", NULL, ETH0);
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route default dev eth0 table 2000 scope link",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.40 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 dev eth0 scope link", "route 10.42.0.0/16 dev eth0 scope link",
	       "replace default via 192.168.120.1 dev eth1");
}

static void node_local_name_server_stays_on_eth0(void **state)
{
	struct pod p = calico_pod();
	struct macvlan_card c = gateway_card();
	struct ip_addr ns[] = {addr("10.43.0.10"), addr("169.254.20.10"), addr("169.254.1.1"),
			       addr("169.254.20.10"), addr("8.8.8.8")};
	struct ip_net via[] = {net("10.99.0.0/24"), net("10.43.0.0/16")};

	(void)state;
	c.nameservers = ns;
	c.n_nameservers = ARRAY_SIZE(ns);
	c.via_primary = (struct macvlan_nets){via, 2};
	EXPECT(&c, &p, CALICO_HEAD, "route 10.43.0.0/16 via 169.254.1.1 dev eth0",
	       "route 10.99.0.0/24 via 169.254.1.1 dev eth0",
	       "route 10.42.0.0/16 via 169.254.1.1 dev eth0",
	       "route 169.254.20.10/32 via 169.254.1.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1");
}

/* ------------------------------------------------------------------ defaults */

static void default_takes_the_lowest_metric(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();

	(void)state;
	p.routes[0].metric = 100;
	has_route(&p, "0.0.0.0/0", "10.42.0.1", ETH0)->metric = 300;
	EXPECT(&c, &p,
	       HEAD("route default via 10.42.0.1 dev eth0 table 2000 metric 100",
		    "route default via 10.42.0.1 dev eth0 table 2000 metric 300"),
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1 metric 100",
	       "delete default via 10.42.0.1 dev eth0 metric 300");
}

static void all_other_defaults_go(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();

	(void)state;
	has_route(&p, "0.0.0.0/0", "10.42.0.7", ETH0);
	has_route(&p, "0.0.0.0/0", "10.50.0.1", 7)->metric = 5;
	EXPECT(&c, &p, FLANNEL_HEAD, "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1",
	       "delete default via 10.42.0.7 dev eth0",
	       "delete default via 10.50.0.1 dev if7 metric 5");
}

static void without_any_default_the_pod_route_names_the_gateway(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();

	(void)state;
	memmove(&p.routes[0], &p.routes[1], 2 * sizeof(p.routes[0]));
	p.seen.n_routes = 2;
	EXPECT(&c, &p, FLANNEL_HEAD, "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1");
}

static void custom_default_acts_like_the_switch(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();
	struct macvlan_route r[] = {route("0.0.0.0/0", "192.168.120.254", MACVLAN_IFACE_CARD)};

	(void)state;
	c.default_gateway = false;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.254 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.254 dev eth1");
}

/* ------------------------------------------------------------------ custom routes */

static void custom_routes_choose_their_card(void **state)
{
	struct pod p = flannel_pod("10.42.0.9/24");
	struct macvlan_card c = card_of("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route r[] = {
		route("172.16.1.0/24", NULL, MACVLAN_IFACE_CARD),
		route("172.16.2.0/24", "192.168.100.9", MACVLAN_IFACE_CARD),
		route("10.99.0.0/24", NULL, MACVLAN_IFACE_PRIMARY),
		route("10.98.0.0/24", "10.42.0.3", MACVLAN_IFACE_PRIMARY),
		/* These four stand already, or stand above. */
		route("192.168.100.0/24", NULL, MACVLAN_IFACE_CARD),
		route("10.42.0.0/16", NULL, MACVLAN_IFACE_PRIMARY),
		route("10.42.0.0/24", NULL, MACVLAN_IFACE_PRIMARY),
		route("172.16.1.0/24", "192.168.100.1", MACVLAN_IFACE_CARD),
	};

	(void)state;
	with_routes(&c, r, ARRAY_SIZE(r));
	EXPECT(&c, &p, "address 192.168.100.50/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.9",
	       "route 10.98.0.0/24 via 10.42.0.3 dev eth0 table 2000",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.100.0/24 dev eth1 table 2001 scope link src 192.168.100.50",
	       "route 172.16.1.0/24 via 192.168.100.1 dev eth1 table 2001",
	       "route 172.16.2.0/24 via 192.168.100.9 dev eth1 table 2001",
	       "route default via 192.168.100.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.9 lookup 2000", "rule 1001 from 192.168.100.50 lookup 2001",
	       "route 172.16.1.0/24 via 192.168.100.1 dev eth1",
	       "route 172.16.2.0/24 via 192.168.100.9 dev eth1",
	       "route 10.99.0.0/24 via 10.42.0.1 dev eth0",
	       "route 10.98.0.0/24 via 10.42.0.3 dev eth0");
}

static void a_later_duplicate_wins(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();
	struct macvlan_route r[] = {route("10.43.0.0/16", "10.42.0.5", MACVLAN_IFACE_PRIMARY)};

	(void)state;
	service[1] = net("10.43.0.0/16");
	c.service_cidrs.n = 2;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route 10.43.0.0/16 via 10.42.0.5 dev eth0 table 2000",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.5 dev eth0",
	       "replace default via 192.168.120.1 dev eth1");
}

static void without_a_subnet_gateway(void **state)
{
	struct pod p = flannel_pod("10.42.0.9/24");
	struct macvlan_card c = card_of("192.168.100.50/24", NULL);
	struct macvlan_route r[] = {route("172.16.1.0/24", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.100.50/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.9",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.100.0/24 dev eth1 table 2001 scope link src 192.168.100.50",
	       "route 172.16.1.0/24 dev eth1 table 2001 scope link",
	       "rule 1000 from 10.42.0.9 lookup 2000", "rule 1001 from 192.168.100.50 lookup 2001",
	       "route 172.16.1.0/24 dev eth1 scope link");
}

/* ------------------------------------------------------------------ IPv6 */

static void dual_stack_gateway(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = gateway_card();

	(void)state;
	has_addr(&p, "fd42::18/64", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "fd42::/64", NULL, ETH0);
	has_route(&p, "fe80::/64", NULL, ETH0);
	has_route(&p, "::/0", "fd42::1", ETH0);
	has_route(&p, "::/0", "fe80::9", ETH0)->metric = 2048;
	service[1] = net("fd43::/112");
	cluster[1] = net("fd42::/48");
	c.service_cidrs.n = c.cluster_cidrs.n = 2;
	c.addr6 = net("fd78::2/64");
	c.gateway6 = addr("fd78::1");
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "address fd78::2/64 dev eth1",
	       "up eth1", "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route fd42::/64 dev eth0 table 2000 metric 256",
	       "route fe80::/64 dev eth0 table 2000 metric 256",
	       "route default via fd42::1 dev eth0 table 2000 metric 1024",
	       "route default via fe80::9 dev eth0 table 2000 metric 2048",
	       "route fd78::/64 dev eth1 table 2001 scope link metric 256",
	       "route fe80::/64 dev eth1 table 2001 scope link metric 256",
	       "route default via fd78::1 dev eth1 table 2001",
	       "rule 1000 from fd42::18 lookup 2000", "rule 1001 from fd78::2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "route fd43::/112 via fd42::1 dev eth0 metric 1024",
	       "route fd42::/48 via fd42::1 dev eth0 metric 1024",
	       "replace default via 192.168.120.1 dev eth1",
	       "replace default via fd78::1 dev eth1 metric 1024",
	       "delete default via fe80::9 dev eth0 metric 2048");
}

static void ipv6_only_subnet_leaves_ipv4_alone(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = card_of("fd78::2/64", "fd78::1");

	(void)state;
	service[0] = net("10.43.0.0/16");
	c.default_gateway = true;
	c.service_cidrs = (struct macvlan_nets){service, 1};
	EXPECT(&c, &p, "address fd78::2/64 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "rule 1000 from 10.42.0.18 lookup 2000",
	       "route fd78::/64 dev eth1 table 2001 scope link metric 256",
	       "route fe80::/64 dev eth1 table 2001 scope link metric 256",
	       "route default via fd78::1 dev eth1 table 2001",
	       "rule 1001 from fd78::2 lookup 2001",
	       "replace default via fd78::1 dev eth1 metric 1024");
}

/* ------------------------------------------------------------------ contradictions */

/* ipvlan l3: the node routes, so that a gateway has no meaning and none is needed. */
static void a_routed_card_needs_no_gateway(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24"), alone = empty_pod();
	struct macvlan_card c = gateway_card(), single = card_of("10.77.0.3/24", NULL);
	struct macvlan_route r[] = {route("172.16.18.0/24", NULL, MACVLAN_IFACE_CARD),
				    route("0.0.0.0/0", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	c.mode = NL_MODE_L3;
	c.gateway = (struct ip_addr){0};
	with_routes(&c, r, 1);
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route 172.16.18.0/24 dev eth1 table 2001 scope link",
	       "route default dev eth1 table 2001 scope link",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "route 172.16.18.0/24 dev eth1 scope link", "replace default dev eth1 scope link");
	single.mode = NL_MODE_L3S;
	single.single = true;
	alone.seen.primary_index = 0;
	with_routes(&single, r, 2);
	EXPECT(&single, &alone, "address 10.77.0.3/24 dev eth1", "up eth1",
	       "route 172.16.18.0/24 dev eth1 scope link", "replace default dev eth1 scope link");
	/* In l2 it is a card among others. */
	single.mode = NL_MODE_L2;
	expect_err(&single, &alone, "route 0.0.0.0/0: there is no gateway");
}

static void contradictions_are_refused(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct pod bare = empty_pod();
	struct macvlan_card c = card_of("192.168.120.2/24", NULL);
	struct macvlan_route r[1];

	(void)state;
	c.default_gateway = true;
	expect_err(&c, &p, "podDefaultGateway is on, but the subnet has no gateway");
	c.default_gateway = false;
	with_routes(&c, r, 1);
	r[0] = route("0.0.0.0/0", NULL, MACVLAN_IFACE_CARD);
	expect_err(&c, &p, "route 0.0.0.0/0: there is no gateway");
	r[0] = route("fd00::/64", NULL, MACVLAN_IFACE_CARD);
	expect_err(&c, &p, "route fd00::/64: eth1 has no address of that family");
	r[0] = route("172.16.0.0/16", "fd00::1", MACVLAN_IFACE_CARD);
	expect_err(&c, &p, "route 172.16.0.0/16: its gateway is of the other family");
	r[0] = route("172.16.0.0/16", NULL, MACVLAN_IFACE_PRIMARY);
	expect_err(&c, &bare, "route 172.16.0.0/16: eth0 has no gateway");
	c.gateway = addr("192.168.120.1");
	c.default_gateway = true;
	r[0] = route("0.0.0.0/0", "10.42.0.1", MACVLAN_IFACE_PRIMARY);
	expect_err(&c, &p, "a default route through eth0 contradicts the one through eth1");
	c.addr = (struct ip_net){0};
	expect_err(&c, &p, "eth1 has no address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picture_a),
		cmocka_unit_test(picture_b),
		cmocka_unit_test(picture_c),
		cmocka_unit_test(picture_c_without_a_default),
		cmocka_unit_test(calico_keeps_pods_and_services_on_eth0),
		cmocka_unit_test(onlink_is_copied),
		cmocka_unit_test(a_default_without_gateway_is_copied_as_link),
		cmocka_unit_test(node_local_name_server_stays_on_eth0),
		cmocka_unit_test(default_takes_the_lowest_metric),
		cmocka_unit_test(all_other_defaults_go),
		cmocka_unit_test(without_any_default_the_pod_route_names_the_gateway),
		cmocka_unit_test(custom_default_acts_like_the_switch),
		cmocka_unit_test(custom_routes_choose_their_card),
		cmocka_unit_test(a_later_duplicate_wins),
		cmocka_unit_test(without_a_subnet_gateway),
		cmocka_unit_test(dual_stack_gateway),
		cmocka_unit_test(ipv6_only_subnet_leaves_ipv4_alone),
		cmocka_unit_test(a_routed_card_needs_no_gateway),
		cmocka_unit_test(contradictions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
