/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/apply.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "macvlan/world_test.h"

static struct ip_net service, cluster;

static struct macvlan_card gateway_card(void)
{
	struct macvlan_card c = world_card("192.168.120.2/24", "192.168.120.1");

	service = lab_net("10.43.0.0/16");
	cluster = lab_net("10.42.0.0/16");
	c.default_gateway = true;
	c.service_cidrs = (struct macvlan_nets){&service, 1};
	c.cluster_cidrs = (struct macvlan_nets){&cluster, 1};
	return c;
}

/* ------------------------------------------------------------------ the pictures */

static void picture_a(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_route r = {.dst = lab_net("172.16.18.0/24")};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	c.routes = &r;
	c.n_routes = 1;
	l = world_attach(&c);
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.9\n"
		 "172.16.18.0/24 via 192.168.100.1 dev eth1\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 10.42.0.1 dev eth0\n");
	lab_same(world.pod, "ip -4 -o addr show dev eth1 | awk '{print $2,$3,$4}'",
		 "eth1 inet 192.168.100.50/24\n");
	lab_same(world.pod, LAB_RULES,
		 "0: from all lookup local\n1000: from 10.42.0.9 lookup 2000\n"
		 "1001: from 192.168.100.50 lookup 2001\n"
		 "32766: from all lookup main\n32767: from all lookup default\n");
	lab_same(
		world.pod, LAB_TABLE("2000"),
		"10.42.0.0/24 dev eth0 scope link src 10.42.0.9\ndefault via 10.42.0.1 dev eth0\n");
	lab_same(world.pod, LAB_TABLE("2001"),
		 "172.16.18.0/24 via 192.168.100.1 dev eth1\n"
		 "192.168.100.0/24 dev eth1 scope link src 192.168.100.50\n"
		 "default via 192.168.100.1 dev eth1\n");
}

static void picture_b(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = gateway_card();

	(void)state;
	world_primary(world.pod, "10.42.0.18/24", FLANNEL_ROUTES);
	l = world_attach(&c);
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.18\n"
		 "10.43.0.0/16 via 10.42.0.1 dev eth0\n"
		 "192.168.120.0/24 dev eth1 scope link src 192.168.120.2\n"
		 "default via 192.168.120.1 dev eth1\n");
	/* The kernel follows them: services by eth0, the world by eth1, answers by their card. */
	lab_same(world.pod, "ip -o route get 10.43.0.10 | sed 's/ uid.*//'",
		 "10.43.0.10 via 10.42.0.1 dev eth0 src 10.42.0.18\n");
	lab_same(world.pod, "ip -o route get 8.8.8.8 | sed 's/ uid.*//'",
		 "8.8.8.8 via 192.168.120.1 dev eth1 src 192.168.120.2\n");
	lab_same(world.pod, "ip -o route get 8.8.8.8 from 10.42.0.18 | sed 's/ uid.*//'",
		 "8.8.8.8 from 10.42.0.18 via 10.42.0.1 dev eth0 table 2000\n");
}

static void picture_c(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.22.3/24", "192.168.22.1");
	struct macvlan_route r = {.dst = lab_net("0.0.0.0/0"),
				  .gw = lab_addr("192.168.22.1"),
				  .iface = MACVLAN_IFACE_PRIMARY};

	(void)state;
	/* The node has an eth0 of its own, as nodes do. */
	lab(-1, "ip link add eth0 type bridge");
	memcpy(c.ifname, "eth0", 5);
	c.single = true;
	c.routes = &r;
	c.n_routes = 1;
	l = world_attach(&c);
	lab_same(world.pod, LAB_LINKS, "lo\neth0\n");
	lab_same(world.pod, LAB_ROUTES,
		 "192.168.22.0/24 dev eth0 scope link src 192.168.22.3\n"
		 "default via 192.168.22.1 dev eth0\n");
	lab_same(world.pod, LAB_RULES, LAB_PLAIN_RULES);
}

static void dual_stack_gateway(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(free) char *before = NULL;
	struct macvlan_card c = gateway_card();
	struct ip_net services[] = {lab_net("10.43.0.0/16"), lab_net("fd43::/112")};
	struct err e = {0};

	(void)state;
	world_primary(world.pod, "10.42.0.18/24",
		      FLANNEL_ROUTES "; ip addr add fd42::18/64 nodad dev eth0;"
				     "ip -6 route add default via fd42::1;"
				     "ip -6 route add default via fd42::7 metric 2048");
	before = lab_output(world.pod, LAB_STATE);
	c.addr6 = lab_net("fd78::2/64");
	c.gateway6 = lab_addr("fd78::1");
	c.service_cidrs = (struct macvlan_nets){services, 2};
	l = world_attach(&c);
	lab_same(world.pod, LAB_ROUTES6 " | grep -v ^fe80",
		 "default via fd78::1 dev eth1 metric 1024\n"
		 "fd42::/64 dev eth0 metric 256\n"
		 "fd43::/112 via fd42::1 dev eth0 metric 1024\n"
		 "fd78::/64 dev eth1 metric 256\n");
	lab_same(world.pod, LAB_RULES6,
		 "0: from all lookup local\n1000: from fd42::18 lookup 2000\n"
		 "1001: from fd78::2 lookup 2001\n32766: from all lookup main\n");
	lab_same(world.pod, LAB_TABLE6("2000") " | grep -v ^fe80",
		 "default via fd42::1 dev eth0 metric 1024\n"
		 "default via fd42::7 dev eth0 metric 2048\nfd42::/64 dev eth0 metric 256\n");
	lab_same(world.pod, LAB_TABLE6("2001") " | grep -v ^fe80",
		 "default via fd78::1 dev eth1 metric 1024\nfd78::/64 dev eth1 metric 256\n");
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_STATE, before);
}

/* ------------------------------------------------------------------ settings of the card */

#define CONF(f) " /proc/sys/net/" f

static void the_card_is_locked_down(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct mac_addr mac;

	(void)state;
	lab(world.pod, "echo 1 >/proc/sys/net/ipv4/ip_forward");
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	c.mtu = 1400;
	l = world_attach(&c);
	lab_same(world.pod,
		 "cat" CONF("ipv4/conf/eth1/forwarding") CONF("ipv4/conf/eth1/arp_ignore")
			 CONF("ipv4/conf/eth1/arp_announce") CONF("ipv4/conf/eth1/arp_notify")
				 CONF("ipv6/conf/eth1/accept_ra") CONF("ipv6/conf/eth1/autoconf")
					 CONF("ipv6/conf/eth1/disable_ipv6")
						 CONF("ipv4/conf/eth0/forwarding")
							 CONF("ipv4/conf/eth0/arp_ignore"),
		 "0\n1\n2\n1\n0\n0\n1\n1\n0\n");
	lab_same(
		world.pod,
		"ip -o -d link show eth1 | grep -o '^[0-9]*: eth1@[^ ]* <[^>]*> mtu 1400\\|mode [a-z]* ' | sed 's/.*> //'",
		"mtu 1400\nmode bridge \n");
	lab_same(
		world.pod,
		"cat /sys/class/net/eth1/address 2>/dev/null || ip -o link show eth1 | grep -o 'link/ether [^ ]*' | cut -d' ' -f2",
		"e6:56:1c:96:94:09\n");
	mac = macvlan_link_mac(l);
	assert_true(mac_eq(&mac, &c.mac));
	assert_int_equal(macvlan_link_mtu(l), 1400);
	assert_true(macvlan_link_index(l) > 1);
}

/* A primary's sysctl for "all" reaches the card that is there already. */
static void the_primary_cannot_unlock_it(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct err e = {0};

	(void)state;
	LAB_OK(macvlan_create(&c, world.pod, soon(1000), &l, &e));
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	lab(world.pod, "echo 1 >/proc/sys/net/ipv4/ip_forward;"
		       "echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
	LAB_OK(macvlan_configure(l, &c, soon(1000), &e));
	lab_same(world.pod,
		 "cat" CONF("ipv4/conf/eth1/forwarding") CONF("ipv6/conf/eth1/disable_ipv6"),
		 "0\n1\n");
	lab_same(world.pod, "ip -6 route show dev eth1", "");
}

static void modes_reach_the_kernel(void **state)
{
	static const char *const want[] = {"bridge", "private", "vepa", "passthru"};
	enum nl_mode mode;

	(void)state;
	for (mode = NL_MODE_BRIDGE; mode <= NL_MODE_PASSTHRU; mode++) {
		AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
		AUTO(free) char *parent = NULL;
		struct macvlan_card c = world_card("192.168.22.3/24", "192.168.22.1");
		char line[32], text[MAC_ADDR_LEN + 1];
		struct err e = {0};
		struct mac_addr mac;

		c.single = true;
		c.mode = mode;
		LAB_OK(macvlan_create(&c, world.pod, soon(1000), &l, &e));
		snprintf(line, sizeof(line), "mode %s \n", want[mode]);
		lab_same(world.pod, "ip -o -d link show type macvlan | grep -o 'mode [a-z]* '",
			 line);
		mac = macvlan_link_mac(l);
		parent = lab_output(-1, "ip -o link show ens4 | sed 's/.*ether //; s/ .*//'");
		mac_format(&mac, text);
		text[MAC_ADDR_LEN - 1] = '\n';
		text[MAC_ADDR_LEN] = '\0';
		if (mode == NL_MODE_PASSTHRU)
			assert_string_equal(text, parent);
		else
			assert_true(mac_eq(&mac, &c.mac));
		LAB_OK(macvlan_rollback(l, &e));
	}
}

static void before_phase_two_nothing_shows(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct err e = {0};

	(void)state;
	LAB_OK(macvlan_create(&c, world.pod, soon(1000), &l, &e));
	lab_same(world.pod, LAB_LINKS " | sed 's/[0-9a-f]\\{8\\}$/X/'", "lo\ntdmX\n");
	lab_same(world.pod, "ip -o link show up | wc -l; ip -4 -o addr show scope global", "1\n");
	assert_int_equal(macvlan_configure(l, &c, soon(100), &e), -1);
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_string_equal(e.msg, "the primary plugin made no link eth0");
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_LINKS, "lo\n");
}

/* ------------------------------------------------------------------ refusals and rollback */

static void refused(const struct macvlan_card *c, enum err_kind kind, const char *msg)
{
	struct macvlan_link *l = NULL;
	struct err e = {0};

	assert_int_equal(macvlan_create(c, world.pod, soon(1000), &l, &e), -1);
	assert_string_equal(e.msg, msg);
	assert_int_equal(e.kind, kind);
	assert_null(l);
}

static void a_taken_name_is_refused(void **state)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct err e = {0};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	LAB_OK(macvlan_create(&c, world.pod, soon(1000), &l, &e));
	lab(world.pod, "ip link add eth1 type bridge");
	refused(&c, ERR_CONFLICT, "the pod already has a link eth1 (bridge)");
	/* The primary itself made it in the meantime. */
	assert_int_equal(macvlan_configure(l, &c, soon(100), &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_string_equal(e.msg, "up eth1: the pod already has a link eth1");
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\neth1\n");
	memcpy(c.ifname, "a/b", 4);
	refused(&c, ERR_CONFIG, "\"a/b\" is not a name for a card");
}

/* The plan fails in the middle: all is as before, then the link goes. */
static void fails_at(const struct macvlan_card *c, const char *primary, const char *msg)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(free) char *before = NULL;
	AUTO(free) char *before_main = NULL;
	struct err e = {0};

	world_primary(world.pod, "10.42.0.18/24", primary);
	before = lab_output(world.pod, LAB_STATE);
	before_main = lab_output(world.pod, "ip route; ip rule; ip route show table 2000 2>&1");
	LAB_OK(macvlan_create(c, world.pod, soon(1000), &l, &e));
	assert_int_equal(macvlan_configure(l, c, soon(1000), &e), -1);
	assert_string_equal(e.msg, msg);
	/* Before the link goes, only its own connected route is there beside. */
	lab_same(world.pod,
		 "ip route | grep -v eth1; ip rule; ip route show table 2000 2>&1 | sed '/^$/d'",
		 before_main);
	err_clear(&e);
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_STATE, before);
}

static void an_invalid_custom_gateway_leaves_nothing(void **state)
{
	struct macvlan_card c = gateway_card();
	struct macvlan_route r[] = {
		{.dst = lab_net("172.16.18.0/24")},
		{.dst = lab_net("172.16.19.0/24"), .gw = lab_addr("127.0.0.1")},
	};

	(void)state;
	c.routes = r;
	c.n_routes = 2;
	/* Make the tables exist, so that "show" says nothing both before and after. */
	lab(world.pod, "ip route add 10.0.0.0/8 dev lo table 2000; ip route flush table 2000");
	fails_at(&c, FLANNEL_ROUTES,
		 "route 172.16.19.0/24 via 127.0.0.1 dev eth1 table 2001 onlink: "
		 "Nexthop has invalid gateway (Invalid argument)");
}

static void an_invalid_default_gateway_leaves_the_old_one(void **state)
{
	struct macvlan_card c = gateway_card();

	(void)state;
	lab(world.pod, "ip route add 10.0.0.0/8 dev lo table 2000; ip route flush table 2000");
	c.gateway = lab_addr("127.0.0.1");
	fails_at(&c, FLANNEL_ROUTES,
		 "route default via 127.0.0.1 dev eth1 table 2001 onlink: "
		 "Nexthop has invalid gateway (Invalid argument)");
}

static void rollback_restores(const char *cidr, const char *primary, const char *want)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(free) char *before = NULL;
	struct macvlan_card c = gateway_card();
	struct err e = {0};

	world_primary(world.pod, cidr, primary);
	before = lab_output(world.pod, LAB_STATE);
	l = world_attach(&c);
	lab_same(world.pod, LAB_ROUTES, want);
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_STATE, before);
}

static void rollback_calico(void **state)
{
	(void)state;
	rollback_restores("10.42.0.40/32", CALICO_ROUTES,
			  "10.42.0.0/16 via 169.254.1.1 dev eth0\n"
			  "10.43.0.0/16 via 169.254.1.1 dev eth0\n"
			  "169.254.1.1 dev eth0 scope link\n"
			  "192.168.120.0/24 dev eth1 scope link src 192.168.120.2\n"
			  "default via 192.168.120.1 dev eth1\n");
}

static void rollback_onlink_and_metrics(void **state)
{
	(void)state;
	rollback_restores(
		"10.42.0.40/32",
		"ip route add default via 169.254.1.1 dev eth0 onlink proto static mtu 1390 metric 50;"
		"ip route append default via 169.254.1.2 dev eth0 onlink metric 50;"
		"ip route add default via 169.254.1.1 dev eth0 onlink metric 100;"
		"ip route add default metric 200 nexthop via 169.254.1.3 dev eth0 onlink nexthop via 169.254.1.4 dev eth0 onlink",
		"10.42.0.0/16 via 169.254.1.1 dev eth0 onlink mtu 1390\n"
		"10.43.0.0/16 via 169.254.1.1 dev eth0 onlink mtu 1390\n"
		"192.168.120.0/24 dev eth1 scope link src 192.168.120.2\n"
		"default via 192.168.120.1 dev eth1 metric 50\n");
}

static void rollback_without_a_default(void **state)
{
	(void)state;
	rollback_restores("10.42.0.18/24", "ip route add 10.42.0.0/16 via 10.42.0.1",
			  "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
			  "10.42.0.0/24 dev eth0 scope link src 10.42.0.18\n"
			  "10.43.0.0/16 via 10.42.0.1 dev eth0\n"
			  "192.168.120.0/24 dev eth1 scope link src 192.168.120.2\n"
			  "default via 192.168.120.1 dev eth1\n");
}

static void rollback_scope_link_default(void **state)
{
	(void)state;
	rollback_restores("10.42.0.18/24", "ip route add default dev eth0 scope link",
			  "10.42.0.0/16 dev eth0 scope link\n"
			  "10.42.0.0/24 dev eth0 scope link src 10.42.0.18\n"
			  "10.43.0.0/16 dev eth0 scope link\n"
			  "192.168.120.0/24 dev eth1 scope link src 192.168.120.2\n"
			  "default via 192.168.120.1 dev eth1\n");
}

/* ------------------------------------------------------------------ a MAC that is still held */

static void *end_former_pod(void *arg)
{
	poll(NULL, 0, 40);
	close(*(int *)arg);
	return NULL;
}

static void a_held_mac_is_waited_for(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.22.3/24", "192.168.22.1");
	int former = lab_netns();
	struct err e = {0};
	pthread_t t;

	(void)state;
	lab(-1,
	    "ip link add link ens4 name old netns /proc/%d/fd/%d address e6:56:1c:96:94:09 "
	    "type macvlan mode bridge",
	    getpid(), former);
	lab(former, "ip link set old up");
	c.single = true;
	LAB_OK(macvlan_create(&c, world.pod, soon(1000), &l, &e));
	assert_int_equal(macvlan_configure(l, &c, soon(30), &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_string_equal(e.msg, "up eth1: MAC e6:56:1c:96:94:09 is still held on ens4, by a "
				   "former pod or ens4 itself");
	err_clear(&e);
	assert_int_equal(pthread_create(&t, NULL, end_former_pod, &former), 0);
	LAB_OK(macvlan_configure(l, &c, soon(5000), &e));
	assert_int_equal(pthread_join(t, NULL), 0);
	lab_same(world.pod, "ip -o link show up | awk -F'[ :@]+' '{print $2}'", "lo\neth1\n");
}

/* ------------------------------------------------------------------ many at once, and how fast */

struct parallel {
	int netns;
	int index;
	struct err e;
	int64_t us;
};

static void *attach_one(void *arg)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct parallel *p = arg;
	struct macvlan_card c = {
		.ifname = "eth0", .master = "ens4", .single = true, .default_gateway = true};
	int64_t start = clock_now_us();

	c.addr = (struct ip_net){{AF_INET, {192, 168, 22, (uint8_t)(100 + p->index)}}, 24};
	c.gateway = (struct ip_addr){AF_INET, {192, 168, 22, 1}};
	c.mac = (struct mac_addr){{2, 0, 0, 0, 1, (uint8_t)p->index}};
	if (macvlan_create(&c, p->netns, soon(5000), &l, &p->e) == 0)
		IGNORE(macvlan_configure(l, &c, soon(5000), &p->e), "looked at by the test");
	p->us = clock_now_us() - start;
	return NULL;
}

static void twenty_at_once(void **state)
{
	enum { N = 20 };
	struct parallel p[N] = {0};
	pthread_t t[N];
	int64_t start;
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		p[i].netns = lab_netns();
		p[i].index = i;
	}
	start = clock_now_us();
	for (i = 0; i < N; i++)
		assert_int_equal(pthread_create(&t[i], NULL, attach_one, &p[i]), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	print_message("20 cards at once: %lld us\n", (long long)(clock_now_us() - start));
	for (i = 0; i < N; i++) {
		char want[128];

		if (p[i].e.kind)
			fail_msg("%d: %s", i, p[i].e.msg);
		snprintf(want, sizeof(want),
			 "192.168.22.0/24 dev eth0 scope link src 192.168.22.%d\n"
			 "default via 192.168.22.1 dev eth0\n",
			 100 + i);
		lab_same(p[i].netns, LAB_ROUTES, want);
		close(p[i].netns);
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct parallel *)a)->us, y = ((const struct parallel *)b)->us;

	return (x > y) - (x < y);
}

static void one_takes_less_than_a_millisecond_or_so(void **state)
{
	enum { N = 31 };
	struct parallel p[N] = {0};
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		p[i].netns = lab_netns();
		p[i].index = i;
		attach_one(&p[i]);
		assert_int_equal(p[i].e.kind, ERR_NONE);
	}
	for (i = 0; i < N; i++)
		close(p[i].netns);
	qsort(p, N, sizeof(p[0]), by_time);
	print_message("create and configure: median %lld us, worst %lld us\n",
		      (long long)p[N / 2].us, (long long)p[N - 1].us);
	/* A loose bound: the machine may be busy. */
	assert_true(p[N / 2].us < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(picture_a),
		IN_WORLD(picture_b),
		IN_WORLD(picture_c),
		IN_WORLD(dual_stack_gateway),
		IN_WORLD(the_card_is_locked_down),
		IN_WORLD(the_primary_cannot_unlock_it),
		IN_WORLD(modes_reach_the_kernel),
		IN_WORLD(before_phase_two_nothing_shows),
		IN_WORLD(a_taken_name_is_refused),
		IN_WORLD(an_invalid_custom_gateway_leaves_nothing),
		IN_WORLD(an_invalid_default_gateway_leaves_the_old_one),
		IN_WORLD(rollback_calico),
		IN_WORLD(rollback_onlink_and_metrics),
		IN_WORLD(rollback_without_a_default),
		IN_WORLD(rollback_scope_link_default),
		IN_WORLD(a_held_mac_is_waited_for),
		IN_WORLD(twenty_at_once),
		IN_WORLD(one_takes_less_than_a_millisecond_or_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
