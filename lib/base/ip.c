/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"

int ip_parse(const char *s, struct ip_addr *out)
{
	struct ip_addr a = {0};

	if (!s)
		return -1;
	a.family = strchr(s, ':') ? AF_INET6 : AF_INET;
	/* inet_pton takes neither zones, blanks, short forms nor leading zeros. */
	if (inet_pton(a.family, s, a.b) != 1)
		return -1;
	*out = a;
	return 0;
}

int ip_net_parse(const char *s, struct ip_net *out)
{
	const char *slash = s ? strrchr(s, '/') : NULL;
	char text[IP_ADDR_LEN];
	struct ip_net n;
	uint32_t prefix;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return -1;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (ip_parse(text, &n.addr) < 0)
		return -1;
	/* "/08" would read as 8; Kubernetes refuses it, so do we. */
	if (slash[1] == '0' && slash[2])
		return -1;
	if (parse_u32(slash + 1, ip_bits(&n.addr), &prefix) < 0)
		return -1;
	n.prefix = (uint8_t)prefix;
	*out = n;
	return 0;
}

char *ip_format(const struct ip_addr *a, char buf[IP_ADDR_LEN])
{
	buf[0] = '\0';
	if (a->family)
		inet_ntop(a->family, a->b, buf, IP_ADDR_LEN);
	return buf;
}

char *ip_net_format(const struct ip_net *n, char buf[IP_NET_LEN])
{
	char addr[IP_ADDR_LEN];

	buf[0] = '\0';
	if (n->addr.family)
		snprintf(buf, IP_NET_LEN, "%s/%u", ip_format(&n->addr, addr), n->prefix);
	return buf;
}

bool ip_is_set(const struct ip_addr *a)
{
	return a->family != 0;
}

size_t ip_bytes(const struct ip_addr *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

unsigned int ip_bits(const struct ip_addr *a)
{
	return (unsigned int)ip_bytes(a) * 8;
}

int ip_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family == AF_INET || !a->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int ip_add(const struct ip_addr *a, uint64_t n, struct ip_addr *out)
{
	struct ip_addr r = *a;
	size_t i = ip_bytes(a);

	while (n && i--) {
		uint64_t sum = (uint64_t)r.b[i] + (n & 0xff);

		r.b[i] = (uint8_t)sum;
		n = (n >> 8) + (sum >> 8);
	}
	if (n)
		return -1;
	*out = r;
	return 0;
}

uint64_t ip_distance(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t diff = 0;
	unsigned int borrow = 0;
	uint8_t d[16] = {0};
	size_t n = ip_bytes(a), i;

	if (a->family != b->family || ip_cmp(a, b) > 0)
		return UINT64_MAX;
	for (i = n; i--;) {
		int v = b->b[i] - a->b[i] - (int)borrow;

		borrow = v < 0;
		d[i] = (uint8_t)v;
	}
	for (i = 0; i < n; i++) {
		if (diff >> 56)
			return UINT64_MAX;
		diff = diff << 8 | d[i];
	}
	return diff;
}

static struct ip_addr with_host_bits(const struct ip_net *n, uint8_t fill)
{
	struct ip_addr a = n->addr;
	size_t i;

	for (i = 0; i < ip_bytes(&a); i++) {
		int keep = (int)n->prefix - (int)i * 8;
		uint8_t mask = keep >= 8 ? 0xff : keep <= 0 ? 0 : (uint8_t)(0xff << (8 - keep));

		a.b[i] = (uint8_t)((a.b[i] & mask) | (fill & ~mask));
	}
	return a;
}

struct ip_addr ip_net_base(const struct ip_net *n)
{
	return with_host_bits(n, 0);
}

struct ip_addr ip_net_last(const struct ip_net *n)
{
	return with_host_bits(n, 0xff);
}

bool ip_net_has(const struct ip_net *n, const struct ip_addr *a)
{
	struct ip_net other = {*a, n->prefix};
	struct ip_addr x, y;

	if (n->addr.family != a->family || !a->family)
		return false;
	x = ip_net_base(n);
	y = ip_net_base(&other);
	return ip_eq(&x, &y);
}

bool ip_is_linklocal(const struct ip_addr *a)
{
	static const struct ip_net net4 = {.addr = {AF_INET, {169, 254}}, .prefix = 16};
	static const struct ip_net net6 = {.addr = {AF_INET6, {0xfe, 0x80}}, .prefix = 10};

	return ip_net_has(a->family == AF_INET ? &net4 : &net6, a);
}

bool ip_is_multicast(const struct ip_addr *a)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (a->family == AF_INET)
		return (a->b[0] & 0xf0) == 224 || memcmp(a->b, broadcast, sizeof(broadcast)) == 0;
	return a->family == AF_INET6 && a->b[0] == 0xff;
}

bool ip_net_overlaps(const struct ip_net *a, const struct ip_net *b)
{
	return a->prefix <= b->prefix ? ip_net_has(a, &b->addr) : ip_net_has(b, &a->addr);
}

bool ip_net_eq(const struct ip_net *a, const struct ip_net *b)
{
	return a->prefix == b->prefix && ip_net_has(a, &b->addr);
}

struct ip_net ip_net_host(const struct ip_addr *a)
{
	return (struct ip_net){*a, (uint8_t)ip_bits(a)};
}

struct ip_net ip_net_any(uint8_t family)
{
	return (struct ip_net){{.family = family}, 0};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *s, struct mac_addr *out)
{
	struct mac_addr m;
	int i;

	if (!s || strlen(s) != MAC_ADDR_LEN - 1)
		return -1;
	for (i = 0; i < 6; i++, s += 3) {
		int hi = hex_digit(s[0]), lo = hex_digit(s[1]);

		if (hi < 0 || lo < 0 || (i < 5 && s[2] != ':'))
			return -1;
		m.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*out = m;
	return 0;
}

char *mac_format(const struct mac_addr *m, char buf[MAC_ADDR_LEN])
{
	snprintf(buf, MAC_ADDR_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		 m->b[3], m->b[4], m->b[5]);
	return buf;
}

bool mac_is_usable(const struct mac_addr *m)
{
	static const struct mac_addr zero;

	return !(m->b[0] & 1) && !mac_eq(m, &zero);
}

bool mac_is_local(const struct mac_addr *m)
{
	return (m->b[0] & 3) == 2;
}

bool mac_eq(const struct mac_addr *a, const struct mac_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
