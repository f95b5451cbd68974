/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/frames.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

static size_t frame_of(const char *hex, unsigned char *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char byte[3] = {hex[0], hex[1]};

		if (*hex == ' ' || *hex == '|')
			continue;
		out[n++] = (unsigned char)strtoul(byte, NULL, 16);
		hex++;
	}
	return n;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(text, &a), 0);
	return a;
}

static const struct mac_addr own = {{2, 0, 0, 0, 0, 1}}, gw_mac = {{2, 0, 0, 0, 0, 0xee}};

static void same_frame(const unsigned char *got, size_t n, const char *want_hex)
{
	unsigned char want[256];
	size_t want_n = frame_of(want_hex, want);

	assert_int_equal(n, want_n);
	assert_memory_equal(got, want, n);
}

/* The checksums were computed by another program. */
static void questions(void **state)
{
	struct ip_addr v4 = addr("192.168.100.1"), v6 = addr("fd78::1:2:3");
	unsigned char got[FRAMES_MAX];

	(void)state;
	same_frame(got, frames_ask(&v4, &own, got),
		   "ffffffffffff 020000000001 0806 | 0001 0800 06 04 0001"
		   "020000000001 00000000 000000000000 c0a86401");
	same_frame(got, frames_ask(&v6, &own, got),
		   "3333ff020003 020000000001 86dd | 60000000 0020 3a ff"
		   "fe80000000000000000000fffe000001"
		   "ff0200000000000000000001ff020003 |"
		   "87 00 7c98 00000000 fd780000000000000000000100020003 0101 020000000001");
}

static void linklocal(void **state)
{
	struct mac_addr mac = {{0x82, 0x1d, 0xab, 0x55, 0x07, 0x34}};
	struct ip_addr a = frames_linklocal(&mac);
	char text[IP_ADDR_LEN];

	(void)state;
	assert_string_equal(ip_format(&a, text), "fe80::801d:abff:fe55:734");
}

#define ARP(dst, op, sha, spa, tha, tpa) dst "0200000000ee 0806 0001 0800 06 04 " op sha spa tha tpa
#define ALL                              "ffffffffffff"
#define OWN                              "020000000001"
#define GW                               "0200000000ee"
#define GW4                              "c0a86401"
#define OTHER                            "c0a86402"
#define NONE                             "00000000"
#define ZERO                             "000000000000"

#define NA(dst, hops, type, target, option)                                    \
	dst GW "86dd 60000000 0020 3a" hops "fd780000000000000000000000000001" \
	       "fe80000000000000000000fffe000001" type "00 0000 60000000" target option
#define GW6    "fd780000000000000000000000000001"
#define GW6_2  "fd780000000000000000000000000002"
#define OPTION "0201 0200000000ef"

static const struct {
	const char *hex, *addr;
	bool answers, mine;
	uint8_t last; /* of the MAC that answers */
} rows[] = {
	{ARP(OWN, "0002", GW, GW4, OWN, NONE), "192.168.100.1", true, true, 0xee},
	/* By broadcast, with our MAC in it. */
	{ARP(ALL, "0002", GW, GW4, OWN, NONE), "192.168.100.1", true, true, 0xee},
	/* It announces itself: it is there, but this is no answer to us. */
	{ARP(ALL, "0001", GW, GW4, ZERO, GW4), "192.168.100.1", true, false, 0xee},
	{ARP(ALL, "0001", GW, GW4, ZERO, OTHER), "192.168.100.1", true, false, 0xee},
	/* Another one asks for it. */
	{ARP(ALL, "0001", GW, NONE, ZERO, GW4), "192.168.100.1", false, false, 0},
	{ARP(ALL, "0001", GW, OTHER, ZERO, GW4), "192.168.100.1", false, false, 0},
	{ARP(OWN, "0002", GW, OTHER, OWN, NONE), "192.168.100.1", false, true, 0},
	/* No machine has such a MAC. */
	{ARP(OWN, "0002", ALL, GW4, OWN, NONE), "192.168.100.1", false, true, 0},
	{NA(OWN, "ff", "88", GW6, OPTION), "fd78::1", true, true, 0xef},
	{NA(OWN, "ff", "88", GW6, ""), "fd78::1", true, true, 0xee},
	{NA(OWN, "ff", "88", GW6, "0501 00000000"), "fd78::1", true, true, 0xee},
	{NA("333300000001", "ff", "88", GW6, OPTION), "fd78::1", true, false, 0xef},
	{NA(OWN, "fe", "88", GW6, OPTION), "fd78::1", false, true, 0},
	{NA(OWN, "ff", "87", GW6, OPTION), "fd78::1", false, true, 0},
	{NA(OWN, "ff", "88", GW6_2, OPTION), "fd78::1", false, true, 0},
	{"", "fd78::1", false, false, 0},
	{OWN GW "0806 0001", "192.168.100.1", false, true, 0},
};

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip_addr a = addr(rows[i].addr);
		unsigned char frame[256];
		size_t n = frame_of(rows[i].hex, frame);
		struct mac_addr mac = {0};

		if (frames_answers(frame, n, &a, &mac) != rows[i].answers ||
		    frames_is_for(frame, n, &own) != rows[i].mine)
			fail_msg("row %zu: %s", i, rows[i].hex);
		if (rows[i].answers)
			assert_int_equal(mac.b[5], rows[i].last);
	}
}

static struct frames_echo echo_to(const char *from, const char *to, size_t size)
{
	return (struct frames_echo){.from_mac = own,
				    .to_mac = gw_mac,
				    .from = addr(from),
				    .to = addr(to),
				    .id = 7,
				    .seq = 2,
				    .size = size};
}

/* What the machine that is asked makes of a request. */
static void turn_round(unsigned char *frame, bool v6)
{
	unsigned char other[16];
	size_t n = v6 ? 16 : 4, from = v6 ? 22 : 26;

	memcpy(other, frame + from, n);
	memmove(frame + from, frame + from + n, n);
	memcpy(frame + from + n, other, n);
	frame[v6 ? 54 : 34] = v6 ? 129 : 0;
}

static void echo(void **state)
{
	static const char *const ends[][2] = {{"192.168.100.2", "192.168.100.1"},
					      {"fe80::1", "fd78::1"}};

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct frames_echo q = echo_to(ends[v6][0], ends[v6][1], 1500), other = q;
		unsigned char frame[FRAMES_MAX];
		size_t n = frames_echo(&q, frame);

		assert_int_equal(n, 1514);
		assert_false(frames_is_reply(frame, n, &q));
		turn_round(frame, v6);
		assert_true(frames_is_reply(frame, n, &q));
		assert_false(frames_is_reply(frame, 30, &q));
		other.seq++;
		assert_false(frames_is_reply(frame, n, &other));
		other = q;
		other.id++;
		assert_false(frames_is_reply(frame, n, &other));
		other = q;
		other.size = 1400;
		assert_false(frames_is_reply(frame, n, &other));
		other = q;
		other.to = other.from;
		assert_false(frames_is_reply(frame, n, &other));
		/* A fragment is not whole. */
		if (!v6) {
			frame[20] = 0x20;
			assert_false(frames_is_reply(frame, n, &q));
		}
		q.size = 20;
		assert_int_equal(frames_echo(&q, frame), 0);
		q.size = FRAMES_MAX;
		assert_int_equal(frames_echo(&q, frame), 0);
	}
}

static void others(void **state)
{
	static const struct {
		const char *hex;
		bool others;
	} heard[] = {
		{ALL GW "0806", true},
		{"01005e000001" GW "0800", true},
		{ALL OWN "0806", false},
		/* The switch's own. */
		{"0180c2000000" GW "0026", false},
		{"0180c200000e" GW "88cc", false},
		/* GVRP's are passed on where nobody speaks it. */
		{"0180c2000021" GW "0026", true},
		{ALL "010000000001"
		     "0806",
		 false},
		{ALL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heard); i++) {
		unsigned char frame[64];
		size_t n = frame_of(heard[i].hex, frame);

		if (frames_is_others(frame, n, &own, 1) != heard[i].others)
			fail_msg("%s", heard[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions), cmocka_unit_test(linklocal), cmocka_unit_test(answers),
		cmocka_unit_test(echo),      cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
