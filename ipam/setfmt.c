/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a set as text and back: what stands in a subnet's status. */
#include "ipam/set.h"

#include <string.h>

#define HEX_LEN 64

static bool has_bit(const struct ipam_block *b, unsigned int i)
{
	return b->w[i / 64] >> (i % 64) & 1;
}

static void put_bit(struct ipam_block *b, unsigned int i)
{
	b->w[i / 64] |= 1ULL << (i % 64);
}

static void format_runs(const struct ipam_block *b, struct sb *out)
{
	bool decimal = b->base.family == AF_INET;
	const char *sep = "";

	for (unsigned int i = 0; i < IPAM_BLOCK_BITS; i++) {
		unsigned int end = i;

		if (!has_bit(b, i))
			continue;
		while (end + 1 < IPAM_BLOCK_BITS && has_bit(b, end + 1))
			end++;
		sb_printf(out, decimal ? "%s%u" : "%s%x", sep, i);
		if (end > i)
			sb_printf(out, decimal ? "-%u" : "-%x", end);
		sep = ",";
		i = end;
	}
}

/* Byte after byte from address 0 up, the lowest address in the highest bit. */
static void format_hex(const struct ipam_block *b, struct sb *out)
{
	sb_putc(out, 'x');
	for (unsigned int byte = 0; byte < IPAM_BLOCK_BITS / 8; byte++) {
		unsigned int v = 0;

		for (unsigned int i = 0; i < 8; i++)
			v = v << 1 | has_bit(b, byte * 8 + i);
		sb_printf(out, "%02x", v);
	}
}

void ipam_block_format(const struct ipam_block *b, struct sb *out)
{
	AUTO(sb_done) struct sb runs = SB_INIT;
	char addr[IP_ADDR_LEN];

	sb_printf(out, "%s/%d ", ip_format(&b->base, addr), b->base.family == AF_INET ? 24 : 120);
	format_runs(b, &runs);
	if (runs.len <= HEX_LEN)
		sb_puts(out, sb_get(&runs));
	else
		format_hex(b, out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int parse_hex(const char *s, struct ipam_block *b)
{
	if (strlen(s) != HEX_LEN)
		return -1;
	for (unsigned int i = 0; i < HEX_LEN; i++) {
		int v = hex_digit(s[i]);

		if (v < 0)
			return -1;
		for (unsigned int bit = 0; bit < 4; bit++) {
			if (v >> (3 - bit) & 1)
				put_bit(b, i * 4 + bit);
		}
	}
	return 0;
}

/* A number of the last byte; the digits end at *s afterwards. */
static int parse_number(const char **s, int base, unsigned int *out)
{
	unsigned int v = 0, digits = 0;

	for (; digits < 4; digits++, (*s)++) {
		int d = hex_digit(**s);

		if (d < 0 || d >= base)
			break;
		v = v * (unsigned int)base + (unsigned int)d;
	}
	*out = v;
	return digits && v < IPAM_BLOCK_BITS ? 0 : -1;
}

static int parse_runs(const char *s, struct ipam_block *b)
{
	int base = b->base.family == AF_INET ? 10 : 16;

	for (;;) {
		unsigned int low, high;

		if (parse_number(&s, base, &low) < 0)
			return -1;
		high = low;
		if (*s == '-') {
			s++;
			if (parse_number(&s, base, &high) < 0 || high < low)
				return -1;
		}
		for (unsigned int i = low; i <= high; i++)
			put_bit(b, i);
		if (!*s)
			return 0;
		if (*s++ != ',')
			return -1;
	}
}

static int parse_block(const char *text, struct ipam_block *b)
{
	const char *space = strchr(text, ' ');
	char head[IP_NET_LEN];
	struct ip_net net;
	struct ip_addr base;

	if (!space || (size_t)(space - text) >= sizeof(head))
		return -1;
	memcpy(head, text, (size_t)(space - text));
	head[space - text] = '\0';
	if (ip_net_parse(head, &net) < 0 || net.prefix != ip_bits(&net.addr) - 8)
		return -1;
	base = ip_net_base(&net);
	if (!ip_eq(&base, &net.addr))
		return -1;
	b->base = base;
	return space[1] == 'x' ? parse_hex(space + 2, b) : parse_runs(space + 1, b);
}

int ipam_set_parse_block(struct ipam_set *s, const char *text, struct err *e)
{
	struct ipam_block b = {0};
	struct ipam_set one = {&b, 1, 1};

	if (parse_block(text, &b) < 0)
		return err_set(e, ERR_DECODE, 0, "\"%.100s\" is not a block of addresses", text);
	if (b.w[0] | b.w[1] | b.w[2] | b.w[3])
		ipam_set_unite(s, &one);
	return 0;
}
