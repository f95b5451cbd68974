/* SPDX-License-Identifier: Apache-2.0 */
/* Who has the address? Against real neighbours: on the LAN, on the node, and cards of our own. */
#include "macvlan/detect.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <arpa/inet.h>

#include "macvlan/frame.h"
#include "macvlan/world_test.h"

#define MAC_A "e6:56:1c:96:94:09" /* the card's */

static struct macvlan_card asking_card(const char *cidr)
{
	struct macvlan_card c = world_card(cidr, strchr(cidr, ':') ? "fd78::1" : "192.168.100.1");

	c.single = true;
	c.detect = true;
	return c;
}

static struct macvlan_link *created(const struct macvlan_card *c)
{
	struct macvlan_link *l = NULL;
	struct err e = {0};

	LAB_OK(macvlan_create(c, world.pod, soon(5000), &l, &e));
	return l;
}

static int detect(struct macvlan_link *l, const struct macvlan_card *c, struct macvlan_rival *r)
{
	struct macvlan_patience p = {soon(5000), -1};
	struct err e = {0};
	int rc = macvlan_detect(l, c, &p, r, &e);

	if (rc < 0)
		fail_msg("%s", e.msg);
	return rc;
}

static char *mac_of(int netns, const char *dev)
{
	char cmd[100];
	char *out;

	snprintf(cmd, sizeof(cmd), "ip -o link show %s | sed 's/.*link.ether \\([^ ]*\\).*/\\1/'",
		 dev);
	out = lab_output(netns, cmd);
	out[strcspn(out, "\n")] = '\0';
	return out;
}

/* Somebody has it: that one, at that MAC. */
static void found(const struct macvlan_card *c, const char *addr, const char *mac, const char *link)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = created(c);
	struct macvlan_rival r = {0};
	char text[IP_ADDR_LEN], who[MAC_ADDR_LEN];
	int64_t end = soon(20000);
	struct err e = {0};
	int rc;

	/* An answer that comes too late on a machine at its limit comes in time to another question. */
	do
		rc = detect(l, c, &r);
	while (rc == 0 && clock_left_ms(end) > 0);
	assert_int_equal(rc, 1);
	assert_string_equal(ip_format(&r.addr, text), addr);
	assert_string_equal(mac_format(&r.mac, who), mac);
	assert_string_equal(r.link, link);
	LAB_OK(macvlan_rollback(l, &e));
	lab_same(world.pod, LAB_LINKS, "lo\n");
}

/* Nobody has it, and the card becomes what it would have become without the question. */
static void free_for_use(const struct macvlan_card *c, const char *addresses)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = created(c);
	struct macvlan_rival r = {0};
	struct err e = {0};

	assert_int_equal(detect(l, c, &r), 0);
	assert_false(ip_is_set(&r.addr));
	LAB_OK(macvlan_configure(l, c, soon(5000), &e));
	AUTO(free) char *mac = mac_of(world.pod, "eth1");

	assert_string_equal(mac, MAC_A);
	lab_same(world.pod, "ip -o addr show dev eth1 scope global | awk '{ print $4 }'",
		 addresses);
	assert_int_equal(macvlan_link_is_disguised(l), 0);
}

static void nobody_answers(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");

	(void)state;
	free_for_use(&c, "192.168.100.50/24\n");
	lab_same(world.lan, "ping -c 1 -W 5 -q 192.168.100.50 | grep -o '[01] received'",
		 "1 received\n");
}

static void nobody_answers_v6(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");

	(void)state;
	c.addr6 = lab_net("fd78::50/64");
	free_for_use(&c, "192.168.100.50/24\nfd78::50/64\n");
	lab_same(world.pod,
		 "for f in disable_ipv6 accept_ra autoconf; do cat "
		 "/proc/sys/net/ipv6/conf/eth1/$f; done",
		 "0\n0\n0\n");
	lab_same(world.lan, "ping -c 1 -W 5 -q fd78::50 | grep -o '[01] received'", "1 received\n");
}

static void a_machine_on_the_lan(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(free) char *mac = mac_of(world.lan, "lan0");

	(void)state;
	lab(world.lan, "ip addr add 192.168.100.50/24 dev lan0");
	found(&c, "192.168.100.50", mac, "");
	/* Of two families, whichever is taken. */
	c.addr = lab_net("192.168.100.51/24");
	c.addr6 = lab_net("fd78::50/64");
	lab(world.lan, "ip addr add fd78::50/64 nodad dev lan0");
	found(&c, "fd78::50", mac, "");
	c.addr6 = lab_net("fd78::51/64");
	free_for_use(&c, "192.168.100.51/24\nfd78::51/64\n");
}

static void the_node_itself(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(free) char *mac = mac_of(world.node, "ens4");

	(void)state;
	lab(world.node, "ip addr add 192.168.100.50/24 dev ens4");
	found(&c, "192.168.100.50", mac, "ens4");
	/* On whatever link: the NIC answers for it. One of a whole inner network would not come as far. */
	lab(world.node,
	    "ip addr add 10.77.0.1/32 dev cni0; ip addr add fd77::1/128 nodad dev cni0");
	c.addr = lab_net("10.77.0.1/24");
	found(&c, "10.77.0.1", mac, "cni0");
	c.addr = lab_net("fd77::1/64");
	found(&c, "fd77::1", mac, "cni0");
	c = asking_card("192.168.100.51/24");
	c.addr6 = lab_net("fd77::1/64");
	found(&c, "fd77::1", mac, "cni0");
	lab(world.node, "ip addr del 10.77.0.1/32 dev cni0; ip addr del fd77::1/128 dev cni0");
}

/* Linux does no proxy ARP for one who has no address. */
static void a_proxy_that_ignores_probes(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");

	(void)state;
	lab(world.lan,
	    "ip link add away type veth peer name away2; ip link set away up; ip link set away2 up;"
	    "ip route add default dev away; echo 1 >/proc/sys/net/ipv4/ip_forward;"
	    "ip route del 192.168.100.0/24 dev lan0; echo 1 >/proc/sys/net/ipv4/conf/lan0/proxy_arp;"
	    "echo 0 >/proc/sys/net/ipv4/neigh/lan0/proxy_delay");
	free_for_use(&c, "192.168.100.50/24\n");
}

/* A socket on lan0, and it stays a stranger to the kernel's own protocols. */
static int lan_socket(uint16_t protocol)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int fd;

	assert_int_equal(setns(world.lan, CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	ll.sll_ifindex = (int)if_nametoindex("lan0");
	assert_int_equal(bind(fd, (struct sockaddr *)&ll, sizeof(ll)), 0);
	assert_int_equal(setns(world.node, CLONE_NEWNET), 0);
	return fd;
}

/* Says "that is me" to every question there is. */
static void __attribute__((noreturn)) answer_all(int fd, const struct mac_addr *mac)
{
	unsigned char f[2048], reply[42];

	for (;;) {
		if (recv(fd, f, sizeof(f), 0) < 42 || f[21] != 1)
			continue;
		memcpy(reply, f + 6, 6);
		memcpy(reply + 6, mac->b, 6);
		memcpy(reply + 12, f + 12, 8);
		memcpy(reply + 20, "\0\2", 2);
		memcpy(reply + 22, mac->b, 6);
		memcpy(reply + 28, f + 38, 4);
		memcpy(reply + 32, f + 22, 10);
		if (send(fd, reply, sizeof(reply), 0) < 0)
			_exit(1);
	}
}

static void end_child(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGKILL);
}

static void a_router_that_answers_all(void **state)
{
	struct mac_addr router = lab_mac("0a:00:00:00:00:fe");
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(fd) int fd = lan_socket(ETH_P_ARP);
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		answer_all(fd, &router);
	found(&c, "192.168.100.50", "0a:00:00:00:00:fe", "");
	c.addr = lab_net("192.168.100.51/24");
	found(&c, "192.168.100.51", "0a:00:00:00:00:fe", "");
	end_child(pid);
}

/* ------------------------------------------------------------------ cards of our own */

/*
 * Another node on the same LAN, with a pod of its own: both nodes and the LAN machine on one switch, which is
 * a bridge in the LAN's namespace.
 */
static int second_node(void)
{
	int node = lab_netns();

	lab(world.lan, "ip link set lan0 down; ip link add sw0 type bridge mcast_snooping 0;"
		       "ip addr flush dev lan0; ip link set lan0 master sw0; ip link set sw0 up;"
		       "ip link set lan0 up; ip addr add 192.168.100.1/24 dev sw0");
	lab(world.lan,
	    "ip link add lan1 type veth peer name ens4 netns /proc/%d/fd/%d;"
	    "ip link set lan1 master sw0 up",
	    getpid(), node);
	lab(node, "ip link set lo up; ip link set ens4 up");
	/* A carrier that comes is told to the bridge within a second. */
	lab(world.lan,
	    "for i in $(seq 500); do [ $(bridge link | grep -c 'state forwarding') = 2 ] "
	    "&& exit; sleep 0.02; done; exit 1");
	return node;
}

/* A card with our final MAC and the address, of a former sandbox on that node. */
static int former_pod(int node)
{
	int pod = lab_netns();

	lab(node,
	    "ip link add card link ens4 address " MAC_A " type macvlan mode bridge;"
	    "ip link set card netns /proc/%d/fd/%d",
	    getpid(), pod);
	lab(pod, "ip addr add 192.168.100.50/24 dev card; ip addr add fd78::50/64 nodad dev card;"
		 "ip link set card up");
	return pod;
}

static void our_own_on_another_node(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(fd) int other = second_node();
	AUTO(fd) int former = former_pod(other);

	(void)state;
	(void)former;
	found(&c, "192.168.100.50", MAC_A, "");
	c = asking_card("fd78::50/64");
	found(&c, "fd78::50", MAC_A, "");
}

/* Still there, it is waited for; gone while we ask, it is no conflict. */
static void our_own_on_this_node(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	struct macvlan_patience p = {.cancel_fd = -1};
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(fd) int former = former_pod(world.node);
	struct macvlan_rival r = {0};
	int64_t end = soon(20000);
	struct err e = {0};

	(void)state;
	l = created(&c);
	do
		p.deadline_ms = soon(200);
	while (macvlan_detect(l, &c, &p, &r, &e) == 0 && clock_left_ms(end) > 0);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_non_null(strstr(e.msg, "MAC " MAC_A " and its address are still held on ens4"));
	LAB_OK(macvlan_rollback(l, &e));
	lab(former, "(sleep 0.3; ip link del card) >/dev/null 2>&1 &");
	free_for_use(&c, "192.168.100.50/24\n");
}

static void __attribute__((noreturn)) ask_for_ever(int fd, const unsigned char *frame, size_t n)
{
	while (send(fd, frame, n, 0) >= 0)
		poll(NULL, 0, 5);
	_exit(1);
}

/* Two that ask at the same moment: neither takes it. */
static void a_rival_asks(void **state)
{
	static const char *const cidrs[] = {"192.168.100.50/24", "fd78::50/64"};
	struct mac_addr rival = lab_mac("0a:00:00:00:00:77");
	AUTO(fd) int fd = lan_socket(ETH_P_LOOP);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct macvlan_card c = asking_card(cidrs[i]);
		unsigned char frame[FRAME_PROBE_MAX];
		size_t n = frame_probe(&c.addr.addr, &rival, frame);
		char text[IP_ADDR_LEN];
		pid_t pid = fork();

		if (pid == 0)
			ask_for_ever(fd, frame, n);
		found(&c, ip_format(&c.addr.addr, text), "0a:00:00:00:00:77", "");
		end_child(pid);
	}
}

/* ------------------------------------------------------------------ what is seen, and what it costs */

struct frames {
	int arp, nd;  /* probes, under the first MAC */
	int all;      /* under the final one, */
	int garp, na; /* and of those */
};

/* What comes from the card within ms, under its first MAC and its final one. */
static void count(int fd, const struct mac_addr *first, const struct mac_addr *final,
		  struct frames *out)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = soon(400);

	while (poll(&p, 1, clock_left_ms(end)) > 0) {
		unsigned char f[2048];
		ssize_t n = recv(fd, f, sizeof(f), 0);

		if (n >= 14 && !memcmp(f + 6, final->b, 6)) {
			out->all++;
			out->garp += f[12] == 8 && f[13] == 6 && !memcmp(f + 28, f + 38, 4);
			out->na += f[12] == 0x86 && f[54] == 136;
		}
		if (n < 14 || memcmp(f + 6, first->b, 6) != 0)
			continue;
		if (n == 42 && f[12] == 8 && f[13] == 6)
			out->arp++;
		else if (n == FRAME_PROBE_MAX && f[12] == 0x86 && f[54] == 135)
			out->nd++;
		else
			fail_msg("a frame of type %02x%02x, %zd bytes", f[12], f[13], n);
	}
}

/* The probes, and nothing else under a MAC that is not to stay: switches and neighbours learn from frames. */
static void nothing_else_is_sent(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct mac_addr first;
	AUTO(fd) int fd = lan_socket(ETH_P_ALL);
	struct macvlan_rival r = {0};
	struct frames seen = {0};
	struct err e = {0};

	(void)state;
	c.addr6 = lab_net("fd78::50/64");
	l = created(&c);
	first = macvlan_link_mac(l);
	assert_true(macvlan_link_is_disguised(l));
	assert_int_equal(first.b[0] & 3, 2);
	assert_int_equal(detect(l, &c, &r), 0);
	/* Time for whatever the kernel does a while after a link has come up. */
	count(fd, &first, &c.mac, &seen);
	assert_int_equal(seen.all, 0);
	LAB_OK(macvlan_configure(l, &c, soon(5000), &e));
	count(fd, &first, &c.mac, &seen);
	/* More than that on an overloaded machine. */
	assert_in_range(seen.arp, 2, 8);
	assert_in_range(seen.nd, 2, 8);
	/* The kernel announces nothing that comes to a card that is up: these are ours. */
	assert_int_equal(seen.garp, 1);
	assert_int_equal(seen.na, 1);
}

/* Cards of one node ask one after the other under one MAC, which another parent's cards do not have. */
static void all_ask_with_one_mac(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24"), other = c;
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(macvlan_link_free) struct macvlan_link *second = NULL;
	AUTO(macvlan_link_free) struct macvlan_link *elsewhere = NULL;
	struct macvlan_patience p = {soon(100), -1};
	struct macvlan_rival r = {0};
	struct mac_addr a, b;
	struct err e = {0};

	(void)state;
	lab(-1,
	    "ip link add ens5 type veth peer name lan5; ip link set ens5 up; ip link set lan5 up");
	l = created(&c);
	snprintf(other.ifname, sizeof(other.ifname), "eth2");
	other.mac = lab_mac("e6:56:1c:96:94:10");
	other.addr = lab_net("192.168.100.51/24");
	second = created(&other);
	a = macvlan_link_mac(l);
	b = macvlan_link_mac(second);
	assert_true(mac_eq(&a, &b));
	snprintf(other.ifname, sizeof(other.ifname), "eth3");
	snprintf(other.master, sizeof(other.master), "ens5");
	elsewhere = created(&other);
	b = macvlan_link_mac(elsewhere);
	assert_false(mac_eq(&a, &b));
	snprintf(other.ifname, sizeof(other.ifname), "eth2");
	LAB_OK(macvlan_link_raise(l, &c, soon(5000), &e));
	assert_int_equal(macvlan_detect(second, &other, &p, &r, &e), -1);
	assert_int_equal(e.kind, ERR_AGAIN);
	assert_non_null(strstr(e.msg, "is still held on ens4, by another pod's question"));
	err_clear(&e);
	/* Through with its question it makes room, before its primary is through. */
	assert_int_equal(detect(l, &c, &r), 0);
	a = macvlan_link_mac(l);
	assert_true(mac_eq(&a, &c.mac));
	assert_int_equal(detect(second, &other, &r), 0);
	LAB_OK(macvlan_rollback(elsewhere, &e));
	LAB_OK(macvlan_rollback(second, &e));
	LAB_OK(macvlan_rollback(l, &e));
}

static void stops_on_request(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(macvlan_link_free) struct macvlan_link *l = created(&c);
	struct macvlan_patience p = {soon(5000), -1};
	struct macvlan_rival r = {0};
	struct err e = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	p.cancel_fd = ends[0];
	assert_int_equal(macvlan_detect(l, &c, &p, &r, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	close(ends[0]);
	LAB_OK(macvlan_rollback(l, &e));
}

/* The parent's MAC in passthru: nothing is set that is not the card's. */
static void passthru_keeps_the_parents_mac(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	AUTO(free) char *before = mac_of(world.node, "ens4");
	AUTO(free) char *lan = mac_of(world.lan, "lan0");
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_rival r = {0};
	struct err e = {0};

	(void)state;
	c.mode = NL_MODE_PASSTHRU;
	l = created(&c);
	assert_int_equal(detect(l, &c, &r), 0);
	LAB_OK(macvlan_configure(l, &c, soon(5000), &e));
	AUTO(free) char *after = mac_of(world.node, "ens4");
	assert_string_equal(after, before);
	LAB_OK(macvlan_rollback(l, &e));
	lab(world.lan, "ip addr add 192.168.100.50/24 dev lan0");
	macvlan_link_free(STEAL(l));
	found(&c, "192.168.100.50", lan, "");
}

/* A namespace whose card was asked with is not held by it for longer than the kernel's grace period. */
static void the_namespace_can_go(void **state)
{
	struct macvlan_card c = asking_card("192.168.100.50/24");
	struct macvlan_rival r = {0};
	int64_t end = soon(10000);

	(void)state;
	{
		AUTO(macvlan_link_free) struct macvlan_link *l = created(&c);

		assert_int_equal(detect(l, &c, &r), 0);
	}
	close(world.pod);
	world.pod = lab_netns();
	/* With the last reference the card goes, and the NIC could be a bridge's port again. */
	for (;;) {
		AUTO(free)
		char *out = lab_output(
			-1, "ip link add t0 type bridge; ip link set ens4 master t0 && echo free;"
			    "ip link del t0; true");

		if (strstr(out, "free"))
			break;
		assert_true(clock_left_ms(end) > 0);
		poll(NULL, 0, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(nobody_answers),
		IN_WORLD(nobody_answers_v6),
		IN_WORLD(a_machine_on_the_lan),
		IN_WORLD(the_node_itself),
		IN_WORLD(a_proxy_that_ignores_probes),
		IN_WORLD(a_router_that_answers_all),
		IN_WORLD(our_own_on_another_node),
		IN_WORLD(our_own_on_this_node),
		IN_WORLD(a_rival_asks),
		IN_WORLD(nothing_else_is_sent),
		IN_WORLD(all_ask_with_one_mac),
		IN_WORLD(stops_on_request),
		IN_WORLD(passthru_keeps_the_parents_mac),
		IN_WORLD(the_namespace_can_go),
	};

	return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
