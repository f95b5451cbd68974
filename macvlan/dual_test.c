/* SPDX-License-Identifier: Apache-2.0 */
/* A card with an address of each family, beside a primary that has IPv4 alone. */
#include <string.h>

#include "macvlan/world_test.h"

/* What a runtime may have set on a cluster of IPv4 alone. */
#define NO_IPV6                                             \
	"echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6;" \
	"echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"

static struct macvlan_card dual_card(void)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	c.addr6 = lab_net("fd78::50/64");
	c.gateway6 = lab_addr("fd78::1");
	return c;
}

static void beside_an_ipv4_primary(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(free) char *before = NULL;
	struct macvlan_card c = dual_card();
	struct macvlan_route routes[] = {{.dst = lab_net("172.16.18.0/24")},
					 {.dst = lab_net("fd99::/64")}};
	struct err e = {0};

	(void)state;
	lab(world.pod, NO_IPV6);
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	before = lab_output(world.pod, LAB_STATE);
	c.routes = routes;
	c.n_routes = 2;
	l = world_attach(&c);
	lab_same(world.pod, "ip -o addr show dev eth1 scope global | awk '{ print $4 }'",
		 "192.168.100.50/24\nfd78::50/64\n");
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.9\n"
		 "172.16.18.0/24 via 192.168.100.1 dev eth1\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 10.42.0.1 dev eth0\n");
	lab_same(world.pod, LAB_ROUTES6 " | grep -v ^fe80",
		 "fd78::/64 dev eth1 metric 256\nfd99::/64 via fd78::1 dev eth1 metric 1024\n");
	lab_same(world.pod, LAB_RULES6,
		 "0: from all lookup local\n1001: from fd78::50 lookup 2001\n"
		 "32766: from all lookup main\n");
	lab_same(world.pod, LAB_TABLE6("2000"), "");
	lab_same(world.pod, LAB_TABLE6("2001") " | grep -v ^fe80",
		 "default via fd78::1 dev eth1 metric 1024\nfd78::/64 dev eth1 metric 256\n"
		 "fd99::/64 via fd78::1 dev eth1 metric 1024\n");
	lab_same(
		world.pod,
		"for f in disable_ipv6 accept_ra autoconf; do cat "
		"/proc/sys/net/ipv6/conf/eth1/$f; done; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6",
		"0\n0\n0\n1\n");
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_STATE, before);
}

static void as_the_default_gateway(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = dual_card();
	struct ip_net services[] = {lab_net("10.43.0.0/16")};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	c.default_gateway = true;
	c.service_cidrs = (struct macvlan_nets){services, 1};
	l = world_attach(&c);
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.9\n"
		 "10.43.0.0/16 via 10.42.0.1 dev eth0\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 192.168.100.1 dev eth1\n");
	lab_same(world.pod, LAB_ROUTES6 " | grep -v ^fe80",
		 "default via fd78::1 dev eth1 metric 1024\nfd78::/64 dev eth1 metric 256\n");
}

/* Both families, from the segment and from beyond its router, which the tables alone lead back to. */
static void both_families_are_reached(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = dual_card();

	(void)state;
	lab(world.pod, NO_IPV6);
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	lab(world.lan, "ip addr add fd99::1/128 nodad dev lo; ip addr add 172.31.0.1/32 dev lo");
	l = world_attach(&c);
	lab_same(
		world.lan,
		"for a in '192.168.100.50 192.168.100.1' 'fd78::50 fd78::1' '192.168.100.50 172.31.0.1' "
		"'fd78::50 fd99::1'; do ping -c 1 -W 5 -q ${a% *} -I ${a#* } | grep -o '[01] received'; done",
		"1 received\n1 received\n1 received\n1 received\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(beside_an_ipv4_primary),
		IN_WORLD(as_the_default_gateway),
		IN_WORLD(both_families_are_reached),
	};

	return cmocka_run_group_tests_name("dual", tests, NULL, NULL);
}
