/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/stray.h"

#include "macvlan/host.h"
#include "macvlan/plan_host.h"
#include "macvlan/world_test.h"

#define DEVICE "ens4.host"
#define ON_DEVICE                                                                             \
	"for f in 4 6; do ip -$f route show dev " DEVICE " proto boot; done | cut -d' ' -f1;" \
	"ip neigh show dev " DEVICE " nud permanent | cut -d' ' -f1 | sort"

static int setup(void **state)
{
	if (world_setup(state) < 0)
		return -1;
	lab(-1, "ip addr add 192.168.22.10/24 dev ens4; ip -6 addr add fd22::10/64 dev ens4 nodad");
	return 0;
}

/* The node's side alone. */
static void joins(const char *cidr, const char *cidr6, const char *mac)
{
	struct macvlan_card c = world_card(cidr, "192.168.22.1");
	struct err e = {0};

	c.mac = lab_mac(mac);
	c.addr6 = *cidr6 ? lab_net(cidr6) : (struct ip_net){0};
	LAB_OK(macvlan_host_join(&c, "ens4", &c.mac, &c.host, &e));
}

static struct macvlan_stray_device device(void)
{
	AUTO(free) struct macvlan_stray_device *v = NULL;
	struct err e = {0};
	size_t n = 0;

	LAB_OK(macvlan_stray_devices(&v, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(v[0].name, DEVICE);
	assert_string_equal(v[0].parent, "ens4");
	return v[0];
}

static size_t ends(const char *known, bool names_device)
{
	struct macvlan_stray_device d = device();
	struct ip_addr addr = lab_addr(known);
	struct macvlan_stray_known k = {&addr, 1, names_device};
	struct err e = {0};
	size_t n = 99;

	LAB_OK(macvlan_stray_end(&d, &k, &n, &e));
	return n;
}

static void what_nobody_knows_goes_and_the_rest_stays(void **state)
{
	(void)state;
	joins("192.168.22.3/24", "fd22::3/64", "02:00:00:00:00:03");
	joins("192.168.22.4/24", "", "02:00:00:00:00:04");
	assert_int_equal(ends("192.168.22.4", true), 2);
	lab_same(-1, ON_DEVICE, "192.168.22.4\n192.168.22.4\n");
	assert_int_equal(ends("192.168.22.4", true), 0);
	lab_same(-1, ON_DEVICE, "192.168.22.4\n192.168.22.4\n");
}

static void a_card_that_lives_keeps_its_access(void **state)
{
	(void)state;
	joins("192.168.22.3/24", "fd22::3/64", "02:00:00:00:00:03");
	lab(-1,
	    "ip link add c0 link ens4 netns /proc/%d/fd/%d address 02:00:00:00:00:03 type macvlan mode bridge",
	    getpid(), world.pod);
	lab(world.pod, "ip link set c0 up");
	assert_int_equal(ends("192.168.22.9", false), 0);
	lab_same(-1, ON_DEVICE, "192.168.22.3\nfd22::3\n192.168.22.3\nfd22::3\n");
	lab(world.pod, "ip link del c0");
	assert_int_equal(ends("192.168.22.9", false), 3);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\n");
}

static void the_device_stays_for_whom_a_file_names(void **state)
{
	(void)state;
	joins("192.168.22.3/24", "", "02:00:00:00:00:03");
	lab(-1, "ip link set " DEVICE " down; ip link set " DEVICE " up");
	lab_same(-1, ON_DEVICE, "");
	assert_int_equal(ends("192.168.22.3", true), 0);
	device();
	assert_int_equal(ends("192.168.22.3", false), 1);
	lab_same(-1, LAB_LINKS, "lo\nens4\ncni0\n");
}

/* A route by hand holds the device as ours do, and another's macvlan is not looked at. */
static void nothing_that_is_not_ours(void **state)
{
	(void)state;
	lab(-1,
	    "ip link add ens4.mine link ens4 type macvlan mode bridge; ip link set ens4.mine up;"
	    "ip route add 192.168.22.7/32 dev ens4.mine");
	joins("192.168.22.3/24", "", "02:00:00:00:00:03");
	lab(-1, "ip route add 192.168.22.8/32 dev " DEVICE " via inet 192.168.22.3 onlink;"
		"ip route add 192.168.22.9/32 dev " DEVICE);
	assert_int_equal(ends("192.168.22.1", false), 1);
	lab_same(-1, ON_DEVICE, "192.168.22.8\n192.168.22.9\n");
	lab_same(-1, "ip route show dev ens4.mine | sed 's/ *$//'", "192.168.22.7 scope link\n");
}

static void after_the_parent_was_renamed(void **state)
{
	AUTO(free) struct macvlan_stray_device *v = NULL;
	struct macvlan_stray_known k = {0};
	struct err e = {0};
	size_t n = 0;

	(void)state;
	joins("192.168.22.3/24", "", "02:00:00:00:00:03");
	lab(-1, "ip link set ens4 down; ip link set ens4 name lan7; ip link set lan7 up");
	LAB_OK(macvlan_stray_devices(&v, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(v[0].parent, "lan7");
	LAB_OK(macvlan_stray_end(&v[0], &k, &n, &e));
	lab_same(-1, LAB_LINKS, "lo\nlan7\ncni0\n");
	/* And once more, when it has gone. */
	LAB_OK(macvlan_stray_end(&v[0], &k, &n, &e));
	assert_int_equal(n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(what_nobody_knows_goes_and_the_rest_stays),
		T(a_card_that_lives_keeps_its_access),
		T(the_device_stays_for_whom_a_file_names),
		T(nothing_that_is_not_ours),
		T(after_the_parent_was_renamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
