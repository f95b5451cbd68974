/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/nic.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"
#include "macvlan/parent.h"
#include "macvlan/world_test.h"

#define NODE "node worker-1: masterSelector "

static struct macvlan_nic_want want(const char *told)
{
	const char *text = strchr(told, '=') + 1;
	struct macvlan_nic_want w = {.text = text, .node = "worker-1", .told = told};

	if (str_starts(told, "addressIn")) {
		w.by = MACVLAN_NIC_ADDRESS;
		assert_int_equal(ip_net_parse(text, &w.net), 0);
	} else if (str_starts(told, "mac")) {
		w.by = MACVLAN_NIC_MAC;
		assert_int_equal(mac_parse(text, &w.mac), 0);
	} else {
		w.by = str_starts(told, "driver") ? MACVLAN_NIC_DRIVER : MACVLAN_NIC_PATTERN;
	}
	return w;
}

/* The name, or what the error says. */
static void finds(const char *told, const char *name)
{
	AUTO(nl_close) struct nl *host = NULL;
	struct macvlan_nic_want w = want(told);
	char got[IFNAMSIZ] = "";
	struct err e = {0};

	assert_int_equal(nl_open(&host, &e), 0);
	if (macvlan_nic_find(host, &w, got, &e) == 0) {
		assert_string_equal(got, name);
		return;
	}
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_string_equal(e.msg, name);
}

/* What a node has beside its NICs: a bridge with pods, our own device, kube-proxy's in mode ipvs. */
static void a_node_with_everything(void **state)
{
	(void)state;
	lab(-1,
	    "ip link set ens4 address 0a:00:00:00:04:00; ip addr add 192.168.100.9/24 dev ens4;"
	    "ip link add ens5 address 0a:00:00:00:05:00 type veth peer name far5; ip link set ens5 up;"
	    "ip addr add 10.9.0.9/24 dev ens5; ip addr add fd09::9/64 nodad dev ens5;"
	    "ip link add ipvs0 type veth peer name ipvs1; ip link set ipvs0 arp off; ip link set ipvs1 arp off;"
	    "ip addr add 192.168.100.200/32 dev ipvs0;"
	    "ip link add link ens4 name ens4.host alias tandem type macvlan mode bridge; ip link set ens4.host arp off up;"
	    "ip addr add 192.168.100.9/32 dev ens4.host;"
	    "ip link add veth0 type veth peer name pod0; ip link set veth0 master cni0; ip link set veth0 up");
	finds("addressIn=192.168.100.0/24", "ens4");
	finds("addressIn=192.168.100.9/32", "ens4");
	finds("addressIn=fd09::/16", "ens5");
	finds("mac=0a:00:00:00:04:00", "ens4");
	finds("mac=0a:00:00:00:05:00", "ens5");
	finds("driver=bridge", "cni0");
	finds("namePattern=?ns4", "ens4");
	finds("namePattern=ens*",
	      NODE "namePattern=ens*: exactly one NIC must fit, and these do: ens4, ens5");
	finds("namePattern=ens4.host",
	      NODE "namePattern=ens4.host: no NIC fits; there are ens4, cni0, far5, ens5, pod0");
	finds("driver=e1000e", NODE
	      "driver=e1000e: no NIC fits; there are ens4 (veth), cni0 (bridge), far5 (veth), ens5 (veth), pod0 (veth)");
	finds("addressIn=172.16.0.0/12", NODE
	      "addressIn=172.16.0.0/12: no NIC fits; there are ens4 (192.168.100.9/24), cni0 (10.42.0.1/24, fd42::1/64), ens5 (10.9.0.9/24, fd09::9/64)");
	finds("addressIn=0.0.0.0/0", NODE
	      "addressIn=0.0.0.0/0: exactly one NIC must fit, and these do: ens4 (192.168.100.9/24), cni0 (10.42.0.1/24, fd42::1/64), ens5 (10.9.0.9/24, fd09::9/64)");
}

/* The bridge bears the MAC of its port, and is what cards can be on. A VRF takes nothing away. */
static void ports(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	AUTO(nl_close) struct nl *host = NULL;
	struct err e = {0};
	struct nl_link l;

	(void)state;
	lab(-1,
	    "ip link set ens4 address 0a:00:00:00:04:00; ip link add br0 type bridge; ip link set br0 address 0a:00:00:00:04:00 up;"
	    "ip link set ens4 master br0");
	finds("mac=0a:00:00:00:04:00", "br0");
	/* The only one: parent.c says what is wrong with it. */
	finds("namePattern=ens*", "ens4");
	assert_int_equal(str_copy(c.master, sizeof(c.master), "ens4"), 0);
	assert_int_equal(nl_open(&host, &e), 0);
	assert_int_equal(macvlan_parent_find(host, &c, &l, &e), -1);
	assert_string_equal(e.msg, "node worker-1: master ens4 is a port of br0, a bridge");
}

static struct nl_link link_of(int index, const char *name, const char *kind, int master)
{
	struct nl_link l = {.index = index, .master = master, .mac = {{2, 0, 0, 0, 0, 1}}};

	assert_int_equal(str_copy(l.name, sizeof(l.name), name), 0);
	assert_int_equal(str_copy(l.kind, sizeof(l.kind), kind), 0);
	return l;
}

/* All of them have one: each is told with its own. */
static void link_local_addresses(void **state)
{
	struct nl_link links[] = {link_of(1, "eno1", "", 0), link_of(2, "eno2", "", 0)};
	struct nl_addr addrs[3] = {{.index = 1}, {.index = 1}, {.index = 2}};
	struct macvlan_nic_seen seen = {
		.links = links, .n_links = 2, .addrs = addrs, .n_addrs = ARRAY_SIZE(addrs)};
	struct macvlan_nic_want w = want("addressIn=fe80::/10");
	char name[IFNAMSIZ] = "";
	struct err e = {0};

	(void)state;
	assert_int_equal(ip_net_parse("fe80::1/64", &addrs[0].addr), 0);
	assert_int_equal(ip_net_parse("10.0.0.1/24", &addrs[1].addr), 0);
	assert_int_equal(ip_net_parse("fe80::2/64", &addrs[2].addr), 0);
	assert_int_equal(macvlan_nic_choose(&w, &seen, name, &e), -1);
	assert_string_equal(
		e.msg, NODE
		"addressIn=fe80::/10: exactly one NIC must fit, and these do: eno1 (fe80::1/64), eno2 (fe80::2/64)");
}

/* What this kernel may lack: bonds, teams and VRFs. */
static void kinds(void **state)
{
	static const struct {
		const char *above, *found;
	} rows[] = {
		{"bond", "up0"},
		{"team", "up0"},
		{"vrf", NODE
		 "mac=02:00:00:00:00:01: exactly one NIC must fit, and these do: eno1 (02:00:00:00:00:01), eno2 (02:00:00:00:00:01), up0 (02:00:00:00:00:01)"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nl_link links[] = {link_of(1, "eno1", "", 3), link_of(2, "eno2", "", 3),
					  link_of(3, "up0", rows[i].above, 0),
					  link_of(4, "up0.7", "vlan", 0)};
		struct macvlan_nic_seen seen = {.links = links, .n_links = ARRAY_SIZE(links)};
		struct macvlan_nic_want w = want("mac=02:00:00:00:00:01");
		char name[IFNAMSIZ] = "";
		struct err e = {0};

		if (macvlan_nic_choose(&w, &seen, name, &e) == 0)
			assert_string_equal(name, rows[i].found);
		else
			assert_string_equal(e.msg, rows[i].found);
	}
}

static void many_are_counted(void **state)
{
	struct nl_link links[12];
	struct macvlan_nic_seen seen = {.links = links, .n_links = ARRAY_SIZE(links)};
	struct macvlan_nic_want w = want("namePattern=e*");
	char name[IFNAMSIZ];
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 12; i++) {
		AUTO(free) char *n = xasprintf("e%d", i);

		links[i] = link_of(i + 1, n, "", 0);
	}
	assert_int_equal(macvlan_nic_choose(&w, &seen, name, &e), -1);
	assert_string_equal(
		e.msg, NODE
		"namePattern=e*: exactly one NIC must fit, and these do: e0, e1, e2, e3, e4, e5, e6, e7 and 4 more");
	seen.n_links = 0;
	err_clear(&e);
	assert_int_equal(macvlan_nic_choose(&w, &seen, name, &e), -1);
	assert_string_equal(e.msg, NODE "namePattern=e*: no NIC fits; there are none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_node_with_everything, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(ports, world_setup, world_teardown),
		cmocka_unit_test(link_local_addresses),
		cmocka_unit_test(kinds),
		cmocka_unit_test(many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
