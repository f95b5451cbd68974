/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/lldp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

/* Hex digits to bytes; blanks and "|" are for the reader. */
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

#define HEAD    "0180c200000e 020000000001 88cc |"
#define CHASSIS "0207 04 0a0b0c0d0e0f |"
#define PORT    "0408 05 4769312f302f33 |" /* Gi1/0/3 */
#define TTL     "0602 0078 |"
#define NAME    "0a04 73772d61 |"     /* sw-a */
#define TEXT    "0806 75706c696e6b |" /* uplink */
#define END     "0000"

static const struct {
	const char *hex, *sw, *port; /* NULL: it is none */
} rows[] = {
	{HEAD CHASSIS PORT TTL NAME END, "sw-a", "Gi1/0/3"},
	{HEAD CHASSIS PORT TTL NAME, "sw-a", "Gi1/0/3"},
	{HEAD CHASSIS PORT TTL NAME END "ffffffff", "sw-a", "Gi1/0/3"},
	{HEAD CHASSIS PORT TTL END, "0a:0b:0c:0d:0e:0f", "Gi1/0/3"},
	{HEAD CHASSIS PORT TTL TEXT NAME END, "sw-a", "Gi1/0/3"},
	{HEAD CHASSIS "0407 03 0a0b0c0d0e01" TTL TEXT END, "0a:0b:0c:0d:0e:0f", "uplink"},
	{HEAD CHASSIS "0407 03 0a0b0c0d0e01" TTL END, "0a:0b:0c:0d:0e:0f", "0a:0b:0c:0d:0e:01"},
	{HEAD "0206 05 01 c0a80001" PORT TTL END, "192.168.0.1", "Gi1/0/3"},
	{HEAD "0203 07 6162" PORT TTL END, "ab", "Gi1/0/3"},
	/* Others' TLVs, an empty name. */
	{HEAD CHASSIS PORT TTL "fe04 00120f01"
			       "0a00" END,
	 "0a:0b:0c:0d:0e:0f", "Gi1/0/3"},
	/* An escape sequence is no name. */
	{HEAD CHASSIS PORT TTL "0a04 1b5b324a" END, "?[2J", "Gi1/0/3"},
	/* Taken back. */
	{HEAD CHASSIS PORT "0602 0000" NAME END, NULL, NULL},
	/* Cut, out of order, twice. */
	{"", NULL, NULL},
	{HEAD, NULL, NULL},
	{HEAD "02", NULL, NULL},
	{HEAD "0207 04 0a0b", NULL, NULL},
	{HEAD CHASSIS PORT, NULL, NULL},
	{HEAD PORT CHASSIS TTL END, NULL, NULL},
	{HEAD CHASSIS PORT TTL PORT END, NULL, NULL},
	{HEAD CHASSIS PORT TTL NAME NAME END, NULL, NULL},
	{HEAD CHASSIS PORT TTL "0aff 00" END, NULL, NULL},
	{HEAD CHASSIS PORT "0601 78" END, NULL, NULL},
	{HEAD "0206 04 0a0b0c0d0e" PORT TTL END, NULL, NULL},
	{HEAD "0204 05 03 0102" PORT TTL END, NULL, NULL},
	{HEAD "0201 07" PORT TTL END, NULL, NULL},
	{"0180c200000e 020000000001 88cd" CHASSIS PORT TTL END, NULL, NULL},
};

static void switches(void **state)
{
	unsigned char frame[600];
	struct lldp got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = frame_of(rows[i].hex, frame);

		if (lldp_parse(frame, n, &got) != !!rows[i].sw)
			fail_msg("%s", rows[i].hex);
		if (!rows[i].sw)
			continue;
		assert_string_equal(got.sw, rows[i].sw);
		assert_string_equal(got.port, rows[i].port);
	}
}

/* Cut anywhere it is none, or what it was. */
static void cut_anywhere(void **state)
{
	unsigned char frame[600];
	size_t n = frame_of(HEAD CHASSIS PORT TTL NAME END, frame);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		AUTO(free) unsigned char *part = xmalloc(i + 1);
		struct lldp got;

		memcpy(part, frame, i);
		if (lldp_parse(part, i, &got))
			assert_string_equal(got.port, "Gi1/0/3");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
