/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/parent.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/nl.h"
#include "macvlan/vlan.h"
#include "macvlan/world_test.h"

static int find(struct macvlan_card *c, struct nl_link *out, struct err *e)
{
	AUTO(nl_close) struct nl *host = NULL;

	if (nl_open(&host, e) < 0)
		return -1;
	return macvlan_parent_find(host, c, out, e);
}

static void refused(struct macvlan_card *c, const char *master, const char *msg)
{
	struct nl_link l = {.index = 77};
	struct err e = {0};

	assert_int_equal(str_copy(c->master, sizeof(c->master), master), 0);
	assert_int_equal(find(c, &l, &e), -1);
	assert_string_equal(e.msg, msg);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_int_equal(l.index, 77);
}

static void unfit_masters_are_named(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct err e = {0};
	struct nl_link l;

	(void)state;
	lab(-1,
	    "ip link add down0 type veth peer name up0; ip link set up0 up;"
	    "ip link add port0 type veth peer name port1; ip link set port0 up; ip link set port1 up;"
	    "ip link set port0 master cni0; ip link add link ens4 mv0 type macvlan mode bridge; ip link set mv0 up");
	refused(&c, "ens5", "node worker-1: master ens5 does not exist");
	refused(&c, "down0", "node worker-1: master down0 is down");
	refused(&c, "up0", "node worker-1: master up0 has no carrier");
	refused(&c, "mv0", "node worker-1: master mv0 is itself a macvlan");
	refused(&c, "lo", "node worker-1: master lo is not an Ethernet device");
	c.mtu = 1501;
	refused(&c, "ens4",
		"node worker-1: master ens4 has an MTU of 1500, the subnet asks for 1501");
	c.mtu = 1500;
	assert_int_equal(find(&c, &l, &e), 0);
	assert_string_equal(l.name, "ens4");
	c.master[0] = '\0';
	assert_int_equal(find(&c, &l, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	c.vlan = 4095;
	assert_int_equal(find(&c, &l, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void a_port_is_refused(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	(void)state;
	lab(-1, "ip link set ens4 master cni0");
	refused(&c, "ens4", "node worker-1: master ens4 is a port of cni0, a bridge");
}

/* The kernel would say that the node has no IPv6. */
static void too_small_for_ipv6(void **state)
{
	struct macvlan_card c = world_card("fd78::50/64", "fd78::1");

	(void)state;
	lab(-1, "ip link set ens4 mtu 1200");
	refused(&c, "ens4",
		"node worker-1: master ens4 gives the card an MTU of 1200, and IPv6 needs 1280");
	c = world_card("192.168.100.50/24", "192.168.100.1");
	c.addr6 = lab_net("fd78::50/64");
	refused(&c, "ens4",
		"node worker-1: master ens4 gives the card an MTU of 1200, and IPv6 needs 1280");
	lab(-1, "ip link set ens4 mtu 1500");
	c.mtu = 1279;
	refused(&c, "ens4",
		"node worker-1: master ens4 gives the card an MTU of 1279, and IPv6 needs 1280");
}

static void altnames_and_bridges_are_masters_too(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct nl_link l;
	struct err e = {0};

	(void)state;
	lab(-1, "ip link property add dev ens4 altname enp0s4-the-lan-of-building-seven");
	assert_int_equal(str_copy(c.master, sizeof(c.master), "enp0s4-the-lan-of-building-seven"),
			 0);
	LAB_OK(find(&c, &l, &e));
	assert_string_equal(l.name, "ens4");
	lab(-1,
	    "ip link add p0 type veth peer name p1; ip link set p1 up; ip link set p0 up master cni0");
	/* A bridge has carrier once a port forwards, which the kernel does in its own time. */
	lab(-1,
	    "for i in $(seq 200); do ip link show cni0 | grep -q LOWER_UP && exit 0; sleep 0.02; "
	    "done; exit 1");
	assert_int_equal(str_copy(c.master, sizeof(c.master), "cni0"), 0);
	LAB_OK(find(&c, &l, &e));
	assert_string_equal(l.name, "cni0");
}

static void the_node_s_name_is_the_host_s_without_another(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	char host[65] = "", want[160];

	(void)state;
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	snprintf(want, sizeof(want), "node %s: master nic9 does not exist", host);
	c.node = NULL;
	refused(&c, "nic9", want);
}

static void vlan_names(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	macvlan_vlan_name("ens4", 100, name);
	assert_string_equal(name, "ens4.100");
	macvlan_vlan_name("enp0s31f6a", 4094, name);
	assert_string_equal(name, "enp0s31f6a.4094");
	macvlan_vlan_name("enp0s31f6ab", 4094, name);
	assert_int_equal(strlen(name), 10);
	assert_true(str_starts(name, "tv"));
}

/* Where the kernel has no 802.1Q the answer says so; where it has, the link is made once. */
static void a_vlan_is_made_on_demand(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct nl_link l = {0}, again = {0};
	struct err e = {0};

	(void)state;
	c.vlan = 100;
	if (find(&c, &l, &e) < 0) {
		assert_string_equal(e.msg,
				    "node worker-1: master ens4, VLAN 100: make VLAN ens4.100: "
				    "Unknown device type (Operation not supported)");
		return;
	}
	assert_string_equal(l.name, "ens4.100");
	assert_string_equal(l.alias, "tandem ens4.100");
	assert_true(l.flags & IFF_UP);
	LAB_OK(find(&c, &again, &e));
	assert_int_equal(again.index, l.index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(unfit_masters_are_named),
		IN_WORLD(a_port_is_refused),
		IN_WORLD(too_small_for_ipv6),
		IN_WORLD(altnames_and_bridges_are_masters_too),
		IN_WORLD(the_node_s_name_is_the_host_s_without_another),
		cmocka_unit_test(vlan_names),
		IN_WORLD(a_vlan_is_made_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
