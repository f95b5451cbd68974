/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/test.h"

#include <stdio.h>

#include "services/decide/world_test.h"

#define HOST 1
#define POD  7
#define CARD 0xc0a80a05U /* 192.168.10.5 */

static struct world_socket socket_a, socket_b;

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(&socket_a, 0, sizeof(socket_a));
	memset(&socket_b, 0, sizeof(socket_b));
	world.conf = (struct svc_conf){.flags = SVC_CONF_UDP | SVC_CONF_REFUSE, .host = HOST};
	world.now_ns = 1000000000000ULL;
	return 0;
}

static struct decide_ask ask(__u32 service, __u8 proto, bool connects)
{
	return (struct decide_ask){.sk = &socket_a,
				   .addr = world_v4(0x0a600000 + service),
				   .netns = POD,
				   .socket = 100,
				   .port = htons(80),
				   .proto = proto,
				   .connects = connects};
}

static struct svc_pod *pod(__u64 cookie, __u32 scope, __u32 flags)
{
	world.pods[world.n_pods].cookie = cookie;
	world.pods[world.n_pods].pod =
		(struct svc_pod){.scope = scope, .flags = flags, .addr = {world_v4(CARD)}};
	return &world.pods[world.n_pods++].pod;
}

/* "leave", "refuse", or the address that it becomes. */
static const char *run(const struct decide_ask *a)
{
	static char text[32];
	struct decide_answer to = {0};
	enum decide_verdict verdict = decide(a, &to);
	__u32 ip = ntohl(to.addr.w[3]);

	if (verdict != DECIDE_TRANSLATE)
		return verdict == DECIDE_REFUSE ? "refuse" : "leave";
	snprintf(text, sizeof(text), "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		 ip & 255, ntohs(to.port));
	return text;
}

static const char *back(__u64 socket, struct world_socket *sk, __u32 ip, __u16 port)
{
	static char text[32];
	struct decide_socket s = {.sk = sk, .cookie = socket};
	struct decide_answer from = {.addr = world_v4(ip), .port = htons(port)}, to = {0};

	if (!decide_reverse(&s, &from, &to))
		return "itself";
	ip = ntohl(to.addr.w[3]);
	snprintf(text, sizeof(text), "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		 ip & 255, ntohs(to.port));
	return text;
}

static void counted(__u64 translated, __u64 missed, __u64 refused, __u64 full)
{
	assert_int_equal(world.counters[SVC_TRANSLATED], translated);
	assert_int_equal(world.counters[SVC_MISSED], missed);
	assert_int_equal(world.counters[SVC_REFUSED], refused);
	assert_int_equal(world.counters[SVC_FULL], full);
}

/* ------------------------------------------------------------------------------- who and what */
static void a_connect_is_translated_and_known_by_its_service(void **state)
{
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2);
	world.random = 5;
	assert_string_equal(run(&a), "10.0.3.2:80");
	assert_string_equal(back(100, &socket_a, 0x0a000302, 80), "10.96.0.3:80");
	assert_string_equal(back(100, &socket_a, 0x0a000301, 80), "itself");
	assert_string_equal(back(100, &socket_b, 0x0a000302, 80), "itself");
	counted(1, 0, 0, 0);
}

static void what_is_not_a_service_is_left(void **state)
{
	struct decide_ask a = ask(4, DECIDE_TCP, true), udp = ask(3, DECIDE_UDP, true);
	struct decide_ask sctp = ask(3, 132, true), port = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2);
	port.port = htons(81);
	assert_string_equal(run(&a), "leave");
	assert_string_equal(run(&udp), "leave");
	assert_string_equal(run(&sctp), "leave");
	assert_string_equal(run(&port), "leave");
	counted(0, 3, 0, 0);
	world.no_conf = true;
	a = ask(3, DECIDE_TCP, true);
	assert_string_equal(run(&a), "leave");
}

/* A removed value's memory is another's at once: its check is not this key's. */
static void a_value_of_another_key_is_none(void **state)
{
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2)->check ^= 1;
	assert_string_equal(run(&a), "leave");
	begin(state);
	world_service(3, DECIDE_TCP, 0, 1);
	world.slots[0].v.gen = 9;
	assert_string_equal(run(&a), "leave");
	counted(0, 0, 0, 1);
}

static void namespaces_and_switches(void **state)
{
	static const struct {
		const char *name, *want;
		__u64 netns;
		__u32 conf, pod_flags;
		__u8 proto;
	} rows[] = {
		{"a pod nobody has entered", "10.0.3.1:80", 8, SVC_CONF_UDP, 0, DECIDE_TCP},
		{"the node itself", "leave", HOST, SVC_CONF_UDP, 0, DECIDE_TCP},
		{"the node, switched on", "10.0.3.1:80", HOST, SVC_CONF_HOST, 0, DECIDE_TCP},
		{"a pod to skip", "leave", POD, 0, SVC_POD_SKIP, DECIDE_TCP},
		{"all off", "leave", POD, SVC_CONF_OFF, 0, DECIDE_TCP},
		{"UDP", "10.0.3.1:80", POD, SVC_CONF_UDP, 0, DECIDE_UDP},
		{"UDP off", "leave", POD, 0, 0, DECIDE_UDP},
		{"TCP with UDP off", "10.0.3.1:80", POD, 0, 0, DECIDE_TCP},
		{"single card with hostAccess", "leave", POD, 0, SVC_POD_SINGLE, DECIDE_TCP},
		{"single card without", "refuse", POD, 0, SVC_POD_SINGLE | SVC_POD_CUT, DECIDE_TCP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decide_ask a = ask(3, rows[i].proto, true);

		begin(NULL);
		world_service(3, rows[i].proto, 0, 1);
		pod(POD, 0, rows[i].pod_flags);
		world.conf.flags = rows[i].conf;
		a.netns = rows[i].netns;
		if (strcmp(run(&a), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, run(&a));
	}
}

static void the_set_of_the_lan_is_for_its_cards(void **state)
{
	static const struct {
		const char *name, *want;
		__u32 scope, pod_flags, source, n_lan;
	} rows[] = {
		{"a card there", "10.0.4.1:80", 5, 0, 0, 1},
		{"a card elsewhere", "10.0.3.1:80", 6, 0, 0, 1},
		{"no card", "10.0.3.1:80", 0, 0, 0, 1},
		{"bound to the card", "10.0.4.1:80", 5, 0, CARD, 1},
		{"bound to eth0", "10.0.3.1:80", 5, 0, 0x0a2a0009, 1},
		{"an empty set", "10.0.3.1:80", 5, 0, 0, 0},
		{"single", "10.0.4.1:80", 5, SVC_POD_SINGLE, 0, 1},
		{"single, cut", "10.0.4.1:80", 5, SVC_POD_SINGLE | SVC_POD_CUT, 0, 1},
		{"single, empty set", "leave", 5, SVC_POD_SINGLE, 0, 0},
		{"single, cut, empty set", "refuse", 5, SVC_POD_SINGLE | SVC_POD_CUT, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decide_ask a = ask(3, DECIDE_TCP, true);
		struct svc_value *lan;

		begin(NULL);
		world_service(3, DECIDE_TCP, 0, 1);
		lan = world_service(3, DECIDE_TCP, 5, 0);
		lan->id = 4;
		lan->n = rows[i].n_lan;
		world_backends(4, 1, 1, rows[i].n_lan);
		pod(POD, rows[i].scope, rows[i].pod_flags);
		if (rows[i].source)
			a.source = world_v4(rows[i].source);
		if (strcmp(run(&a), rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, run(&a));
	}
}

static void no_backends(void **state)
{
	static const struct {
		__u32 conf, flags;
		const char *want;
	} rows[] = {
		{SVC_CONF_REFUSE, 0, "refuse"},       {0, 0, "leave"},
		{SVC_CONF_REFUSE, SVC_PASS, "leave"}, {0, SVC_REFUSE, "refuse"},
		{0, SVC_PASS | SVC_REFUSE, "leave"},
	};
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(NULL);
		world_service(3, DECIDE_TCP, 0, 0)->flags = rows[i].flags;
		world.conf.flags = rows[i].conf;
		assert_string_equal(run(&a), rows[i].want);
	}
}

/* ------------------------------------------------------------------------------- generations */
static void flip(void)
{
	world.meanwhile = NULL;
	world.n_slots = 0;
	world_backends(3, 2, 9, 1);
	world.services[0].v.gen = 2;
	world.services[0].v.n = 1;
}

static void flip_again(void)
{
	world.n_slots = 0;
	world.services[0].v.gen++;
}

static void a_flip_between_two_looks_is_seen(void **state)
{
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2);
	world.meanwhile = flip;
	assert_string_equal(run(&a), "10.0.3.9:80");
	counted(1, 0, 0, 0);
	/* Without end: it is left to others. */
	world.meanwhile = flip_again;
	assert_string_equal(run(&a), "leave");
	counted(1, 0, 0, 1);
}

/* ------------------------------------------------------------------------------- the same backend again */
static void one_socket_stays_with_its_backend(void **state)
{
	struct decide_ask a = ask(3, DECIDE_UDP, false);
	char first[32];

	(void)state;
	world_service(3, DECIDE_UDP, 0, 4);
	snprintf(first, sizeof(first), "%s", run(&a));
	/* An update: another backend in front, all slots move. */
	world.services[0].v.gen = 2;
	world.services[0].v.n = 5;
	world_backends(3, 2, 200, 1);
	world.slots[world.n_slots - 1].k.slot = 4;
	for (__u32 i = 0; i < 4; i++)
		world.slots[i].k.gen = world.slots[i].v.gen = 2;
	a.socket = 77; /* what its cookie would choose does not matter */
	assert_string_equal(run(&a), first);
	/* Its backend goes. */
	world.n_lives = 0;
	world.n_slots = 0;
	world.services[0].v.n = 1;
	world.services[0].v.gen = 3;
	world_backends(3, 3, 9, 1);
	assert_string_equal(run(&a), "10.0.3.9:80");
	assert_string_equal(back(77, &socket_a, 0x0a000309, 80), "10.96.0.3:80");
}

static void a_fifth_destination_goes_to_the_common_map(void **state)
{
	(void)state;
	for (__u32 id = 1; id <= 6; id++) {
		struct decide_ask a = ask(id, DECIDE_UDP, false);

		world_service(id, DECIDE_UDP, 0, 1);
		run(&a);
	}
	assert_int_equal(world.n_reverses, 2);
	assert_string_equal(back(100, &socket_a, 0x0a000401, 80), "10.96.0.4:80");
	assert_string_equal(back(100, &socket_a, 0x0a000601, 80), "10.96.0.6:80");
	assert_string_equal(back(101, &socket_a, 0x0a000601, 80), "itself");
	counted(6, 0, 0, 0);
}

/* Whoever ends it asks by its cookie. */
static void connected_udp_is_filed(void **state)
{
	struct decide_ask a = ask(3, DECIDE_UDP, true);

	(void)state;
	world_service(3, DECIDE_UDP, 0, 1);
	world_service(3, DECIDE_TCP, 0, 1);
	run(&a);
	assert_int_equal(world.n_reverses, 1);
	assert_int_equal(world.reverses[0].k.socket, 100);
	assert_int_equal(world.reverses[0].v.id, 3);
	a.proto = DECIDE_TCP;
	a.sk = &socket_b;
	run(&a);
	assert_int_equal(world.n_reverses, 1);
}

static void a_connect_forgets_what_was_before(void **state)
{
	struct decide_ask a = ask(3, DECIDE_UDP, true), other = ask(9, DECIDE_UDP, true);

	(void)state;
	world_service(3, DECIDE_UDP, 0, 1);
	run(&a);
	assert_string_equal(back(100, &socket_a, 0x0a000301, 80), "10.96.0.3:80");
	assert_string_equal(run(&other), "leave");
	assert_string_equal(back(100, &socket_a, 0x0a000301, 80), "itself");
}

static void affinity(void **state)
{
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2)->affinity_s = 10;
	world.random = 0;
	assert_string_equal(run(&a), "10.0.3.1:80");
	world.random = 1;
	world.now_ns += 9000000000ULL;
	a.sk = &socket_b;
	assert_string_equal(run(&a), "10.0.3.1:80");
	/* Refreshed by use: 9 s after the second it holds, although 18 after the first. */
	world.now_ns += 9000000000ULL;
	assert_string_equal(run(&a), "10.0.3.1:80");
	a.netns = 8;
	assert_string_equal(run(&a), "10.0.3.2:80");
	a.netns = POD;
	world.now_ns += 10000000001ULL;
	assert_string_equal(run(&a), "10.0.3.2:80");
	world.random = 0;
	world.lives[1].id = 99; /* that backend has gone */
	assert_string_equal(run(&a), "10.0.3.1:80");
}

static void full_maps_leave_it_alone(void **state)
{
	struct decide_ask a = ask(3, DECIDE_TCP, true);

	(void)state;
	world_service(3, DECIDE_TCP, 0, 2);
	world.full = true;
	assert_string_equal(run(&a), "leave");
	counted(0, 0, 0, 1);
	begin(NULL);
	world_service(3, DECIDE_TCP, 0, 2)->affinity_s = 10;
	world.full = true;
	assert_string_equal(run(&a), "leave");
	counted(0, 0, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_connect_is_translated_and_known_by_its_service, begin),
		cmocka_unit_test_setup(what_is_not_a_service_is_left, begin),
		cmocka_unit_test_setup(a_value_of_another_key_is_none, begin),
		cmocka_unit_test_setup(namespaces_and_switches, begin),
		cmocka_unit_test_setup(the_set_of_the_lan_is_for_its_cards, begin),
		cmocka_unit_test_setup(no_backends, begin),
		cmocka_unit_test_setup(a_flip_between_two_looks_is_seen, begin),
		cmocka_unit_test_setup(one_socket_stays_with_its_backend, begin),
		cmocka_unit_test_setup(a_fifth_destination_goes_to_the_common_map, begin),
		cmocka_unit_test_setup(connected_udp_is_filed, begin),
		cmocka_unit_test_setup(a_connect_forgets_what_was_before, begin),
		cmocka_unit_test_setup(affinity, begin),
		cmocka_unit_test_setup(full_maps_leave_it_alone, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
