/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nl/nl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/nl/addr.h"
#include "lib/nl/lab_test.h"
#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "lib/nl/route.h"
#include "lib/nl/rule.h"
#include "lib/nl/watch.h"

static struct nl *nl;
static int host;

/* Each test has a namespace of its own, with veth e0 (up) to e1. */
static int setup(void **state)
{
	struct err e = {0};

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	host = lab_own();
	lab(host, "ip link set lo up; ip link add e0 address 02:00:00:00:00:01 type veth peer e1; "
		  "ip link set e0 up; ip link set e1 up");
	return nl_open(&nl, &e);
}

static int teardown(void **state)
{
	(void)state;
	nl_close(nl);
	close(host);
	return 0;
}

static int index_of(const char *name)
{
	struct nl_link l;
	struct err e = {0};

	assert_int_equal(nl_link_find(nl, name, &l, &e), 1);
	return l.index;
}

static void names(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a b", "a:b", "a%d", "0123456789abcdef", "a\tb", "\x80"};
	size_t i;

	(void)state;
	assert_true(nl_ifname_ok("eth0"));
	assert_true(nl_ifname_ok("0123456789abcde"));
	assert_true(nl_ifname_ok("ens4.100"));
	assert_false(nl_ifname_ok(NULL));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(nl_ifname_ok(bad[i]));
}

static void links_are_described(void **state)
{
	AUTO(free) struct nl_link *list = NULL;
	struct err e = {0};
	struct nl_link l, m;
	size_t n = 0;
	int i;

	(void)state;
	lab(host,
	    "ip link add br0 type bridge; ip link set e1 master br0; ip link set e0 mtu 1400 alias hello;"
	    "ip link property add dev e0 altname a-rather-long-alternative-name;"
	    "ip link add link e0 mv0 type macvlan mode private");
	assert_int_equal(nl_link_find(nl, "e0", &l, &e), 1);
	assert_string_equal(l.name, "e0");
	assert_string_equal(l.kind, "veth");
	assert_string_equal(l.alias, "hello");
	assert_int_equal(l.mtu, 1400);
	assert_true(l.flags & IFF_UP);
	assert_true(l.carrier);
	assert_int_equal(l.master, 0);
	assert_int_equal(l.mac.b[5], 1);
	assert_int_equal(nl_link_find(nl, "a-rather-long-alternative-name", &m, &e), 1);
	assert_int_equal(m.index, l.index);
	assert_int_equal(nl_link_find(nl, "mv0", &m, &e), 1);
	assert_string_equal(m.kind, "macvlan");
	assert_int_equal(m.mode, MACVLAN_MODE_PRIVATE);
	assert_int_equal(m.parent, l.index);
	assert_false(m.parent_elsewhere);
	assert_int_equal(nl_link_find(nl, "e1", &m, &e), 1);
	assert_int_equal(m.master, index_of("br0"));
	assert_int_equal(nl_link_get(nl, m.index, &m, &e), 1);
	assert_string_equal(m.name, "e1");
	assert_int_equal(nl_link_get(nl, 9999, &m, &e), 0);
	assert_int_equal(nl_link_get(nl, 0, &m, &e), 0);
	assert_int_equal(nl_link_find(nl, "nope", &m, &e), 0);
	assert_int_equal(nl_link_find(nl, "a-name-over-fifteen-bytes", &m, &e), 0);
	assert_int_equal(nl_link_find(nl, "", &m, &e), 0);
	LAB_OK(nl_link_list(nl, &list, &n, &e));
	for (i = 0; i < (int)n; i++)
		assert_true(list[i].index > 0 && list[i].name[0]);
	assert_int_equal(n, 5); /* lo e0 e1 br0 mv0 */
}

static void macvlan_is_born_in_its_namespace(void **state)
{
	AUTO(fd) int pod = lab_netns();
	AUTO(nl_close) struct nl *there = NULL;
	struct nl_card m = {.name = "tdm1",
			    .parent = index_of("e0"),
			    .netns_fd = pod,
			    .mode = NL_MODE_BRIDGE,
			    .mtu = 1300,
			    .mac = lab_mac("02:00:00:00:00:aa")};
	static const struct nl_ipv4_conf conf[] = {{IPV4_DEVCONF_ARP_IGNORE, 1},
						   {IPV4_DEVCONF_ARP_ANNOUNCE, 2}};
	struct nl_link_change up = {.name = "eth1", .flags = IFF_UP, .flags_mask = IFF_UP};
	struct err e = {0};
	struct nl_link l;

	(void)state;
	LAB_OK(nl_open_in(pod, &there, &e));
	LAB_OK(nl_link_add_card(nl, &m, &e));
	assert_int_equal(nl_link_find(nl, "tdm1", &l, &e), 0);
	assert_int_equal(nl_link_find(there, "tdm1", &l, &e), 1);
	assert_true(l.parent_elsewhere);
	assert_int_equal(l.mtu, 1300);
	assert_true(mac_eq(&l.mac, &m.mac));
	assert_int_equal(l.mode, MACVLAN_MODE_BRIDGE);
	assert_int_equal(nl_link_add_card(nl, &m, &e), -1);
	assert_int_equal(e.num, EEXIST);
	LAB_OK(nl_link_set_ipv4_conf(there, l.index, conf, 2, &e));
	LAB_OK(nl_link_set(there, l.index, &up, &e));
	lab_same(pod,
		 "cat /proc/sys/net/ipv4/conf/eth1/arp_ignore "
		 "/proc/sys/net/ipv4/conf/eth1/arp_announce",
		 "1\n2\n");
	lab_same(pod, LAB_LINKS, "lo\neth1\n");
	LAB_OK(nl_link_delete(there, l.index, &e));
	LAB_OK(nl_link_delete(there, l.index, &e));
	lab_same(pod, LAB_LINKS, "lo\n");
}

static void the_kernel_s_own_words_come_through(void **state)
{
	struct nl_route r = {.dst = lab_net("10.9.0.0/16"), .gw = lab_addr("10.8.0.1")};
	struct nl_card m = {.name = "x", .parent = index_of("lo"), .netns_fd = -1};
	struct err e = {0};

	(void)state;
	r.oif = index_of("e0");
	assert_int_equal(nl_route_replace(nl, &r, &e), -1);
	assert_int_equal(e.kind, ERR_KERNEL);
	assert_int_equal(e.num, ENETUNREACH);
	assert_string_equal(e.msg, "Nexthop has invalid gateway (Network is unreachable)");
	assert_int_equal(nl_link_add_card(nl, &m, &e), -1);
	assert_int_equal(e.num, EINVAL);
	assert_string_equal(e.msg, "Invalid argument");
	assert_int_equal(nl_link_add_vlan(nl, "bad/name", m.parent, 1, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void a_request_that_does_not_fit_is_not_sent(void **state)
{
	static const char big[NL_REQ_SIZE];
	struct rtmsg rtm = {.rtm_family = AF_INET};
	struct err e = {0};
	struct nl_req r;

	(void)state;
	nl_req_init(&r, RTM_NEWROUTE, 0, &rtm, sizeof(rtm));
	nl_req_put(&r, RTA_DST, big, sizeof(big));
	nl_req_put_u32(&r, RTA_OIF, 1);
	assert_true(r.full);
	assert_int_equal(nl_talk(nl, &r, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
}

static void addresses(void **state)
{
	struct ip_net v4 = lab_net("192.168.9.5/24"), v6 = lab_net("fd09::5/64"),
		      one = lab_net("10.1.1.1/32");
	AUTO(free) struct nl_addr *list = NULL;
	struct err e = {0};
	int e0 = index_of("e0");
	size_t n = 0, i, found = 0;

	(void)state;
	LAB_OK(nl_addr_add(nl, e0, &v4, IFA_F_NODAD, &e));
	LAB_OK(nl_addr_add(nl, e0, &v4, IFA_F_NODAD, &e));
	LAB_OK(nl_addr_add(nl, e0, &v6, IFA_F_NODAD, &e));
	LAB_OK(nl_addr_add(nl, e0, &one, IFA_F_NOPREFIXROUTE, &e));
	lab_same(host, "ip -4 -o addr show dev e0 | awk '{print $3,$4,$5,$6}'",
		 "inet 192.168.9.5/24 brd 192.168.9.255\ninet 10.1.1.1/32 scope global\n");
	LAB_OK(nl_addr_list(nl, e0, &list, &n, &e));
	for (i = 0; i < n; i++) {
		found += ip_eq(&list[i].addr.addr, &v4.addr) && list[i].addr.prefix == 24;
		found += ip_eq(&list[i].addr.addr, &v6.addr) && list[i].flags & IFA_F_NODAD;
		assert_int_equal(list[i].index, e0);
	}
	assert_int_equal(found, 2);
	LAB_OK(nl_addr_delete(nl, e0, &v4, &e));
	LAB_OK(nl_addr_delete(nl, e0, &v4, &e));
	lab_same(host, "ip -4 -o addr show dev e0 | awk '{print $4}'", "10.1.1.1/32\n");
}

static void routes_replace_append_and_delete(void **state)
{
	struct nl_route r = {
		.dst = lab_net("0.0.0.0/0"), .gw = lab_addr("192.168.9.1"), .metric = 7};
	struct err e = {0};

	(void)state;
	lab(host,
	    "ip addr add 192.168.9.5/24 dev e0; ip route add default via 192.168.9.9 metric 7");
	r.oif = index_of("e0");
	assert_int_equal(nl_route_add(nl, &r, &e), -1);
	assert_int_equal(e.num, EEXIST);
	LAB_OK(nl_route_replace(nl, &r, &e));
	lab_same(host, "ip route show default | " LAB_TEXT,
		 "default via 192.168.9.1 dev e0 metric 7\n");
	r.gw = lab_addr("192.168.9.2");
	LAB_OK(nl_route_append(nl, &r, &e));
	lab_same(
		host, "ip route show default | " LAB_TEXT,
		"default via 192.168.9.1 dev e0 metric 7\ndefault via 192.168.9.2 dev e0 metric 7\n");
	LAB_OK(nl_route_delete(nl, &r, &e));
	LAB_OK(nl_route_delete(nl, &r, &e));
	lab_same(host, "ip route show default | " LAB_TEXT,
		 "default via 192.168.9.1 dev e0 metric 7\n");
}

/* What was listed can be put back, whatever it was: as the kernel's own message, and by its parts. */
static void a_listed_route_comes_back_exactly(void **state)
{
	static const char *const routes[] = {
		"default via 192.168.9.9 dev e0 onlink",
		"default via 10.255.0.1 dev e0 proto static metric 3 onlink",
		"default proto bird src 192.168.9.5 metric 9 mtu 1300 advmss 1000 via 192.168.9.1 dev e0",
		"default metric 11 nexthop via 192.168.9.2 dev e0 weight 2 onlink nexthop via 192.168.9.3 dev e0 weight 1",
		"default dev e0 scope link metric 12",
		"unreachable default metric 99",
		"10.77.0.0/16 via inet6 fd09::7 dev e0",
		"-6 default via fd09::1 dev e0 metric 1024",
		"10.78.0.0/16 via 192.168.9.1 dev e0 mtu lock 1400 hoplimit 9 initcwnd 20 initrwnd 30 window 9000 rto_min 7ms congctl reno realm 5",
		"-6 default via fe80::1 dev e0 metric 2000 mtu 1280",
		"-6 fd56::/48 from fd57::/48 via fe80::2 dev e0 metric 7 mtu 1380 hoplimit 9 pref high",
		"-6 fd55::/48 metric 5 nexthop via fd09::2 dev e0 nexthop via fd09::3 dev e0",
	};
	AUTO(free) char *before = NULL;
	AUTO(free) struct nl_route *list = NULL;
	struct err e = {0};
	size_t n = 0, i;

	(void)state;
	lab(host, "ip addr add 192.168.9.5/24 dev e0; ip addr add fd09::5/64 nodad dev e0");
	for (i = 0; i < ARRAY_SIZE(routes); i++)
		lab(host, "ip %s route add %s", routes[i][0] == '-' ? "-6" : "",
		    routes[i] + (routes[i][0] == '-' ? 3 : 0));
	before = lab_output(host, "ip -4 route; ip -6 route");
	LAB_OK(nl_route_list(nl, RT_TABLE_MAIN, &list, &n, &e));
	for (i = 0; i < n; i++) {
		assert_int_equal(list[i].table, RT_TABLE_MAIN);
		if (list[i].protocol != RTPROT_KERNEL)
			LAB_OK(nl_route_delete(nl, &list[i], &e));
	}
	lab_same(host, "ip -4 route | " LAB_TEXT,
		 "192.168.9.0/24 dev e0 proto kernel scope link src 192.168.9.5\n");
	for (i = 0; i < n; i++) {
		if (list[i].protocol != RTPROT_KERNEL)
			LAB_OK(nl_route_replace(nl, &list[i], &e));
	}
	lab_same(host, "ip -4 route; ip -6 route", before);
	for (i = 0; i < n; i++) {
		if (list[i].protocol == RTPROT_KERNEL)
			continue;
		LAB_OK(nl_route_delete(nl, &list[i], &e));
		list[i].raw_len = 0;
	}
	for (i = 0; i < n; i++) {
		if (list[i].protocol != RTPROT_KERNEL)
			LAB_OK(nl_route_replace(nl, &list[i], &e));
	}
	lab_same(host, "ip -4 route; ip -6 route", before);
}

/* What the kernel shows of a route beside its parts, in words; on which link several next hops are. */
static void a_route_s_attributes_are_told(void **state)
{
	static const struct {
		const char *route, *more;
	} told[] = {
		{"10.78.0.0/16 via 192.168.9.1 dev e0 mtu lock 1400 hoplimit 9 advmss 1000",
		 " mtu lock 1400 advmss 1000 hoplimit 9"},
		{"10.79.0.0/16 nexthop via 192.168.9.2 dev e0 weight 2 nexthop via 192.168.9.3 dev e0",
		 " nexthop via 192.168.9.2 weight 2 nexthop via 192.168.9.3 weight 1"},
		{"fd56::/48 via fe80::2 dev e0 mtu 1380", " mtu 1380"},
		{"fd57::/48 via fe80::2 dev e0 pref low", " attribute20 03"},
		{"fd58::/48 via fe80::2 dev e0", ""},
	};
	struct err e = {0};
	size_t i;

	(void)state;
	lab(host, "ip addr add 192.168.9.5/24 dev e0");
	for (i = 0; i < ARRAY_SIZE(told); i++) {
		AUTO(free) struct nl_route *list = NULL;
		AUTO(sb_done) struct sb text = SB_INIT;
		size_t n = 0, k;

		lab(host, "ip route add table 77 %s", told[i].route);
		LAB_OK(nl_route_list(nl, 77, &list, &n, &e));
		for (k = 0; k < n; k++) {
			nl_route_format_more(&list[k], &text);
			assert_int_equal(list[k].oif, (int)if_nametoindex("e0"));
		}
		lab(host, "ip route del table 77 %s", told[i].route);
		assert_int_equal(n, 1);
		assert_string_equal(sb_get(&text), told[i].more);
	}
}

static bool same_rule(const struct nl_rule *a, const struct nl_rule *b)
{
	return a->family == b->family && a->preference == b->preference && a->table == b->table &&
	       ip_net_eq(&a->from, &b->from);
}

static void tables_and_rules(void **state)
{
	struct nl_rule a = {.family = AF_INET,
			    .preference = 1000,
			    .from = lab_net("10.42.0.9/32"),
			    .table = 2000};
	struct nl_rule b = {.family = AF_INET6,
			    .preference = 1001,
			    .from = lab_net("fd42::9/128"),
			    .table = 2001};
	struct nl_route r = {.dst = lab_net("10.0.0.0/8"), .table = 2000, .scope = RT_SCOPE_LINK};
	AUTO(free) struct nl_rule *rules = NULL;
	AUTO(free) struct nl_route *list = NULL;
	struct err e = {0};
	size_t n = 0, i, found = 0;

	(void)state;
	r.oif = index_of("e0");
	LAB_OK(nl_rule_add(nl, &a, &e));
	LAB_OK(nl_rule_add(nl, &a, &e));
	LAB_OK(nl_rule_add(nl, &b, &e));
	LAB_OK(nl_route_replace(nl, &r, &e));
	lab_same(host, LAB_RULES,
		 "0: from all lookup local\n1000: from 10.42.0.9 lookup 2000\n"
		 "32766: from all lookup main\n32767: from all lookup default\n");
	lab_same(host, LAB_RULES6,
		 "0: from all lookup local\n1001: from fd42::9 lookup 2001\n"
		 "32766: from all lookup main\n");
	LAB_OK(nl_rule_list(nl, &rules, &n, &e));
	for (i = 0; i < n; i++)
		found += same_rule(&rules[i], &a) + same_rule(&rules[i], &b);
	assert_int_equal(found, 2);
	LAB_OK(nl_route_list(nl, 2000, &list, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].oif, r.oif);
	LAB_OK(nl_rule_delete(nl, &a, &e));
	LAB_OK(nl_rule_delete(nl, &a, &e));
	LAB_OK(nl_rule_delete(nl, &b, &e));
	lab_same(host, LAB_RULES, LAB_PLAIN_RULES);
	lab_same(host, LAB_RULES6, LAB_PLAIN_RULES6);
}

/* Of that link, of either family, and none that the kernel has found out. */
static void lists_neighbours(int e0, const struct ip_addr *a, const struct mac_addr *m)
{
	AUTO(free) struct nl_neigh *v = NULL;
	struct ip_addr six = lab_addr("fd09::7");
	struct err e = {0};
	size_t n = 0;
	int i4;

	lab(host, "ip neigh add 192.168.9.9 dev e0 lladdr 02:00:00:00:00:09 nud stale;"
		  "ip link add e9 type bridge; ip link set e9 up;"
		  "ip neigh add 192.168.9.7 dev e9 lladdr 02:00:00:00:00:0a nud permanent");
	LAB_OK(nl_neigh_set(nl, e0, &six, m, &e));
	LAB_OK(nl_neigh_list(nl, e0, &v, &n, &e));
	assert_int_equal(n, 2);
	i4 = ip_eq(&v[0].addr, a) ? 0 : 1;
	assert_true(ip_eq(&v[i4].addr, a) && mac_eq(&v[i4].mac, m));
	assert_true(ip_eq(&v[!i4].addr, &six) && mac_eq(&v[!i4].mac, m));
	LAB_OK(nl_neigh_delete(nl, e0, &six, &e));
	lab(host, "ip link del e9; ip neigh flush dev e0");
}

static void neighbours(void **state)
{
	struct ip_addr a = lab_addr("192.168.9.7");
	struct mac_addr m = lab_mac("02:00:00:00:00:07");
	struct err e = {0};
	int e0 = index_of("e0");

	(void)state;
	LAB_OK(nl_neigh_set(nl, e0, &a, &m, &e));
	m.b[5] = 8;
	LAB_OK(nl_neigh_set(nl, e0, &a, &m, &e));
	lab_same(host, "ip neigh show to 192.168.9.7 | " LAB_TEXT,
		 "192.168.9.7 dev e0 lladdr 02:00:00:00:00:08 PERMANENT\n");
	lists_neighbours(e0, &a, &m);
	LAB_OK(nl_neigh_delete(nl, e0, &a, &e));
	LAB_OK(nl_neigh_delete(nl, e0, &a, &e));
	lab_same(host, "ip neigh show to 192.168.9.7", "");
}

static int open_watch(void *ctx, struct err *e)
{
	return nl_watch_links(ctx, e);
}

static bool is_told(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* How often the carrier came and went shows what nobody was looking at. */
static void links_are_watched(void **state)
{
	AUTO(fd) int fd = -1;
	struct nl_link before = {0}, after = {0};
	struct err e = {0};

	(void)state;
	lab(host, "ip link add w0 type veth peer name w1; ip link set w0 up; ip link set w1 up");
	LAB_OK(netns_call(host, open_watch, &fd, &e));
	nl_watch_drain(fd);
	assert_int_equal(nl_link_find(nl, "w0", &before, &e), 1);
	lab(host, "ip addr add 192.168.77.1/24 dev w0");
	lab(host, "ip link set w1 down; ip link set w1 up");
	assert_true(is_told(fd, 5000));
	assert_int_equal(nl_link_find(nl, "w0", &after, &e), 1);
	assert_true(after.carrier);
	assert_int_equal(after.carrier_changes, before.carrier_changes + 2);
	lab(host, "ip link del w0");
	assert_true(is_told(fd, 5000));
	/* What comes late comes within that time. */
	while (is_told(fd, 500))
		nl_watch_drain(fd);
	lab(host,
	    "ip neigh add 192.168.9.9 dev e0 lladdr 02:00:00:00:00:09; ip neigh flush dev e0");
	assert_false(is_told(fd, 100));
}

static atomic_bool stop;
static long churn_ns;

/* Takes an address in front of the others away and back. */
static void *churn(void *arg)
{
	struct ip_net a = {{AF_INET, {172, 16, 0, 1}}, 16};
	struct timespec pause = {.tv_nsec = churn_ns};
	struct nl *own = NULL;
	struct err e = {0};

	if (nl_open(&own, &e) < 0)
		return (void *)1;
	while (!stop && nl_addr_add(own, *(int *)arg, &a, 0, &e) == 0 &&
	       nl_addr_delete(own, *(int *)arg, &a, &e) == 0)
		ppoll(NULL, 0, &pause, NULL);
	nl_close(own);
	return e.kind ? (void *)1 : NULL;
}

/* On a slow machine and with sanitizers a dump takes long: were the changes as many as elsewhere, none would get
 * through. A change in each of some dumps it is, at most a few hundred a second. */
static long one_dump_ns(int e0)
{
	AUTO(free) struct nl_addr *list = NULL;
	struct timespec a, b;
	struct err e = {0};
	size_t n = 0;
	long ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	LAB_OK(nl_addr_list(nl, e0, &list, &n, &e));
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
	ns = 2 * ns > 3000000 ? 2 * ns : 3000000;
	return ns < 500000000 ? ns : 500000000;
}

/*
 * The kernel goes on in a dump by counting: an address that left in front of the mark makes it pass
 * over one that stays, and it says so in a flag.
 */
static void dumps_survive_changes(void **state)
{
	struct ip_net fixed = lab_net("10.100.0.0/16");
	struct err e = {0};
	pthread_t t;
	void *rc;
	int i, e0 = index_of("e0");

	(void)state;
	for (i = 0; i < 1500; i++) {
		fixed.addr.b[2] = (uint8_t)(i / 250);
		fixed.addr.b[3] = (uint8_t)(i % 250 + 1);
		LAB_OK(nl_addr_add(nl, e0, &fixed, 0, &e));
	}
	churn_ns = one_dump_ns(e0);
	assert_int_equal(pthread_create(&t, NULL, churn, &e0), 0);
	for (i = 0; i < 300; i++) {
		AUTO(free) struct nl_addr *list = NULL;
		size_t n = 0, j, seen = 0;

		LAB_OK(nl_addr_list(nl, e0, &list, &n, &e));
		for (j = 0; j < n; j++)
			seen += list[j].addr.addr.b[0] == 10;
		assert_int_equal(seen, 1500);
	}
	stop = true;
	assert_int_equal(pthread_join(t, &rc), 0);
	assert_null(rc);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		T(links_are_described),
		T(macvlan_is_born_in_its_namespace),
		T(the_kernel_s_own_words_come_through),
		T(a_request_that_does_not_fit_is_not_sent),
		T(addresses),
		T(routes_replace_append_and_delete),
		T(a_listed_route_comes_back_exactly),
		T(a_route_s_attributes_are_told),
		T(tables_and_rules),
		T(neighbours),
		T(links_are_watched),
		T(dumps_survive_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
