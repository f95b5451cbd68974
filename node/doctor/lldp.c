/* SPDX-License-Identifier: Apache-2.0 */
#include "node/doctor/lldp.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/ip.h"

#define HEAD 14

enum tlv { TLV_END = 0, TLV_CHASSIS, TLV_PORT, TLV_TTL, TLV_PORT_TEXT, TLV_NAME };

/* 802.1AB, tables 8-2 and 8-3: of both. */
#define CHASSIS_MAC 4
#define CHASSIS_NET 5
#define PORT_MAC    3
#define PORT_NET    4

/* IANA's numbers of address families. */
#define NET_IP4 1
#define NET_IP6 2

struct tlv_at {
	unsigned int type;
	const unsigned char *v;
	size_t n;
};

static bool next(const unsigned char **at, const unsigned char *end, struct tlv_at *out)
{
	unsigned int head;

	if (end - *at < 2)
		return false;
	head = (unsigned int)(*at)[0] << 8 | (*at)[1];
	*out = (struct tlv_at){.type = head >> 9, .v = *at + 2, .n = head & 0x1ff};
	if ((size_t)(end - out->v) < out->n)
		return false;
	*at = out->v + out->n;
	return true;
}

static void say_mac(const unsigned char *b, char *out, size_t size)
{
	struct mac_addr mac;
	char text[MAC_ADDR_LEN];

	memcpy(mac.b, b, 6);
	mac_format(&mac, text);
	api_doctor_clean(text, sizeof(text), out, size);
}

static bool say_net(const unsigned char *b, size_t n, char *out, size_t size)
{
	struct ip_addr a = {0};
	char text[IP_ADDR_LEN];

	if (n == 5 && b[0] == NET_IP4)
		a.family = AF_INET;
	else if (n == 17 && b[0] == NET_IP6)
		a.family = AF_INET6;
	else
		return false;
	memcpy(a.b, b + 1, n - 1);
	ip_format(&a, text);
	api_doctor_clean(text, sizeof(text), out, size);
	return true;
}

/* An ID has a subtype and 1 to 255 bytes. */
static bool say_id(const struct tlv_at *t, unsigned int mac, unsigned int net, char *out)
{
	const unsigned char *id = t->v + 1;
	size_t n = t->n - 1;

	if (t->n < 2 || t->n > 256)
		return false;
	if (t->v[0] == mac && n != 6)
		return false;
	if (t->v[0] == mac)
		say_mac(id, out, API_DOCTOR_PORT);
	else if (t->v[0] == net)
		return say_net(id, n, out, API_DOCTOR_PORT);
	else
		api_doctor_clean(id, n, out, API_DOCTOR_PORT);
	return *out;
}

/* The three that every frame begins with. */
static bool read_head(const unsigned char **at, const unsigned char *end, struct lldp *out,
		      bool *port_is_mac)
{
	struct tlv_at t;

	if (!next(at, end, &t) || t.type != TLV_CHASSIS ||
	    !say_id(&t, CHASSIS_MAC, CHASSIS_NET, out->sw))
		return false;
	if (!next(at, end, &t) || t.type != TLV_PORT || !say_id(&t, PORT_MAC, PORT_NET, out->port))
		return false;
	*port_is_mac = t.v[0] == PORT_MAC;
	return next(at, end, &t) && t.type == TLV_TTL && t.n >= 2 && (t.v[0] || t.v[1]);
}

bool lldp_parse(const unsigned char *frame, size_t n, struct lldp *out)
{
	const unsigned char *at = frame + HEAD, *end = frame + n;
	bool named = false, described = false, port_is_mac = false;
	struct lldp found = {0};
	struct tlv_at t;

	if (n < HEAD || frame[12] != LLDP_ETHERTYPE >> 8 || frame[13] != (LLDP_ETHERTYPE & 0xff) ||
	    !read_head(&at, end, &found, &port_is_mac))
		return false;
	/* Some leave the end out. */
	while (at < end) {
		if (!next(&at, end, &t))
			return false;
		if (t.type == TLV_END)
			break;
		if (t.type >= TLV_CHASSIS && t.type <= TLV_TTL)
			return false;
		if ((t.type == TLV_NAME && named) || (t.type == TLV_PORT_TEXT && described))
			return false;
		named |= t.type == TLV_NAME;
		described |= t.type == TLV_PORT_TEXT;
		if (t.type == TLV_NAME && t.n && t.v[0])
			api_doctor_clean(t.v, t.n, found.sw, sizeof(found.sw));
		/* A MAC tells nobody which port it is. */
		if (t.type == TLV_PORT_TEXT && port_is_mac && t.n && t.v[0])
			api_doctor_clean(t.v, t.n, found.port, sizeof(found.port));
	}
	*out = found;
	return true;
}
