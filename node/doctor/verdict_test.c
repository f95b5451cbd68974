/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/verdict.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/test.h"

/* A healthy subnet of VLAN 100 on ens4, both families. */
static struct verdict_seen healthy(void)
{
	struct verdict_seen s = {.nic = "ens4",
				 .parent = "ens4.100",
				 .up = true,
				 .carrier = true,
				 .vlan = 100,
				 .mtu = 1500};

	assert_int_equal(mac_parse("0a:00:00:00:00:01", &s.card_mac), 0);
	assert_int_equal(mac_parse("0a:00:00:00:00:02", &s.nic_mac), 0);
	assert_int_equal(ip_parse("192.168.100.1", &s.v[0].gateway), 0);
	assert_int_equal(ip_parse("fd78::1", &s.v[1].gateway), 0);
	for (size_t i = 0; i < 2; i++) {
		s.v[i].card = s.v[i].nic = true;
		verdict_add_mac(&s.v[i], &(struct mac_addr){{0x0a, 0, 0, 0, 0, 0xee}});
		verdict_add_mac(&s.v[i], &(struct mac_addr){{0x0a, 0, 0, 0, 0, 0xee}});
	}
	return s;
}

static void is(const struct verdict_seen *s, enum api_doctor_reason reason, const char *message)
{
	struct api_doctor_entry x = {0};

	verdict_give(s, &x);
	assert_string_equal(x.message, message);
	assert_int_equal(x.reason, reason);
}

static void nics(void **state)
{
	struct verdict_seen s = healthy();

	(void)state;
	is(&s, API_DOCTOR_OK, "");
	s.untested = "the subnet has no gateway that could be asked";
	is(&s, API_DOCTOR_UNTESTED, s.untested);
	s.unfit = "ens4 is a port of br0";
	is(&s, API_DOCTOR_NIC_UNFIT, s.unfit);
	s.carrier = false;
	is(&s, API_DOCTOR_NO_CARRIER,
	   "ens4 has no carrier: the cable is out, or the switch's port is down");
	s.up = false;
	is(&s, API_DOCTOR_NO_CARRIER, "ens4 is down: bring it up");
	s.missing = "there is no NIC ens4";
	is(&s, API_DOCTOR_NIC_MISSING, s.missing);
}

static void silent(void **state)
{
	struct verdict_seen s = healthy();

	(void)state;
	s.v[1] = (struct verdict_asked){0};
	s.v[0].card = s.v[0].nic = false;
	s.v[0].n_macs = 0;
	is(&s, API_DOCTOR_VLAN,
	   "VLAN 100 is not passed to ens4: gateway 192.168.100.1 does not answer, and nobody is heard "
	   "in it, though ens4 has a carrier");
	s.others = true;
	is(&s, API_DOCTOR_SILENT,
	   "gateway 192.168.100.1 does not answer on ens4.100, where others are heard");
	s.others = false;
	s.vlan = 0;
	memcpy(s.parent, s.nic, sizeof(s.nic));
	is(&s, API_DOCTOR_SILENT,
	   "gateway 192.168.100.1 does not answer on ens4, where nobody is heard: another gateway, or "
	   "another LAN");
	/* The other family's gateway is somebody. */
	s = healthy();
	s.v[1].card = s.v[1].nic = false;
	is(&s, API_DOCTOR_SILENT,
	   "gateway fd78::1 does not answer on ens4.100, where others are heard");
}

static void answers(void **state)
{
	struct verdict_seen s = healthy();

	(void)state;
	s.v[0].card = false;
	is(&s, API_DOCTOR_SECOND_MAC,
	   "only one MAC is let through on ens4.100: gateway 192.168.100.1 answers 0a:00:00:00:00:02 "
	   "and not 0a:00:00:00:00:01: port security or forged transmits");
	s.v[0].card = true;
	s.v[1].nic = false;
	is(&s, API_DOCTOR_SECOND_MAC,
	   "only one MAC is let through on ens4.100: gateway fd78::1 answers 0a:00:00:00:00:01 and not "
	   "0a:00:00:00:00:02: port security or forged transmits");
	s = healthy();
	s.v[0].echo = VERDICT_ECHO_SMALL;
	verdict_add_mac(&s.v[1], &(struct mac_addr){{0x0a, 0, 0, 0, 0, 0xef}});
	is(&s, API_DOCTOR_TWO_ANSWERS,
	   "two machines say that they are gateway fd78::1: 0a:00:00:00:00:ee and 0a:00:00:00:00:ef");
	s.v[1].n_macs = 1;
	is(&s, API_DOCTOR_MTU,
	   "packets of 1500 bytes do not come through between ens4.100 and gateway 192.168.100.1, "
	   "small ones do: something in the way has a smaller MTU");
}

static void mtu(void **state)
{
	struct verdict_seen s = healthy();
	struct api_doctor_entry x = {0};

	(void)state;
	verdict_give(&s, &x);
	assert_false(x.mtu);
	s.v[1].echo = VERDICT_ECHO_FULL;
	verdict_give(&s, &x);
	assert_true(x.mtu);
	assert_string_equal(x.nic, "ens4");
	s.v[0].echo = VERDICT_ECHO_SMALL;
	verdict_give(&s, &x);
	assert_false(x.mtu);
}

/* No more than there is room for. */
static void many_macs(void **state)
{
	struct verdict_asked a = {0};

	(void)state;
	for (uint8_t i = 1; i < 20; i++)
		verdict_add_mac(&a, &(struct mac_addr){{2, 0, 0, 0, 0, i}});
	assert_int_equal(a.n_macs, VERDICT_MACS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nics), cmocka_unit_test(silent),    cmocka_unit_test(answers),
		cmocka_unit_test(mtu),  cmocka_unit_test(many_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
