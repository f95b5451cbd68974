/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/announce.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/nl/nl.h"
#include "macvlan/world_test.h"

/* How many frames within ms are exactly this one. */
static int count_frames(int fd, const unsigned char *want, size_t len, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = clock_now_ms() + ms;
	int found = 0;

	while (poll(&p, 1, clock_left_ms(end)) > 0) {
		unsigned char buf[2048];
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n >= (ssize_t)len && !memcmp(buf, want, len))
			found++;
	}
	return found;
}

static const unsigned char arp[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe6, 0x56, 0x1c, 0x96,
	0x94, 0x09, 0x08, 0x06,                                   /* to all */
	0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,           /* request */
	0xe6, 0x56, 0x1c, 0x96, 0x94, 0x09, 192,  168,  100,  50, /* tell A */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192,  168,  100,  50, /* who has A */
};

static void gratuitous_arp_byte_for_byte(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(nl_close) struct nl *pod = NULL;
	AUTO(fd) int capture = -1;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct err e = {0};

	(void)state;
	c.single = true;
	LAB_OK(netns_call(world.lan, world_capture, &capture, &e));
	l = world_attach(&c);
	/* One by arp_notify when the card came up, one of ours. */
	assert_int_equal(count_frames(capture, arp, sizeof(arp), 100), 2);
	LAB_OK(nl_open_in(world.pod, &pod, &e));
	LAB_OK(macvlan_announce_arp(pod, macvlan_link_index(l), &c.addr.addr, &e));
	/* The kernel would ask again after a second: the entry is gone by then. */
	assert_int_equal(count_frames(capture, arp, sizeof(arp), 1300), 1);
	lab_same(world.pod, "ip neigh show to 192.168.100.50", "");
}

/* The same of a gateway that nobody has: until it is given up, that is, three times. */
static void asks_for_the_gateway_until_it_answers(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(macvlan_link_free) struct macvlan_link *other = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.254");
	unsigned char question[sizeof(arp)];
	AUTO(fd) int capture = -1;
	struct err e = {0};

	(void)state;
	c.single = true;
	memcpy(question, arp, sizeof(arp));
	question[sizeof(arp) - 1] = 254;
	LAB_OK(netns_call(world.lan, world_capture, &capture, &e));
	l = world_attach(&c);
	lab_same(world.pod,
		 "for i in $(seq 500); do ip neigh show to 192.168.100.254 | grep FAILED && exit; "
		 "sleep 0.02; done",
		 "192.168.100.254 dev eth1 FAILED \n");
	assert_int_equal(count_frames(capture, question, sizeof(arp), 100), 3);
	LAB_OK(macvlan_rollback(l, &e));
	/* One that answers is known at once. */
	c.gateway = lab_addr("192.168.100.1");
	other = world_attach(&c);
	lab_same(world.pod,
		 "for i in $(seq 500); do ip neigh show to 192.168.100.1 | grep -q lladdr && exit; "
		 "sleep 0.02; done; exit 1",
		 "");
}

static void neighbours_learn_the_new_mac(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");

	(void)state;
	c.single = true;
	c.addr6 = lab_net("fd78::50/64");
	lab(world.lan, "ip neigh add 192.168.100.50 lladdr 02:00:00:00:00:66 dev lan0 nud stale;"
		       "ip neigh add fd78::50 lladdr 02:00:00:00:00:66 dev lan0 nud stale");
	l = world_attach(&c);
	lab_same(
		world.lan,
		"for i in $(seq 100); do ip neigh show to fd78::50 | grep -q e6:56 && break; sleep 0.02; done;"
		"ip neigh show dev lan0 to 192.168.100.50 | awk '{print $3}';"
		"ip neigh show dev lan0 to fd78::50 | awk '{print $3}'",
		"e6:56:1c:96:94:09\ne6:56:1c:96:94:09\n");
}

/* Ethernet, IPv6 from the address to ff02::1 with hop limit 255, type 136, override, target, MAC. */
static void unsolicited_advertisement(void **state)
{
	static const unsigned char head[] = {0x33, 0x33, 0,    0,    0,    1,    0xe6,
					     0x56, 0x1c, 0x96, 0x94, 0x09, 0x86, 0xdd};
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(fd) int capture = -1;
	struct macvlan_card c = world_card("fd78::50/64", "fd78::1");
	struct pollfd p = {.events = POLLIN};
	int64_t end = soon(2000);
	struct err e = {0};
	int found = 0;

	(void)state;
	c.single = true;
	LAB_OK(netns_call(world.lan, world_capture, &capture, &e));
	l = world_attach(&c);
	p.fd = capture;
	while (!found && poll(&p, 1, clock_left_ms(end)) > 0) {
		unsigned char b[2048];
		ssize_t n = recv(capture, b, sizeof(b), 0);

		if (n < 86 || memcmp(b, head, sizeof(head)) != 0 || b[54] != 136)
			continue;
		assert_int_equal(b[18] << 8 | b[19], 32);
		assert_int_equal(b[21], 255);
		assert_memory_equal(b + 22, c.addr.addr.b, 16);
		assert_int_equal(b[58], 0x20);
		assert_memory_equal(b + 62, c.addr.addr.b, 16);
		assert_int_equal(b[78], 2);
		assert_int_equal(b[79], 1);
		assert_memory_equal(b + 80, c.mac.b, 6);
		found++;
	}
	assert_int_equal(found, 1);
}

/* Pod to LAN and back over the card, with the pod's own address as the peer sees it. */
static void the_card_carries_traffic(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.120.2/24", "192.168.120.1");
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)}, from = {0};
	socklen_t len = sizeof(from);
	AUTO(fd) int lan = -1;
	AUTO(fd) int pod = -1;
	char buf[8];
	struct pollfd p = {.events = POLLIN};

	(void)state;
	world_primary(world.pod, "10.42.0.18/24", FLANNEL_ROUTES);
	c.default_gateway = true;
	l = world_attach(&c);
	lab(world.lan, "ip addr add 172.16.18.5/32 dev lo");
	/* An address behind the gateway, so that the default route is what carries it. */
	assert_int_equal(setns(world.lan, CLONE_NEWNET), 0);
	lan = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(world.pod, CLONE_NEWNET), 0);
	pod = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(world.node, CLONE_NEWNET), 0);
	assert_int_equal(inet_pton(AF_INET, "172.16.18.5", &to.sin_addr), 1);
	assert_int_equal(bind(lan, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(sendto(pod, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	p.fd = lan;
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(recvfrom(lan, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	assert_string_equal(inet_ntoa(from.sin_addr), "192.168.120.2");
	assert_int_equal(sendto(lan, "world", 5, 0, (struct sockaddr *)&from, len), 5);
	p.fd = pod;
	assert_int_equal(poll(&p, 1, 2000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(gratuitous_arp_byte_for_byte),
		IN_WORLD(asks_for_the_gateway_until_it_answers),
		IN_WORLD(neighbours_learn_the_new_mac),
		IN_WORLD(unsolicited_advertisement),
		IN_WORLD(the_card_carries_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
