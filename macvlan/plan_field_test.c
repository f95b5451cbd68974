/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as they are in the field: wide ones, other tables than main, routers beyond the subnet, groups. */
#include "lib/base/mem.h"
#include "lib/nl/rule.h"
#include "macvlan/plan_lab_test.h"

/* What the plan does in table main, and in that of IPv6 groups, beside address and rules. */
static void expect_main(const struct macvlan_card *c, struct pod *p, const char *want)
{
	AUTO(macvlan_plan_done) struct macvlan_plan plan = {0};
	AUTO(sb_done) struct sb got = SB_INIT;
	struct err e = {0};
	size_t i;

	p->seen.routes = p->routes;
	p->seen.addrs = p->addrs;
	if (macvlan_plan_make(c, &p->seen, &plan, &e) < 0)
		fail_msg("%s", e.msg);
	for (i = 0; i < plan.n; i++) {
		const struct macvlan_op *op = &plan.ops[i];

		if ((op->kind != MACVLAN_OP_ROUTE && op->kind != MACVLAN_OP_DEFAULT) ||
		    op->route.table >= MACVLAN_TABLE_PRIMARY)
			continue;
		macvlan_op_format(op, c, &p->seen, &got);
		sb_putc(&got, '\n');
	}
	assert_string_equal(sb_get(&got), want);
}

static struct macvlan_card plain_card(const char *cidr, const char *gw)
{
	struct macvlan_card c = gateway_card();

	c.addr = net(cidr);
	c.gateway = addr(gw);
	c.default_gateway = false;
	return c;
}

/* ------------------------------------------------------------------ kept networks */

static void a_wide_route_takes_no_kept_network(void **state)
{
	struct pod flannel = flannel_pod("10.42.0.18/24"), calico = calico_pod();
	struct macvlan_card c = plain_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route wide[] = {route("10.0.0.0/8", NULL, MACVLAN_IFACE_CARD)};
	struct macvlan_route halves[] = {route("0.0.0.0/1", NULL, MACVLAN_IFACE_CARD),
					 route("128.0.0.0/1", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	with_routes(&c, wide, 1);
	/* Flannel's own route to the pods is the closer one already. */
	expect_main(&c, &flannel,
		    "route 10.43.0.0/16 via 10.42.0.1 dev eth0\n"
		    "route 10.0.0.0/8 via 192.168.100.1 dev eth1\n");
	expect_main(&c, &calico,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.0.0.0/8 via 192.168.100.1 dev eth1\n");
	with_routes(&c, halves, 2);
	expect_main(&c, &calico,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 0.0.0.0/1 via 192.168.100.1 dev eth1\n"
		    "route 128.0.0.0/1 via 192.168.100.1 dev eth1\n");
	/* The primary's own route is closer than the card's, or less close. */
	has_route(&calico, "10.40.0.0/13", "169.254.1.1", ETH0);
	with_routes(&c, wide, 1);
	expect_main(&c, &calico, "route 10.0.0.0/8 via 192.168.100.1 dev eth1\n");
	wide[0] = route("10.42.0.0/15", NULL, MACVLAN_IFACE_CARD);
	expect_main(&c, &calico,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/15 via 192.168.100.1 dev eth1\n");
}

/* The card's route takes the place of the primary's, or comes before it. */
static void a_route_as_wide_as_the_primarys_takes_no_kept_network(void **state)
{
	struct pod p = calico_pod();
	struct macvlan_card c = plain_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route wide[] = {route("10.0.0.0/8", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	with_routes(&c, wide, 1);
	has_route(&p, "10.0.0.0/8", "169.254.1.1", ETH0);
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.0.0.0/8 via 192.168.100.1 dev eth1\n");
	/* In gateway mode too, and where the network is the card's own. */
	c.default_gateway = true;
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.0.0.0/8 via 192.168.100.1 dev eth1\n"
		    "replace default via 192.168.100.1 dev eth1\n");
	c = plain_card("10.9.0.7/8", "10.0.0.1");
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n");
	has_addr(&p, "fd42::40/128", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "fd00::/8", "fe80::1", ETH0);
	service[0] = net("fd43::/108");
	c.addr6 = net("fd00::9/8");
	c.service_cidrs.n = 1;
	c.cluster_cidrs.n = 0;
	expect_main(&c, &p, "route fd43::/108 via fe80::1 dev eth0 metric 1024\n");
}

static void a_wide_lan_takes_no_kept_network(void **state)
{
	struct pod p = calico_pod();
	struct macvlan_card c = plain_card("10.9.0.7/8", "10.0.0.1");
	struct ip_net via[] = {net("10.99.0.0/24"), net("172.30.0.0/24")};
	struct ip_addr ns[] = {addr("169.254.20.10")};

	(void)state;
	c.via_primary = (struct macvlan_nets){via, 2};
	c.nameservers = ns;
	c.n_nameservers = 1;
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.99.0.0/24 via 169.254.1.1 dev eth0\n"
		    "route 10.42.0.0/16 via 169.254.1.1 dev eth0\n");
	/* The same in IPv6. */
	has_addr(&p, "fd42::40/128", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "::/0", "fe80::1", ETH0);
	service[0] = net("fd43::/108");
	c.addr6 = net("fd00::9/8");
	c.service_cidrs.n = 1;
	c.cluster_cidrs.n = c.via_primary.n = 0;
	expect_main(&c, &p, "route fd43::/108 via fe80::1 dev eth0 metric 1024\n");
}

static void what_the_user_routes_inside_a_kept_network_stays(void **state)
{
	struct pod p = calico_pod();
	struct macvlan_card c = plain_card("10.9.0.7/8", "10.0.0.1");
	struct macvlan_route r[] = {route("10.43.7.0/24", "10.0.0.2", MACVLAN_IFACE_CARD),
				    route("10.42.0.0/16", "10.0.0.3", MACVLAN_IFACE_CARD)};

	(void)state;
	with_routes(&c, r, 2);
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 169.254.1.1 dev eth0\n"
		    "route 10.43.7.0/24 via 10.0.0.2 dev eth1\n"
		    "route 10.42.0.0/16 via 10.0.0.3 dev eth1\n");
	/* A LAN that is a kept network itself is not cut off. */
	c = plain_card("10.43.0.7/16", "10.43.0.1");
	c.cluster_cidrs.n = 0;
	expect_main(&c, &p, "");
}

/* ------------------------------------------------------------------ other tables */

/* sbr after bridge: main has nothing of eth0's. */
static struct pod sbr_pod(struct nl_route others[2], struct nl_rule rules[1])
{
	struct pod p = empty_pod();

	has_addr(&p, "10.42.0.18/24", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "10.42.0.0/24", NULL, ETH0)->src = p.addrs[2].addr.addr;
	has_route(&p, "0.0.0.0/0", "10.42.0.1", ETH0);
	memcpy(others, p.routes, 2 * sizeof(*others));
	others[0].table = others[1].table = 100;
	p.seen.n_routes = 0;
	rules[0] = (struct nl_rule){
		.family = AF_INET, .preference = 32765, .from = net("10.42.0.18/32"), .table = 100};
	p.seen.others = others;
	p.seen.n_others = 2;
	p.seen.rules = rules;
	p.seen.n_rules = 1;
	return p;
}

static void the_gateway_is_found_in_a_table_of_a_rule(void **state)
{
	struct nl_route others[2];
	struct nl_rule rules[1];
	struct pod p = sbr_pod(others, rules);
	struct macvlan_card c = gateway_card();

	(void)state;
	EXPECT(&c, &p, FLANNEL_HEAD, "route 10.43.0.0/16 via 10.42.0.1 dev eth0 onlink",
	       "route 10.42.0.0/16 via 10.42.0.1 dev eth0 onlink",
	       "replace default via 192.168.120.1 dev eth1");
	/* A rule for all, or no rule but that of VRFs. */
	rules[0].from = (struct ip_net){0};
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "route 10.42.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "replace default via 192.168.120.1 dev eth1\n");
	p.seen.n_rules = 0;
	p.seen.primary_enslaved = true;
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "route 10.42.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "replace default via 192.168.120.1 dev eth1\n");
}

/* A table of a `from` rule comes before main, also where main knows a closer way. */
static void main_adds_what_the_table_before_it_has_not(void **state)
{
	struct nl_route others[2];
	struct nl_rule rules[1];
	struct pod p = sbr_pod(others, rules);
	struct macvlan_card c = plain_card("192.168.120.2/24", "192.168.120.1");

	(void)state;
	others[1].dst = net("10.0.0.0/8");
	has_route(&p, "10.42.0.0/24", NULL, ETH0);
	has_route(&p, "10.43.0.0/16", "10.42.0.9", ETH0);
	has_route(&p, "172.16.0.0/16", "10.42.0.9", ETH0);
	has_route(&p, "0.0.0.0/0", "10.42.0.9", ETH0);
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route 10.0.0.0/8 via 10.42.0.1 dev eth0 table 2000",
	       "route default via 10.42.0.9 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001");
}

/* ------------------------------------------------------------------ routes to nowhere, routes for some */

static struct nl_route *has_refusal(struct pod *p, const char *dst, uint8_t type, int oif)
{
	struct nl_route *r = has_route(p, dst, NULL, oif);

	r->type = type;
	r->scope = RT_SCOPE_UNIVERSE;
	return r;
}

static void routes_to_nowhere_are_copied(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = plain_card("192.168.120.2/24", "192.168.120.1");

	(void)state;
	has_refusal(&p, "10.66.0.0/16", RTN_UNREACHABLE, 0);
	has_refusal(&p, "172.16.0.0/12", RTN_UNREACHABLE, 0);
	has_route(&p, "172.16.9.0/24", "10.42.0.1", ETH0);
	has_refusal(&p, "10.67.0.0/16", RTN_BLACKHOLE, 0)->metric = 7;
	has_refusal(&p, "10.68.0.0/16", RTN_PROHIBIT, 0);
	has_refusal(&p, "10.69.0.0/16", RTN_THROW, 0);
	has_addr(&p, "fd42::18/64", ETH0, RT_SCOPE_UNIVERSE);
	has_refusal(&p, "fd66::/64", RTN_UNREACHABLE, LO);
	has_refusal(&p, "::/0", RTN_UNREACHABLE, LO)->metric = 2000;
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route unreachable 10.66.0.0/16 table 2000",
	       "route unreachable 172.16.0.0/12 table 2000",
	       "route blackhole 10.67.0.0/16 table 2000 metric 7",
	       "route prohibit 10.68.0.0/16 table 2000", "route throw 10.69.0.0/16 table 2000",
	       "route 172.16.9.0/24 via 10.42.0.1 dev eth0 table 2000",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route unreachable fd66::/64 dev if1 table 2000 metric 256",
	       "route unreachable default dev if1 table 2000 metric 2000",
	       "rule 1000 from fd42::18 lookup 2000");
}

static void a_route_for_one_tos_is_nobody_elses(void **state)
{
	struct pod p = empty_pod();
	struct macvlan_card c = gateway_card();

	(void)state;
	has_addr(&p, "10.42.0.18/24", ETH0, RT_SCOPE_UNIVERSE);
	has_route(&p, "0.0.0.0/0", "10.42.0.7", ETH0)->tos = 0x10;
	has_route(&p, "10.43.0.0/16", "10.42.0.7", ETH0)->tos = 0x10;
	has_route(&p, "0.0.0.0/0", "10.42.0.1", ETH0);
	has_route(&p, "10.42.0.0/24", NULL, ETH0)->src = p.addrs[2].addr.addr;
	EXPECT(&c, &p, "address 192.168.120.2/24 dev eth1", "up eth1",
	       "route 10.42.0.0/24 dev eth0 table 2000 scope link src 10.42.0.18",
	       "route 10.43.0.0/16 via 10.42.0.7 dev eth0 table 2000 tos 16",
	       "route default via 10.42.0.7 dev eth0 table 2000 tos 16",
	       "route default via 10.42.0.1 dev eth0 table 2000",
	       "route 192.168.120.0/24 dev eth1 table 2001 scope link src 192.168.120.2",
	       "route default via 192.168.120.1 dev eth1 table 2001",
	       "rule 1000 from 10.42.0.18 lookup 2000", "rule 1001 from 192.168.120.2 lookup 2001",
	       "route 10.43.0.0/16 via 10.42.0.1 dev eth0",
	       "route 10.42.0.0/16 via 10.42.0.1 dev eth0",
	       "replace default via 192.168.120.1 dev eth1",
	       "delete default via 10.42.0.7 dev eth0 tos 16");
}

static void without_a_gateway_services_never_leave_by_the_card(void **state)
{
	struct nl_route others[2];
	struct nl_rule rules[1];
	struct pod p = sbr_pod(others, rules);
	struct macvlan_card c = gateway_card();
	struct macvlan_route wide[] = {route("10.0.0.0/8", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	p.seen.n_others = 1;
	expect_err(
		&c, &p,
		"network 10.43.0.0/16 of the cluster would leave by eth1, since eth0 has no IPv4 gateway: there is "
		"none in the tables that its rules name (main, 100), nor in the primary's result");
	with_routes(&c, wide, 1);
	c.default_gateway = false;
	expect_err(
		&c, &p,
		"network 10.43.0.0/16 of the cluster would leave by eth1, since eth0 has no IPv4 gateway: there is "
		"none in the tables that its rules name (main, 100), nor in the primary's result");
	c.primary_gateway = addr("10.42.0.1");
	expect_main(&c, &p,
		    "route 10.43.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "route 10.42.0.0/16 via 10.42.0.1 dev eth0 onlink\n"
		    "route 10.0.0.0/8 via 192.168.120.1 dev eth1\n");
}

/* ------------------------------------------------------------------ routers, groups */

static void routers_beyond_the_subnet_are_on_the_link(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24"), alone = empty_pod();
	struct macvlan_card c = gateway_card();
	struct macvlan_route r[] = {route("172.16.1.0/24", "192.168.9.9", MACVLAN_IFACE_CARD),
				    route("172.16.2.0/24", "10.50.0.9", MACVLAN_IFACE_PRIMARY),
				    route("fd99::/64", "fe80::9", MACVLAN_IFACE_CARD),
				    route("fd98::/64", "fd01::9", MACVLAN_IFACE_CARD)};

	(void)state;
	c.addr = net("192.168.120.2/32");
	c.addr6 = net("fd78::2/128");
	c.gateway6 = addr("fe80::1");
	c.service_cidrs.n = c.cluster_cidrs.n = 0;
	with_routes(&c, r, ARRAY_SIZE(r));
	expect_main(&c, &p,
		    "route 172.16.1.0/24 via 192.168.9.9 dev eth1 onlink\n"
		    "route 172.16.2.0/24 via 10.50.0.9 dev eth0 onlink\n"
		    "route fd99::/64 via fe80::9 dev eth1 metric 1024\n"
		    "route fd98::/64 via fd01::9 dev eth1 metric 1024 onlink\n"
		    "replace default via 192.168.120.1 dev eth1 onlink\n"
		    "replace default via fe80::1 dev eth1 metric 1024\n");
	alone.seen.primary_index = 0;
	c.single = true;
	with_routes(&c, r, 1);
	expect_main(&c, &alone,
		    "route 172.16.1.0/24 via 192.168.9.9 dev eth1 onlink\n"
		    "replace default via 192.168.120.1 dev eth1 onlink\n"
		    "replace default via fe80::1 dev eth1 metric 1024\n");
}

static void groups_and_gw_none_are_on_the_link(void **state)
{
	struct pod p = flannel_pod("10.42.0.18/24");
	struct macvlan_card c = plain_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route r[] = {route("224.0.0.0/4", NULL, MACVLAN_IFACE_CARD),
				    route("239.1.0.0/16", "192.168.100.9", MACVLAN_IFACE_CARD),
				    route("255.255.255.255/32", NULL, MACVLAN_IFACE_CARD),
				    route("232.0.0.0/8", NULL, MACVLAN_IFACE_PRIMARY),
				    route("172.16.0.0/16", NULL, MACVLAN_IFACE_CARD),
				    route("ff05::/16", NULL, MACVLAN_IFACE_CARD),
				    route("fd99::/64", NULL, MACVLAN_IFACE_CARD)};

	(void)state;
	r[4].onlink = r[6].onlink = true;
	c.addr6 = net("fd78::2/64");
	c.gateway6 = addr("fd78::1");
	with_routes(&c, r, ARRAY_SIZE(r));
	expect_main(&c, &p,
		    "route 224.0.0.0/4 dev eth1 scope link\n"
		    "route 239.1.0.0/16 dev eth1 scope link\n"
		    "route 255.255.255.255/32 dev eth1 scope link\n"
		    "route 232.0.0.0/8 dev eth0 scope link\n"
		    "route 172.16.0.0/16 dev eth1 scope link\n"
		    "route multicast ff05::/16 dev eth1 table 255 scope link metric 128\n"
		    "route fd99::/64 dev eth1 scope link metric 1024\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_route_takes_no_kept_network),
		cmocka_unit_test(a_route_as_wide_as_the_primarys_takes_no_kept_network),
		cmocka_unit_test(a_wide_lan_takes_no_kept_network),
		cmocka_unit_test(what_the_user_routes_inside_a_kept_network_stays),
		cmocka_unit_test(the_gateway_is_found_in_a_table_of_a_rule),
		cmocka_unit_test(main_adds_what_the_table_before_it_has_not),
		cmocka_unit_test(routes_to_nowhere_are_copied),
		cmocka_unit_test(a_route_for_one_tos_is_nobody_elses),
		cmocka_unit_test(without_a_gateway_services_never_leave_by_the_card),
		cmocka_unit_test(routers_beyond_the_subnet_are_on_the_link),
		cmocka_unit_test(groups_and_gw_none_are_on_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
