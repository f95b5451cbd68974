/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/plan_host.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/test.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/route.h"
#include "macvlan/macvlan.h"

enum { LO = 1, ETH0, ENS4, CNI0, VETH, BOND };

static const struct nl_link links[] = {
	{.index = LO, .name = "lo", .flags = IFF_LOOPBACK | IFF_UP},
	{.index = ETH0, .name = "eth0", .flags = IFF_UP},
	{.index = ENS4, .name = "ens4", .flags = IFF_UP, .mac = {{2, 0, 0, 0, 0, 4}}},
	{.index = CNI0, .name = "cni0", .kind = "bridge", .flags = IFF_UP},
	{.index = VETH, .name = "veth1", .kind = "veth", .flags = IFF_UP},
	{.index = BOND, .name = "bond0", .kind = "bond", .flags = IFF_UP},
};

/* A host's namespace as the kernel would list it. */
struct node {
	struct nl_addr addrs[16];
	struct nl_route routes[8];
	struct macvlan_host_seen seen;
};

static struct nl_addr *has_addr(struct node *n, int index, const char *cidr)
{
	struct nl_addr *a = &n->addrs[n->seen.n_addrs++];

	*a = (struct nl_addr){.index = index};
	assert_int_equal(ip_net_parse(cidr, &a->addr), 0);
	return a;
}

static struct nl_route *has_default(struct node *n, const char *gw, int oif, uint32_t metric)
{
	struct nl_route *r = &n->routes[n->seen.n_routes++];

	*r = (struct nl_route){.oif = oif, .metric = metric, .type = RTN_UNICAST};
	assert_int_equal(ip_parse(gw, &r->gw), 0);
	r->dst = ip_net_any(r->gw.family);
	return r;
}

static struct node a_node(void)
{
	struct node n = {
		.seen = {.parent = &links[2], .links = links, .n_links = ARRAY_SIZE(links)}};

	has_addr(&n, LO, "127.0.0.1/8")->scope = RT_SCOPE_HOST;
	has_addr(&n, LO, "::1/128")->scope = RT_SCOPE_HOST;
	return n;
}

static void expect(struct node *n, const char *want)
{
	AUTO(sb_done) struct sb got = SB_INIT;
	struct macvlan_node out = {0};
	char text[IP_ADDR_LEN];
	size_t i;

	n->seen.addrs = n->addrs;
	n->seen.routes = n->routes;
	macvlan_host_addrs(&n->seen, &out);
	for (i = 0; i < out.n_addrs; i++)
		sb_printf(&got, "%s%s", i ? " " : "", ip_format(&out.addrs[i], text));
	assert_string_equal(sb_get(&got), want);
}

/* ------------------------------------------------------------------ the node's own addresses */

static void the_default_routes_device_comes_first(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, ETH0, "10.99.0.1/24");
	has_addr(&n, ENS4, "192.168.100.10/24");
	has_addr(&n, CNI0, "10.42.0.1/24");
	has_default(&n, "192.168.100.1", ENS4, 200);
	has_default(&n, "10.99.0.254", ETH0, 100);
	expect(&n, "10.99.0.1 192.168.100.10");
}

static void the_routes_own_source_counts(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, ETH0, "10.99.0.1/24");
	has_addr(&n, ETH0, "10.99.0.7/24")->flags = IFA_F_SECONDARY;
	assert_int_equal(ip_parse("10.99.0.7", &has_default(&n, "10.99.0.254", ETH0, 0)->src), 0);
	expect(&n, "10.99.0.7");
}

static void one_address_of_a_device_and_no_floating_one(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, ENS4, "192.168.100.10/24");
	has_addr(&n, ENS4, "192.168.100.99/24")->flags = IFA_F_SECONDARY;
	has_addr(&n, ENS4, "192.168.100.98/32");
	has_default(&n, "192.168.100.1", ENS4, 0);
	expect(&n, "192.168.100.10");
}

static void without_a_default_the_parents(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, ETH0, "10.99.0.1/24");
	has_addr(&n, ENS4, "192.168.100.10/24");
	expect(&n, "192.168.100.10");
}

static void without_either_the_first_nics(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, CNI0, "10.42.0.1/24");
	has_addr(&n, VETH, "10.42.9.1/32");
	has_addr(&n, BOND, "10.98.0.1/24");
	expect(&n, "10.98.0.1");
	has_addr(&n, ETH0, "169.254.20.10/32");
	expect(&n, "10.98.0.1");
	has_addr(&n, ETH0, "10.99.0.1/24");
	expect(&n, "10.99.0.1");
}

static void both_families_each_by_itself(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, ETH0, "10.99.0.1/24");
	/* As the kernel lists them: the newest first. */
	has_addr(&n, ETH0, "fd99::f10a/128");
	has_addr(&n, ETH0, "fd99::dead/64")->flags = IFA_F_DEPRECATED;
	has_addr(&n, ETH0, "fd99::7e0/64")->flags = IFA_F_TEMPORARY;
	has_addr(&n, ETH0, "fd99::2/64");
	has_addr(&n, ETH0, "fd99::1/64");
	has_addr(&n, ETH0, "fd99::dc/128");
	has_addr(&n, ETH0, "fe80::1/64")->scope = RT_SCOPE_LINK;
	has_addr(&n, ENS4, "fd78::10/64");
	has_default(&n, "10.99.0.254", ETH0, 0);
	has_default(&n, "fe80::99", ETH0, 1024);
	expect(&n, "10.99.0.1 fd99::1 fd78::10");
}

static void none_is_none(void **state)
{
	struct node n = a_node();

	(void)state;
	has_addr(&n, CNI0, "10.42.0.1/24");
	expect(&n, "");
}

/* ------------------------------------------------------------------ names and routes */

static void names_fit_and_differ(void **state)
{
	char name[IFNAMSIZ], other[IFNAMSIZ];

	(void)state;
	macvlan_host_name("ens4", name);
	assert_string_equal(name, "ens4.host");
	macvlan_host_name("enp0s3.100", name);
	assert_string_equal(name, "enp0s3.100.host");
	macvlan_host_name("enp0s31.100", name);
	macvlan_host_name("enp0s31.101", other);
	assert_int_equal(strlen(name), 15);
	assert_memory_equal(name, "en", 2);
	assert_string_equal(name + 10, ".host");
	assert_string_not_equal(name, other);
	assert_true(nl_ifname_ok(name));
}

static void macs_are_computed(void **state)
{
	struct nl_link vlan = links[2], twin = links[2];
	struct mac_addr mac = macvlan_host_mac(&links[2]), again = macvlan_host_mac(&twin), other;

	(void)state;
	assert_true(mac_eq(&mac, &again));
	assert_true(mac_is_usable(&mac));
	assert_int_equal(mac.b[0] & 3, 2);
	assert_false(mac_eq(&mac, &links[2].mac));
	memcpy(vlan.name, "ens4.100", 9);
	other = macvlan_host_mac(&vlan);
	assert_false(mac_eq(&mac, &other));
	twin.mac.b[5] = 5;
	other = macvlan_host_mac(&twin);
	assert_false(mac_eq(&mac, &other));
}

static void ours_by_alias_or_mac(void **state)
{
	struct nl_link l = {.kind = "macvlan", .parent = ENS4, .mac = {{2, 9, 9, 9, 9, 9}}};

	(void)state;
	assert_false(macvlan_host_is_ours(&l, &links[2]));
	memcpy(l.alias, MACVLAN_ALIAS, sizeof(MACVLAN_ALIAS));
	assert_true(macvlan_host_is_ours(&l, &links[2]));
	l.alias[0] = '\0';
	l.mac = macvlan_host_mac(&links[2]);
	assert_true(macvlan_host_is_ours(&l, &links[2]));
	l.parent = ETH0;
	assert_false(macvlan_host_is_ours(&l, &links[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_routes_device_comes_first),
		cmocka_unit_test(the_routes_own_source_counts),
		cmocka_unit_test(one_address_of_a_device_and_no_floating_one),
		cmocka_unit_test(without_a_default_the_parents),
		cmocka_unit_test(without_either_the_first_nics),
		cmocka_unit_test(both_families_each_by_itself),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(names_fit_and_differ),
		cmocka_unit_test(macs_are_computed),
		cmocka_unit_test(ours_by_alias_or_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
