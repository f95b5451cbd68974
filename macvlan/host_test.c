/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/host.h"

#include "lib/base/str.h"
#include "macvlan/delete.h"
#include "macvlan/plan_host.h"
#include "macvlan/world_test.h"

#define DEVICE     "ens4.host"
#define HOST_ADDRS "ip -o addr show dev " DEVICE " | awk '{ print $4 }'"
#define HOST_ROUTES                                      \
	"for f in 4 6; do ip -$f route show dev " DEVICE \
	" | sed 's/ proto [a-z]*//; s/ pref medium//;"   \
	" s/ *$//'; done"
#define HOST_NEIGHS "ip neigh show dev " DEVICE " nud permanent | sed 's/ *$//' | sort"

/* A second NIC for the node, with its InternalIP and the default route. */
static void node_has(const char *addr, const char *gw)
{
	lab(-1,
	    "ip link add mg0 type veth peer name mg1 netns /proc/%d/fd/%d; ip link set mg0 up;"
	    "ip addr add %s dev mg0; ip route add default via %s",
	    getpid(), world.lan, addr, gw);
	lab(world.lan, "ip link set mg1 up; ip addr add %s/24 dev mg1", gw);
}

/* The caller frees. */
static char *link_mac(const char *name)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd),
		 "ip -o link show %s | sed 's,.*link/ether ,,; s, .*,,' | tr -d '\\n'", name);
	return lab_output(-1, cmd);
}

static struct macvlan_host_user user(const struct macvlan_card *c, struct ip_addr addrs[2])
{
	struct macvlan_host_user u = {.parent = "ens4", .device = DEVICE, .addrs = addrs};

	addrs[u.n_addrs++] = c->addr.addr;
	if (ip_is_set(&c->addr6.addr))
		addrs[u.n_addrs++] = c->addr6.addr;
	return u;
}

static void leave(const struct macvlan_card *c)
{
	struct ip_addr addrs[2];
	struct macvlan_host_user u = user(c, addrs);
	struct err e = {0};

	LAB_OK(macvlan_host_leave(&u, soon(2000), &e));
}

/* As the plugin does it: link, node's side, the rest. The caller frees. */
static struct macvlan_link *attach(struct macvlan_card *c, int pod)
{
	struct macvlan_link *l = NULL;
	struct err e = {0};

	LAB_OK(macvlan_create(c, pod, soon(1000), &l, &e));
	LAB_OK(macvlan_host_join(c, "ens4", &c->mac, &c->host, &e));
	LAB_OK(macvlan_configure(l, c, soon(1000), &e));
	return l;
}

static struct macvlan_card single_card(const char *cidr, const char *gw)
{
	struct macvlan_card c = world_card(cidr, gw);

	c.single = c.host_access = true;
	memcpy(c.ifname, "eth0", 5);
	return c;
}

/* The pod's permanent neighbours, the device's MAC as HOST. */
static void expect_neighbours(const char *want)
{
	AUTO(free) char *mac = link_mac(DEVICE);
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "ip neigh show nud permanent | sed 's/ *$//; s/%s/HOST/' | sort",
		 mac);
	lab_same(world.pod, cmd, want);
}

static void a_single_card_and_the_node_reach_each_other(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	struct ip_net service = lab_net("10.43.0.0/16");

	(void)state;
	c.service_cidrs = (struct macvlan_nets){&service, 1};
	node_has("10.99.0.1/24", "10.99.0.254");
	l = attach(&c, world.pod);
	lab_same(-1, HOST_ADDRS, "10.99.0.1/32\n");
	lab_same(-1, HOST_ROUTES, "192.168.22.3 scope link src 10.99.0.1\n");
	lab_same(-1, HOST_NEIGHS, "192.168.22.3 lladdr e6:56:1c:96:94:09 PERMANENT\n");
	lab_same(-1,
		 "ip -d -o link show " DEVICE
		 " | grep -oE 'NOARP|,UP|mode (bridge|none)|alias [a-z]+'",
		 "NOARP\n,UP\nmode bridge\nmode none\nalias tandem\n");
	lab_same(world.pod, LAB_ROUTES,
		 "10.43.0.0/16 via 10.99.0.1 dev eth0\n10.99.0.1 dev eth0 scope link\n"
		 "192.168.22.0/24 dev eth0 scope link src 192.168.22.3\n");
	expect_neighbours("10.99.0.1 dev eth0 lladdr HOST PERMANENT\n");
	lab(-1, "ping -c 1 -W 5 192.168.22.3");
	lab(world.pod, "ping -c 1 -W 5 10.99.0.1");
	leave(&c);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nmg0\n");
	lab_same(-1, "ip route show to 192.168.22.3; ip neigh show to 192.168.22.3", "");
	leave(&c);
}

static void inside_the_subnet_neighbours_are_enough(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	(void)state;
	c.host_access = true;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	lab(-1, "ip addr add 192.168.100.10/24 dev ens4; ip route add default via 192.168.100.1");
	l = attach(&c, world.pod);
	lab_same(-1, HOST_ADDRS, "192.168.100.10/32\n");
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.9\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 10.42.0.1 dev eth0\n");
	expect_neighbours("192.168.100.10 dev eth1 lladdr HOST PERMANENT\n");
	lab(world.pod, "ping -c 1 -W 5 192.168.100.10");
	lab(-1, "ping -c 1 -W 5 192.168.100.50");
	leave(&c);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nv1\n");
	lab_same(-1, "ip -o -4 addr show dev ens4 | awk '{ print $4 }'", "192.168.100.10/24\n");
	lab(world.lan, "ping -c 1 -W 5 192.168.100.10");
}

static void outside_of_it_t1_has_the_route_too(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	(void)state;
	c.host_access = true;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	node_has("10.99.0.1/24", "10.99.0.254");
	lab(-1, "ip addr add 192.168.100.10/24 dev ens4");
	l = attach(&c, world.pod);
	lab_same(-1, HOST_ADDRS, "10.99.0.1/32\n192.168.100.10/32\n");
	lab_same(world.pod, LAB_TABLE("2001"),
		 "10.99.0.1 dev eth1 scope link\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 192.168.100.1 dev eth1\n");
	lab_same(
		world.pod, LAB_TABLE("2000"),
		"10.42.0.0/24 dev eth0 scope link src 10.42.0.9\ndefault via 10.42.0.1 dev eth0\n");
	lab(-1, "ping -c 1 -W 5 -I 10.99.0.1 192.168.100.50; ping -c 1 -W 5 192.168.100.50");
	lab(world.pod, "ping -c 1 -W 5 10.99.0.1; ping -c 1 -W 5 192.168.100.10");
	leave(&c);
}

static void both_families(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	struct ip_net services[] = {lab_net("10.43.0.0/16"), lab_net("fd43::/108")};

	(void)state;
	c.addr6 = lab_net("fd22::3/64");
	c.gateway6 = lab_addr("fd22::1");
	c.service_cidrs = (struct macvlan_nets){services, 2};
	node_has("10.99.0.1/24", "10.99.0.254");
	lab(-1, "ip addr add fd99::1/64 nodad dev mg0; ip -6 route add default via fd99::fe");
	l = attach(&c, world.pod);
	lab_same(-1, HOST_ADDRS, "10.99.0.1/32\nfd99::1/128\n");
	lab_same(-1, HOST_ROUTES,
		 "192.168.22.3 scope link src 10.99.0.1\nfd22::3 src fd99::1 metric 1024\n");
	lab_same(-1, "cat /proc/sys/net/ipv6/conf/" DEVICE "/accept_ra", "0\n");
	lab_same(world.pod, LAB_ROUTES6,
		 "fd22::/64 dev eth0 metric 256\nfd43::/108 via fd99::1 dev eth0 metric 1024\n"
		 "fd99::1 dev eth0 metric 1024\nfe80::/64 dev eth0 metric 256\n");
	expect_neighbours("10.99.0.1 dev eth0 lladdr HOST PERMANENT\n"
			  "fd99::1 dev eth0 lladdr HOST PERMANENT\n");
	lab(-1, "ping -c 1 -W 5 fd22::3");
	lab(world.pod, "ping -c 1 -W 5 fd99::1");
	leave(&c);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nmg0\n");
	lab_same(-1, "ip -6 route show to fd22::3; ip -6 neigh show to fd22::3", "");
}

static void the_last_pod_takes_the_device_along(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *a = NULL, *b = NULL;
	struct macvlan_card one = single_card("192.168.22.3/24", "192.168.22.1");
	struct macvlan_card two = single_card("192.168.22.4/24", "192.168.22.1");
	AUTO(fd) int pod = lab_netns();
	AUTO(free) char *before = NULL, *after = NULL;

	(void)state;
	node_has("10.99.0.1/24", "10.99.0.254");
	two.mac = lab_mac("02:00:00:00:00:04");
	a = attach(&one, world.pod);
	before = lab_output(-1, "ip -o link show " DEVICE);
	b = attach(&two, pod);
	after = lab_output(-1, "ip -o link show " DEVICE);
	assert_string_equal(before, after);
	leave(&one);
	lab_same(-1, HOST_ROUTES, "192.168.22.4 scope link src 10.99.0.1\n");
	lab_same(-1, HOST_NEIGHS, "192.168.22.4 lladdr 02:00:00:00:00:04 PERMANENT\n");
	lab(-1, "ping -c 1 -W 5 192.168.22.4");
	leave(&two);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nmg0\n");
}

static void the_devices_addresses_follow_the_nodes(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *a = NULL, *b = NULL;
	struct macvlan_card one = single_card("192.168.22.3/24", "192.168.22.1");
	struct macvlan_card two = single_card("192.168.22.4/24", "192.168.22.1");
	AUTO(fd) int pod = lab_netns();

	(void)state;
	node_has("10.99.0.1/24", "10.99.0.254");
	two.mac = lab_mac("02:00:00:00:00:04");
	a = attach(&one, world.pod);
	lab(-1, "ip addr add 10.99.0.5/24 dev mg0; ip addr del 10.99.0.1/24 dev mg0;"
		"ip addr add 10.99.0.5/24 dev mg0; ip route replace default via 10.99.0.254");
	b = attach(&two, pod);
	lab_same(-1, HOST_ADDRS, "10.99.0.5/32\n");
	lab_same(-1, HOST_ROUTES,
		 "192.168.22.3 scope link src 10.99.0.5\n192.168.22.4 scope link src 10.99.0.5\n");
	lab_same(-1, HOST_NEIGHS,
		 "192.168.22.3 lladdr e6:56:1c:96:94:09 PERMANENT\n"
		 "192.168.22.4 lladdr 02:00:00:00:00:04 PERMANENT\n");
	lab(-1, "ping -c 1 -W 5 192.168.22.4");
	leave(&one);
	leave(&two);
}

static void what_a_killed_one_has_left_is_finished(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	struct nl_link parent = {0};
	char mac[MAC_ADDR_LEN];
	struct mac_addr ours;

	(void)state;
	node_has("10.99.0.1/24", "10.99.0.254");
	AUTO(free) char *text = link_mac("ens4");

	memcpy(parent.name, "ens4", 5);
	parent.mac = lab_mac(text);
	ours = macvlan_host_mac(&parent);
	lab(-1, "ip link add link ens4 name " DEVICE " address %s type macvlan mode bridge",
	    mac_format(&ours, mac));
	/* Nobody came after it: DEL knows the device from the state file. */
	leave(&c);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nmg0\n");
	lab(-1, "ip link add link ens4 name " DEVICE " address %s type macvlan mode bridge", mac);
	l = attach(&c, world.pod);
	lab_same(-1, HOST_ADDRS, "10.99.0.1/32\n");
	lab_same(-1, "ip -o link show " DEVICE " | grep -oE 'NOARP|alias [a-z]+'",
		 "NOARP\nalias tandem\n");
	leave(&c);
}

static void a_strangers_link_stays(void **state)
{
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	struct err e = {0};

	(void)state;
	node_has("10.99.0.1/24", "10.99.0.254");
	lab(-1, "ip link add " DEVICE " type bridge");
	assert_int_equal(macvlan_host_join(&c, "ens4", &c.mac, &c.host, &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_string_equal(e.msg,
			    "hostAccess: ens4.host: another link already has the name (bridge)");
	leave(&c);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\nmg0\nens4.host\n");
}

static void without_an_address_there_is_no_device(void **state)
{
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	struct err e = {0};

	(void)state;
	LAB_OK(macvlan_host_join(&c, "ens4", &c.mac, &c.host, &e));
	assert_int_equal(c.host.n_addrs, 0);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\n");
}

/*
 * Whoever talks to whom, nobody on the LAN can learn the device's MAC for an address. A kernel that
 * forwards IPv6 reports its membership of ff02::2 from "::", which names none.
 */
static void the_lan_hears_nothing_of_it(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = single_card("192.168.22.3/24", "192.168.22.1");
	AUTO(free) char *mac = NULL, *heard = NULL;

	(void)state;
	lab(-1, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	node_has("10.99.0.1/24", "10.99.0.254");
	lab(-1, "ip addr add 192.168.22.10/24 dev ens4; ip addr add fd99::1/64 nodad dev mg0;"
		"ip -6 route add default via fd99::fe");
	lab(world.lan,
	    "tcpdump -Z root -lnei lan0 >/tmp/th-%d.txt 2>/tmp/th-%d.err & echo $! >/tmp/th-%d.pid;"
	    "until grep -q listening /tmp/th-%d.err; do sleep 0.05; done",
	    getpid(), getpid(), getpid(), getpid());
	c.addr6 = lab_net("fd22::3/64");
	l = attach(&c, world.pod);
	mac = link_mac(DEVICE);
	lab(-1, "ping -c 2 -i 0.3 -W 5 192.168.22.3; ping -c 1 -W 5 fd22::3");
	lab(world.pod,
	    "ping -c 1 -W 5 192.168.22.10; ping -c 1 -W 5 10.99.0.1; ping -c 1 -W 5 fd99::1");
	lab(world.lan, "ping -c 1 -W 5 192.168.22.10; ping -c 1 -W 5 192.168.22.3");
	leave(&c);
	lab(world.lan,
	    "ping -c 1 -W 5 -p 656e64 192.168.22.10; until grep -q 'echo reply, id .*"
	    " 192.168.22.10 >\\|192.168.22.10 > .*echo reply' /tmp/th-%d.txt;"
	    "do sleep 0.05; done; kill -2 $(cat /tmp/th-%d.pid)",
	    getpid(), getpid());
	heard = lab_output(world.lan, "cat /tmp/th-*.txt | grep -v ':: > ff02::16: '");
	lab(-1, "rm -f /tmp/th-%d.*", getpid());
	if (strstr(heard, mac))
		fail_msg("%s was heard:\n%s", mac, heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_single_card_and_the_node_reach_each_other),
		IN_WORLD(inside_the_subnet_neighbours_are_enough),
		IN_WORLD(outside_of_it_t1_has_the_route_too),
		IN_WORLD(both_families),
		IN_WORLD(the_last_pod_takes_the_device_along),
		IN_WORLD(the_devices_addresses_follow_the_nodes),
		IN_WORLD(what_a_killed_one_has_left_is_finished),
		IN_WORLD(a_strangers_link_stays),
		IN_WORLD(without_an_address_there_is_no_device),
		IN_WORLD(the_lan_hears_nothing_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
