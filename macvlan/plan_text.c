/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>

#include "lib/base/sb.h"
#include "macvlan/plan.h"

static void text_dev(int index, const struct macvlan_card *card, const struct macvlan_seen *seen,
		     struct sb *out)
{
	if (index == seen->card_index)
		sb_printf(out, " dev %s", card->ifname);
	else if (index && index == seen->primary_index)
		sb_printf(out, " dev %s", card->primary_ifname);
	else if (index)
		sb_printf(out, " dev if%d", index);
}

static void text_route(const struct nl_route *r, struct sb *out)
{
	const char *word = r->type == RTN_MULTICAST ? "multicast" : nl_route_type_word(r);
	char buf[IP_NET_LEN];

	if (word)
		sb_printf(out, "%s ", word);
	sb_puts(out, r->dst.prefix ? ip_net_format(&r->dst, buf) : "default");
	if (ip_is_set(&r->from.addr))
		sb_printf(out, " from %s", ip_net_format(&r->from, buf));
	if (ip_is_set(&r->gw))
		sb_printf(out, " via %s", ip_format(&r->gw, buf));
	if (r->multipath)
		sb_puts(out, " multipath");
}

static void text_route_rest(const struct nl_route *r, struct sb *out)
{
	char buf[IP_ADDR_LEN];

	if (r->table && r->table != RT_TABLE_MAIN)
		sb_printf(out, " table %u", r->table);
	if (r->scope == RT_SCOPE_LINK)
		sb_puts(out, " scope link");
	if (ip_is_set(&r->src))
		sb_printf(out, " src %s", ip_format(&r->src, buf));
	if (r->metric)
		sb_printf(out, " metric %u", r->metric);
	if (r->tos)
		sb_printf(out, " tos %u", r->tos);
	if (r->onlink)
		sb_puts(out, " onlink");
	nl_route_format_more(r, out);
}

void macvlan_op_format(const struct macvlan_op *op, const struct macvlan_card *card,
		       const struct macvlan_seen *seen, struct sb *out)
{
	char buf[IP_NET_LEN], mac[MAC_ADDR_LEN];

	switch (op->kind) {
	case MACVLAN_OP_ADDR:
		sb_printf(out, "address %s dev %s", ip_net_format(&op->addr, buf), card->ifname);
		return;
	case MACVLAN_OP_UP:
		sb_printf(out, "up %s", card->ifname);
		return;
	case MACVLAN_OP_NEIGH:
		sb_printf(out, "neighbour %s lladdr %s dev %s", ip_format(&op->addr.addr, buf),
			  mac_format(&op->mac, mac), card->ifname);
		return;
	case MACVLAN_OP_RULE:
		sb_printf(out, "rule %u from %s lookup %u", op->rule.preference,
			  ip_format(&op->rule.from.addr, buf), op->rule.table);
		return;
	case MACVLAN_OP_ROUTE:
		sb_puts(out, "route ");
		break;
	case MACVLAN_OP_DEFAULT:
		sb_puts(out, "replace ");
		break;
	case MACVLAN_OP_DELETE_ROUTE:
		sb_puts(out, "delete ");
		break;
	}
	text_route(&op->route, out);
	text_dev(op->route.oif, card, seen, out);
	text_route_rest(&op->route, out);
}
