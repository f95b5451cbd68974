/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/delete.h"

#include <poll.h>

#include "macvlan/world_test.h"

static void all_of_ours_goes_and_nothing_else(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(macvlan_link_free) struct macvlan_link *half = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	struct macvlan_card other = world_card("192.168.100.51/24", "192.168.100.1");
	struct err e = {0};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	l = world_attach(&c);
	/* An ADD that was killed in phase 1, a stranger's macvlan, a stranger's rule. */
	memcpy(other.ifname, "eth2", 5);
	other.mac = lab_mac("02:00:00:00:00:51");
	LAB_OK(macvlan_create(&other, world.pod, soon(1000), &half, &e));
	lab(-1, "ip link add link ens4 name net1 netns /proc/%d/fd/%d type macvlan", getpid(),
	    world.pod);
	lab(world.pod, "ip rule add pref 1000 from 10.9.9.9 lookup 77");
	LAB_OK(macvlan_delete(world.pod, "eth1", NULL, &e));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\nnet1\n");
	lab_same(world.pod, LAB_RULES,
		 "0: from all lookup local\n1000: from 10.9.9.9 lookup 77\n"
		 "32766: from all lookup main\n32767: from all lookup default\n");
	lab_same(world.pod, LAB_ROUTES,
		 "10.42.0.0/16 via 10.42.0.1 dev eth0\n"
		 "10.42.0.0/24 dev eth0 scope link src 10.42.0.9\n"
		 "default via 10.42.0.1 dev eth0\n");
	lab_same(world.pod, "ip route show table all | grep -c 'table 200[01]' || :", "0\n");
	LAB_OK(macvlan_delete(world.pod, "eth1", NULL, &e));
}

static void a_stranger_of_that_name_stays(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	struct macvlan_card c = world_card("192.168.22.3/24", "192.168.22.1");
	struct mac_addr not_it = lab_mac("02:00:00:00:00:99");
	struct err e = {0};

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	LAB_OK(macvlan_delete(world.pod, "eth0", NULL, &e));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\n");
	l = world_attach(&c);
	LAB_OK(macvlan_delete(world.pod, "eth1", &not_it, &e));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\neth1\n");
	LAB_OK(macvlan_delete(world.pod, "eth1", &c.mac, &e));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\n");
}

static void the_child_waits_in_our_stead(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = NULL;
	struct macvlan_card c = world_card("192.168.100.50/24", "192.168.100.1");
	int pipe_fds[2];
	struct pollfd p = {.events = POLLIN};
	struct err e = {0};
	int64_t start;

	(void)state;
	world_primary(world.pod, "10.42.0.9/24", FLANNEL_ROUTES);
	l = world_attach(&c);
	assert_int_equal(pipe(pipe_fds), 0);
	start = clock_now_us();
	LAB_OK(macvlan_delete_start(world.pod, "eth1", &c.mac, &d, &e));
	LAB_OK(macvlan_delete_wait(d, soon(2000), &e));
	print_message("delete without waiting for the kernel: %lld us\n",
		      (long long)(clock_now_us() - start));
	lab_same(world.pod, LAB_LINKS, "lo\neth0\n");
	/* Nobody but us holds the pipe: its end is seen although the child may still be at work. */
	close(pipe_fds[1]);
	p.fd = pipe_fds[0];
	assert_int_equal(poll(&p, 1, 5), 1);
	assert_int_equal(p.revents & POLLHUP, POLLHUP);
	close(pipe_fds[0]);
}

static void nothing_to_do_is_a_success(void **state)
{
	AUTO(macvlan_deletion_free) struct macvlan_deletion *d = NULL;
	struct err e = {0};

	(void)state;
	LAB_OK(macvlan_delete_start(world.pod, "eth1", NULL, &d, &e));
	LAB_OK(macvlan_delete_wait(d, soon(0), &e));
}

static void two_at_once(void **state)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(macvlan_deletion_free) struct macvlan_deletion *a = NULL;
	AUTO(macvlan_deletion_free) struct macvlan_deletion *b = NULL;
	struct macvlan_card c = world_card("192.168.22.3/24", "192.168.22.1");
	struct err e = {0};

	(void)state;
	c.single = true;
	l = world_attach(&c);
	LAB_OK(macvlan_delete_start(world.pod, "eth1", NULL, &a, &e));
	LAB_OK(macvlan_delete_start(world.pod, "eth1", NULL, &b, &e));
	LAB_OK(macvlan_delete_wait(a, soon(2000), &e));
	LAB_OK(macvlan_delete_wait(b, soon(2000), &e));
	LAB_OK(macvlan_delete(world.pod, "eth1", NULL, &e));
	lab_same(world.pod, LAB_LINKS, "lo\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(all_of_ours_goes_and_nothing_else),
		IN_WORLD(a_stranger_of_that_name_stays),
		IN_WORLD(the_child_waits_in_our_stead),
		IN_WORLD(nothing_to_do_is_a_success),
		IN_WORLD(two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
