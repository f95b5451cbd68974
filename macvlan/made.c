/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/made.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/nl/link.h"
#include "lib/nl/route.h"
#include "lib/nl/rule.h"

/* What the kernel makes of an IPv6 route without a metric, and of its own connected ones. */
#define METRIC_USER6      1024
#define METRIC_CONNECTED6 256

void made_link(const struct nl_link *l, const char *name, struct sb *out)
{
	char mac[MAC_ADDR_LEN];

	sb_printf(out, "link %s kind %s\n", name, l->kind);
	sb_printf(out, "link %s mac %s\n", name, mac_format(&l->mac, mac));
	sb_printf(out, "link %s mtu %u\n", name, l->mtu);
	sb_printf(out, "link %s parent %d\n", name, l->parent);
	sb_printf(out, "link %s state %s\n", name, l->flags & IFF_UP ? "up" : "down");
}

void made_addr(const struct ip_net *addr, const char *dev, struct sb *out)
{
	char buf[IP_NET_LEN];

	sb_printf(out, "address %s dev %s\n", ip_net_format(addr, buf), dev);
}

void made_connected(const struct ip_net *addr, const char *dev, struct sb *out)
{
	struct nl_route r = {.dst = {ip_net_base(addr), addr->prefix}};

	if (addr->prefix >= ip_bits(&addr->addr))
		return;
	if (addr->addr.family == AF_INET)
		r.src = addr->addr;
	else
		r.metric = METRIC_CONNECTED6;
	made_route(&r, dev, out);
}

/* "default" stands for IPv4 alone: a default without a gateway would not tell its family. */
static void put_dst(const struct ip_net *dst, const char *word, struct sb *out)
{
	char buf[IP_NET_LEN];

	sb_puts(out, "route ");
	if (word)
		sb_printf(out, "%s ", word);
	if (dst->addr.family == AF_INET && dst->prefix == 0)
		sb_puts(out, "default");
	else
		sb_puts(out, ip_net_format(dst, buf));
}

void made_route(const struct nl_route *r, const char *dev, struct sb *out)
{
	const char *word = nl_route_type_word(r);
	uint32_t metric = r->metric;
	char buf[IP_NET_LEN];

	if (r->type && r->type != RTN_UNICAST && r->type != RTN_MULTICAST && !word)
		return;
	if (!metric && r->dst.addr.family == AF_INET6)
		metric = METRIC_USER6;
	put_dst(&r->dst, word, out);
	if (ip_is_set(&r->from.addr))
		sb_printf(out, " from %s", ip_net_format(&r->from, buf));
	if (ip_is_set(&r->gw))
		sb_printf(out, " via %s", ip_format(&r->gw, buf));
	/* IPv6 shows the loopback there, IPv4 nothing. */
	if (!word)
		sb_printf(out, " dev %s", dev);
	if (r->table && r->table != RT_TABLE_MAIN)
		sb_printf(out, " table %u", r->table);
	if (ip_is_set(&r->src))
		sb_printf(out, " src %s", ip_format(&r->src, buf));
	if (metric)
		sb_printf(out, " metric %u", metric);
	if (r->tos)
		sb_printf(out, " tos %u", r->tos);
	nl_route_format_more(r, out);
	sb_putc(out, '\n');
}

void made_rule(const struct nl_rule *r, struct sb *out)
{
	char buf[IP_NET_LEN];
	bool host = ip_is_set(&r->from.addr) && r->from.prefix == ip_bits(&r->from.addr);

	sb_printf(out, "rule %u from %s lookup %u\n", r->preference,
		  !ip_is_set(&r->from.addr) ? "all"
		  : host                    ? ip_format(&r->from.addr, buf)
					    : ip_net_format(&r->from, buf),
		  r->table);
}

bool made_routes_net(const char *made, const struct ip_net *dst)
{
	const struct ip_net net = {ip_net_base(dst), dst->prefix};
	AUTO(sb_done) struct sb key = SB_INIT;
	const char *line, *end;

	put_dst(&net, NULL, &key);
	sb_putc(&key, ' ');
	for (line = made; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (str_starts(line, sb_get(&key)) &&
		    !memmem(line, (size_t)(end - line), " table ", strlen(" table ")))
			return true;
	}
	return false;
}
