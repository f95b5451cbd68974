/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node, its LAN and pods, for tests.
 *
 *	lan: lan0 192.168.{100,120,22}.1, fd78::1 ---- ens4 :node: cni0 10.42.0.1/24 ---- eth0 :pod
 */
#ifndef MACVLAN_WORLD_TEST_H
#define MACVLAN_WORLD_TEST_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/nl/lab_test.h"
#include "macvlan/apply.h"
#include "macvlan/macvlan.h"

struct world {
	int node; /* namespace of the test itself */
	int lan;
	int pod;
};

static struct world world;

static inline int world_setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	world.node = lab_own();
	world.lan = lab_netns();
	world.pod = lab_netns();
	lab(-1,
	    "ip link set lo up; ip link add ens4 type veth peer name lan0 netns /proc/%d/fd/%d;"
	    "ip link set ens4 up; ip link add cni0 type bridge; ip link set cni0 up;"
	    "ip addr add 10.42.0.1/24 dev cni0; ip addr add fd42::1/64 nodad dev cni0",
	    getpid(), world.lan);
	lab(world.lan,
	    "ip link set lo up; ip link set lan0 up; for n in 100 120 22; do ip addr add 192.168.$n.1/24 dev lan0; done;"
	    "ip addr add fd78::1/64 nodad dev lan0");
	lab(world.pod, "ip link set lo up");
	return 0;
}

static inline int world_teardown(void **state)
{
	(void)state;
	close(world.pod);
	close(world.lan);
	close(world.node);
	return 0;
}

/* What a bridge plugin would do; the routes come from the test. */
static inline LAB_UNUSED void world_primary(int pod, const char *cidr, const char *routes)
{
	static int serial;

	serial++;
	lab(-1,
	    "ip link add v%d type veth peer name eth0 netns /proc/%d/fd/%d; "
	    "ip link set v%d master cni0 up",
	    serial, getpid(), pod, serial);
	lab(pod,
	    "set -e; echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up; ip addr add %s dev eth0; %s",
	    cidr, routes);
}

/* Everything that lan0 hears, into *(int *)ctx; for netns_call() in world.lan. The caller closes it. */
static inline LAB_UNUSED int world_capture(void *ctx, struct err *e)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex("lan0"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		return err_set(e, ERR_IO, 0, "capture");
	*(int *)ctx = fd;
	return 0;
}

#define FLANNEL_ROUTES "ip route add default via 10.42.0.1; ip route add 10.42.0.0/16 via 10.42.0.1"
#define CALICO_ROUTES                                    \
	"ip route add 169.254.1.1 dev eth0 scope link; " \
	"ip route add default via 169.254.1.1 dev eth0"

static inline LAB_UNUSED struct macvlan_card world_card(const char *cidr, const char *gw)
{
	struct macvlan_card c = {
		.ifname = "eth1",
		.master = "ens4",
		.node = "worker-1",
		.primary_ifname = "eth0",
		.addr = lab_net(cidr),
		.gateway = lab_addr(gw),
		.mac = lab_mac("e6:56:1c:96:94:09"),
	};

	return c;
}

static inline LAB_UNUSED int64_t soon(int ms)
{
	return clock_now_ms() + ms;
}

/* Both phases, which must succeed. The caller frees. */
static inline LAB_UNUSED struct macvlan_link *world_attach(const struct macvlan_card *c)
{
	struct macvlan_link *l = NULL;
	struct err e = {0};

	LAB_OK(macvlan_create(c, world.pod, soon(1000), &l, &e));
	LAB_OK(macvlan_configure(l, c, soon(1000), &e));
	return l;
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

#endif
