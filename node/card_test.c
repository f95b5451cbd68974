/* SPDX-License-Identifier: Apache-2.0 */
#include "node/card.h"

#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "macvlan/world_test.h"

static int capture;
static char path[64];

static int setup(void **state)
{
	struct err e = {0};

	if (world_setup(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", world.pod);
	return netns_call(world.lan, world_capture, &capture, &e);
}

static int teardown(void **state)
{
	close(capture);
	return world_teardown(state);
}

/* Announcements that came within ms: "who has A, tell A" to all, and advertisements to all nodes with override. */
struct heard {
	int arp, na;
};

static struct heard listen_ms(int ms)
{
	static const unsigned char all_nodes[] = {0x33, 0x33, 0, 0, 0, 1};
	struct pollfd p = {.fd = capture, .events = POLLIN};
	int64_t end = soon(ms);
	struct heard h = {0};

	while (poll(&p, 1, clock_left_ms(end)) > 0) {
		unsigned char b[2048];
		ssize_t n = recv(capture, b, sizeof(b), 0);

		if (n >= 42 && b[0] == 0xff && b[12] == 8 && b[13] == 6 && b[21] == 1 &&
		    !memcmp(b + 28, b + 38, 4))
			h.arp++;
		if (n >= 86 && !memcmp(b, all_nodes, 6) && b[54] == 136 && b[58] == 0x20)
			h.na++;
	}
	return h;
}

static void heard(int arp, int na)
{
	struct heard h = listen_ms(200);

	assert_int_equal(h.arp, arp);
	assert_int_equal(h.na, na);
}

static struct macvlan_link *attach(void)
{
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_link *l;

	c.single = true;
	c.addr6 = lab_net("fd78::50/64");
	l = world_attach(&c);
	listen_ms(300);
	return l;
}

static struct card_place place(void)
{
	return (struct card_place){
		.netns = path,
		.name = "eth1",
		.mac = lab_mac("e6:56:1c:96:94:09"),
		.addrs = {lab_addr("192.168.100.50"), lab_addr("fd78::50")},
	};
}

static int announces(const struct card_place *p)
{
	struct err e = {0};
	int rc = card_announce(p, &e);

	if (rc < 0)
		fail_msg("%s", e.msg);
	return rc;
}

static void both_addresses_once(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = attach();
	struct card_place p = place();

	(void)state;
	(void)l;
	assert_int_equal(announces(&p), 1);
	heard(1, 1);
	p.parent = (int)if_nametoindex("ens4");
	p.addrs[1] = (struct ip_addr){0};
	assert_int_equal(announces(&p), 1);
	heard(1, 0);
}

static void only_what_is_on_the_card(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = attach();
	struct card_place p = place();

	(void)state;
	(void)l;
	p.addrs[0] = lab_addr("192.168.100.51");
	assert_int_equal(announces(&p), 1);
	heard(0, 1);
	p.addrs[1] = lab_addr("fd78::51");
	assert_int_equal(announces(&p), 0);
	heard(0, 0);
}

static void nothing_that_is_not_the_card(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = attach();
	struct card_place p = place();

	(void)state;
	(void)l;
	p.mac = lab_mac("e6:56:1c:96:94:0a");
	assert_int_equal(announces(&p), 0);
	p = place();
	p.parent = (int)if_nametoindex("cni0");
	assert_int_equal(announces(&p), 0);
	p = place();
	p.name = "lo";
	assert_int_equal(announces(&p), 0);
	p.name = "eth7";
	assert_int_equal(announces(&p), 0);
	p = place();
	p.netns = "/run/netns/no-such-namespace";
	assert_int_equal(announces(&p), 0);
	/* The path leads to the node itself. */
	p.netns = "/proc/thread-self/ns/net";
	assert_int_equal(announces(&p), 0);
	p = place();
	lab(world.lan, "ip link set lan0 down");
	lab_same(
		world.pod,
		"for i in $(seq 500); do ip link show eth1 | grep -q LOWER_UP || exit 0; sleep 0.02; done; exit 1",
		"");
	assert_int_equal(announces(&p), 0);
	lab(world.lan, "ip link set lan0 up");
	heard(0, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(both_addresses_once),
		T(only_what_is_on_the_card),
		T(nothing_that_is_not_the_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
