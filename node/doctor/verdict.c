/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_add_mac(struct verdict_asked *a, const struct mac_addr *mac)
{
	for (size_t i = 0; i < a->n_macs; i++) {
		if (mac_eq(&a->macs[i], mac))
			return;
	}
	if (a->n_macs < VERDICT_MACS)
		a->macs[a->n_macs++] = *mac;
}

static void __attribute__((format(printf, 3, 4)))
say(struct api_doctor_entry *out, enum api_doctor_reason reason, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->reason = reason;
	api_doctor_clean(text, sizeof(text), out->message, sizeof(out->message));
}

static bool is_asked(const struct verdict_asked *a)
{
	return ip_is_set(&a->gateway);
}

static bool is_answered(const struct verdict_asked *a)
{
	return a->card || a->nic;
}

/* ------------------------------------------------------------------ before anybody is asked */

static bool judge_nic(const struct verdict_seen *s, struct api_doctor_entry *out)
{
	if (s->missing)
		say(out, API_DOCTOR_NIC_MISSING, "%s", s->missing);
	else if (!s->up)
		say(out, API_DOCTOR_NO_CARRIER, "%s is down: bring it up", s->nic);
	else if (!s->carrier)
		say(out, API_DOCTOR_NO_CARRIER,
		    "%s has no carrier: the cable is out, or the switch's port is down", s->nic);
	else if (s->unfit)
		say(out, API_DOCTOR_NIC_UNFIT, "%s", s->unfit);
	else if (s->untested)
		say(out, API_DOCTOR_UNTESTED, "%s", s->untested);
	else
		return false;
	return true;
}

/* ------------------------------------------------------------------ what the gateway says */

static void say_silent(const struct verdict_seen *s, const struct verdict_asked *a,
		       struct api_doctor_entry *out)
{
	const struct verdict_asked *other = a == &s->v[0] ? &s->v[1] : &s->v[0];
	bool others = s->others || is_answered(other);
	char gw[IP_ADDR_LEN];

	ip_format(&a->gateway, gw);
	if (others)
		say(out, API_DOCTOR_SILENT,
		    "gateway %s does not answer on %s, where others are heard", gw, s->parent);
	else if (s->vlan)
		say(out, API_DOCTOR_VLAN,
		    "VLAN %u is not passed to %s: gateway %s does not answer, and nobody is heard "
		    "in it, though %s has a carrier",
		    s->vlan, s->nic, gw, s->nic);
	else
		say(out, API_DOCTOR_SILENT,
		    "gateway %s does not answer on %s, where nobody is heard: another gateway, or "
		    "another LAN",
		    gw, s->parent);
}

static void say_second(const struct verdict_seen *s, const struct verdict_asked *a,
		       struct api_doctor_entry *out)
{
	char card[MAC_ADDR_LEN], nic[MAC_ADDR_LEN], gw[IP_ADDR_LEN];

	mac_format(&s->card_mac, card);
	mac_format(&s->nic_mac, nic);
	say(out, API_DOCTOR_SECOND_MAC,
	    "only one MAC is let through on %s: gateway %s answers %s and not %s: port security or "
	    "forged transmits",
	    s->parent, ip_format(&a->gateway, gw), a->card ? card : nic, a->card ? nic : card);
}

static void say_two(const struct verdict_asked *a, struct api_doctor_entry *out)
{
	char one[MAC_ADDR_LEN], two[MAC_ADDR_LEN], gw[IP_ADDR_LEN];

	say(out, API_DOCTOR_TWO_ANSWERS, "two machines say that they are gateway %s: %s and %s",
	    ip_format(&a->gateway, gw), mac_format(&a->macs[0], one), mac_format(&a->macs[1], two));
}

/* What is looked for in each family, in that order. */
static bool is_silent(const struct verdict_asked *a)
{
	return !is_answered(a);
}

static bool is_second_refused(const struct verdict_asked *a)
{
	return a->card != a->nic;
}

static bool is_twice(const struct verdict_asked *a)
{
	return a->n_macs > 1;
}

static bool is_cut(const struct verdict_asked *a)
{
	return a->echo == VERDICT_ECHO_SMALL;
}

static const struct verdict_asked *first(const struct verdict_seen *s,
					 bool (*is)(const struct verdict_asked *))
{
	for (size_t i = 0; i < 2; i++) {
		if (is_asked(&s->v[i]) && is(&s->v[i]))
			return &s->v[i];
	}
	return NULL;
}

static void judge_answers(const struct verdict_seen *s, struct api_doctor_entry *out)
{
	const struct verdict_asked *a;

	if ((a = first(s, is_silent)))
		say_silent(s, a, out);
	else if ((a = first(s, is_second_refused)))
		say_second(s, a, out);
	else if ((a = first(s, is_twice)))
		say_two(a, out);
	else if ((a = first(s, is_cut))) {
		char gw[IP_ADDR_LEN];

		say(out, API_DOCTOR_MTU,
		    "packets of %" PRIu32 " bytes do not come through between %s and gateway %s, "
		    "small ones do: something in the way has a smaller MTU",
		    s->mtu, s->parent, ip_format(&a->gateway, gw));
	}
	for (size_t i = 0; i < 2; i++)
		out->mtu = out->mtu || s->v[i].echo == VERDICT_ECHO_FULL;
	out->mtu = out->mtu && out->reason != API_DOCTOR_MTU;
}

void verdict_give(const struct verdict_seen *s, struct api_doctor_entry *out)
{
	memcpy(out->nic, s->nic, sizeof(out->nic));
	out->reason = API_DOCTOR_OK;
	out->message[0] = '\0';
	out->mtu = false;
	if (!judge_nic(s, out))
		judge_answers(s, out);
}
