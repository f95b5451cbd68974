/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/frame.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/nl/lab_test.h"

/* Hex digits to bytes; blanks and "|" are for the reader. */
static size_t frame_of(const char *hex, unsigned char *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char byte[3] = {hex[0], hex[1]}, *end;

		if (*hex == ' ' || *hex == '|')
			continue;
		out[n++] = (unsigned char)strtoul(byte, &end, 16);
		assert_ptr_equal(end, byte + 2);
		hex++;
	}
	return n;
}

static void same_frame(const char *addr, const char *want_hex)
{
	struct ip_addr a = lab_addr(addr);
	struct mac_addr own = lab_mac("02:00:00:00:00:01");
	unsigned char want[FRAME_PROBE_MAX], got[FRAME_PROBE_MAX];
	size_t n = frame_of(want_hex, want);

	assert_int_equal(frame_probe(&a, &own, got), n);
	assert_memory_equal(got, want, n);
}

static void probes_byte_for_byte(void **state)
{
	(void)state;
	same_frame("192.168.100.50", "ffffffffffff 020000000001 0806 | 0001 0800 06 04 0001"
				     "020000000001 00000000 000000000000 c0a86432");
	/* The checksum was computed by another program. */
	same_frame("fd78::1:2:3", "3333ff020003 020000000001 86dd | 60000000 0018 3a ff"
				  "00000000000000000000000000000000"
				  "ff0200000000000000000001ff020003 |"
				  "87 00 7d24 00000000 fd780000000000000000000100020003");
}

#define ARP(op, sha, spa, tpa) \
	"ffffffffffff 0200000000ee 0806 0001 0800 06 04 " op sha spa "000000000000" tpa
#define OTHER "0a0000000002"
#define OWN   "020000000001"
#define A50   "c0a86432"
#define A51   "c0a86433"
#define NONE  "00000000"
#define REQ   "0001"
#define REP   "0002"

#define NONE6 "00000000000000000000000000000000"
#define V6    "fd780000000000000000000000000050"
#define V6B   "fd780000000000000000000000000051"
#define ND(from, hops, src, type, target)                    \
	"333300000001" from "86dd 60000000 0018 3a" hops src \
	"ff020000000000000000000000000001" type "00 0000 00000000" target

static const struct {
	const char *what, *addr, *frame, *mac; /* "" = no rival */
} rows[] = {
	{"a reply", "192.168.100.50", ARP(REP, OTHER, A50, A50), "0a:00:00:00:00:02"},
	{"an announcement", "192.168.100.50", ARP(REQ, OTHER, A50, A50), "0a:00:00:00:00:02"},
	{"a question from it", "192.168.100.50", ARP(REQ, OTHER, A50, A51), "0a:00:00:00:00:02"},
	{"another's probe", "192.168.100.50", ARP(REQ, OTHER, NONE, A50), "0a:00:00:00:00:02"},
	{"a probe for another", "192.168.100.50", ARP(REQ, OTHER, NONE, A51), ""},
	{"a question for it", "192.168.100.50", ARP(REQ, OTHER, A51, A50), ""},
	{"a reply of another", "192.168.100.50", ARP(REP, OTHER, A51, A50), ""},
	{"a reply of nobody", "192.168.100.50", ARP(REP, OTHER, NONE, A50), ""},
	{"our own probe back", "192.168.100.50", ARP(REQ, OWN, NONE, A50), ""},
	{"our own MAC with it", "192.168.100.50", ARP(REP, OWN, A50, A50), ""},
	{"no MAC at all", "192.168.100.50", ARP(REP, "000000000000", A50, A50), ""},
	{"cut", "192.168.100.50", "ffffffffffff 0200000000ee 0806 0001 0800 06 04 0002 0a00", ""},
	{"not ARP", "192.168.100.50",
	 "ffffffffffff 0200000000ee 0800 0001 0800 06 04 0002" OTHER A50 "000000000000" A50, ""},
	{"not of Ethernet", "192.168.100.50",
	 "ffffffffffff 0200000000ee 0806 0006 0800 06 04 0002" OTHER A50 "000000000000" A50, ""},
	{"nothing", "192.168.100.50", "", ""},

	{"advertised", "fd78::50", ND(OTHER, "ff", V6, "88", V6), "0a:00:00:00:00:02"},
	{"from another address", "fd78::50", ND(OTHER, "ff", V6B, "88", V6), "0a:00:00:00:00:02"},
	{"another's DAD", "fd78::50", ND(OTHER, "ff", NONE6, "87", V6), "0a:00:00:00:00:02"},
	{"a question from it", "fd78::50", ND(OTHER, "ff", V6, "87", V6B), "0a:00:00:00:00:02"},
	{"a question for it", "fd78::50", ND(OTHER, "ff", V6B, "87", V6), ""},
	{"DAD for another", "fd78::50", ND(OTHER, "ff", NONE6, "87", V6B), ""},
	{"another advertised", "fd78::50", ND(OTHER, "ff", V6B, "88", V6B), ""},
	{"through a router", "fd78::50", ND(OTHER, "fe", V6, "88", V6), ""},
	{"our own DAD back", "fd78::50", ND(OWN, "ff", NONE6, "87", V6), ""},
	{"an echo request", "fd78::50", ND(OTHER, "ff", V6, "80", V6), ""},
	{"cut", "fd78::50", "333300000001 0a0000000002 86dd 60000000 0018 3aff", ""},
	{"IPv4 for IPv6", "fd78::50", ARP(REP, OTHER, A50, A50), ""},
	{"IPv6 for IPv4", "192.168.100.50", ND(OTHER, "ff", V6, "88", V6), ""},
};

static void who_is_a_rival(void **state)
{
	struct mac_addr own = lab_mac("02:00:00:00:00:01");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip_addr a = lab_addr(rows[i].addr);
		struct mac_addr untouched = lab_mac("02:00:00:00:00:99"), mac = untouched;
		unsigned char frame[256];
		size_t n = frame_of(rows[i].frame, frame);
		char text[MAC_ADDR_LEN];

		if (frame_rival(frame, n, &a, &own, &mac) != (*rows[i].mac != '\0'))
			fail_msg("%s (%s)", rows[i].what, rows[i].addr);
		mac_format(&mac, text);
		assert_string_equal(text, *rows[i].mac ? rows[i].mac : "02:00:00:00:00:99");
	}
}

/* Every length: none is read past its end (the sanitizers look). */
static bool cut_is_a_rival(const unsigned char *frame, size_t k, const struct ip_addr *a)
{
	AUTO(free) unsigned char *cut = xmemdup(frame, k);
	struct mac_addr own = lab_mac("02:00:00:00:00:01"), mac;

	return frame_rival(cut, k, a, &own, &mac);
}

static void any_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip_addr a = lab_addr(rows[i].addr);
		unsigned char frame[256];
		size_t n = frame_of(rows[i].frame, frame);

		for (size_t k = 0; k < n; k++)
			assert_false(cut_is_a_rival(frame, k, &a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_byte_for_byte),
		cmocka_unit_test(who_is_a_rival),
		cmocka_unit_test(any_length),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
