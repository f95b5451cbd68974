/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables that what leaves with an address of the primary's card, or of ours, is routed by. */
#include <linux/rtnetlink.h>

#include "lib/base/mem.h"
#include "lib/nl/addr.h"
#include "macvlan/plan_priv.h"

/* IP6_RT_PRIO_ADDRCONF: the metric of the kernel's own connected IPv6 routes. */
#define METRIC_CONNECTED6 256

static void rule(struct planner *p, const struct ip_addr *from, uint32_t pref, uint32_t table)
{
	struct macvlan_op op = {
		.kind = MACVLAN_OP_RULE,
		.rule = {.family = from->family,
			 .preference = pref,
			 .from = ip_net_host(from),
			 .table = table},
	};

	plan_push(p, &op);
}

/* A copy as our own, with all that the kernel shows of it. */
static void copy_route(struct planner *p, const struct nl_route *r, uint32_t table)
{
	struct nl_route copy = *r;

	copy.raw_len = 0;
	copy.protocol = 0;
	copy.table = table;
	plan_route(p, &copy);
}

/* It stands between r and the default that does the same: what r is for would go there. */
static bool is_between(const struct nl_route *o, const struct nl_route *r,
		       const struct nl_route *any)
{
	if (o->dst.prefix == 0 ? !o->tos && !seen_is_nowhere(o) : nl_route_same_way(o, any))
		return false;
	return o->dst.prefix < r->dst.prefix && ip_net_has(&o->dst, &r->dst.addr);
}

/* The default of the primary's table does the same for what goes there. */
static bool is_like_default(const struct side *side, const struct nl_route *r)
{
	const struct nl_route *any = side->primary.like;
	size_t i;

	if (!any || !nl_route_same_way(r, any))
		return false;
	for (i = 0; i < side->n_own; i++) {
		if (is_between(side->own[i], r, any))
			return false;
	}
	return true;
}

/* With a gateway only what the default of the table would not do. */
static void copy_primary(struct planner *p, const struct side *side, bool with_gw)
{
	size_t i;

	for (i = 0; i < side->n_own; i++) {
		const struct nl_route *r = side->own[i];

		if (r->dst.prefix > 0 && seen_has_gateway(r) == with_gw &&
		    !is_like_default(side, r))
			copy_route(p, r, MACVLAN_TABLE_PRIMARY);
	}
}

/* Of those at one metric the first counts. */
static size_t copy_defaults(struct planner *p, const struct side *side)
{
	const struct nl_route *const *own = side->own;
	size_t i, k, n = 0;

	for (i = 0; i < side->n_own; i++) {
		if (own[i]->dst.prefix > 0)
			continue;
		for (k = 0; k < i; k++) {
			if (own[k]->dst.prefix == 0 && own[k]->metric == own[i]->metric &&
			    own[k]->tos == own[i]->tos)
				break;
		}
		if (k < i)
			continue;
		copy_route(p, own[i], MACVLAN_TABLE_PRIMARY);
		n += !own[i]->tos;
	}
	return n;
}

/* Custom routes of one card into its table; the default is not among them. */
static int custom_into(struct planner *p, const struct side *side, bool card, struct err *e)
{
	uint32_t table = card ? MACVLAN_TABLE_CARD : MACVLAN_TABLE_PRIMARY;
	size_t i;

	for (i = 0; i < p->card->n_routes; i++) {
		const struct macvlan_route *r = &p->card->routes[i];
		struct seen_hop h = {0};
		struct nl_route route;

		if (r->dst.addr.family != side->family || r->dst.prefix == 0 ||
		    plan_on_card(p, r) != card || plan_is_group6(r))
			continue;
		if (card && plan_custom_stands(p, r))
			continue;
		if (plan_custom_hop(p, r, &h, e) < 0)
			return -1;
		if (!card && side->primary.found && ip_eq(&h.gw, &side->primary.gw))
			continue;
		route = plan_route_by(&h, &r->dst, table);
		plan_route(p, &route);
	}
	return 0;
}

static int table_primary(struct planner *p, const struct side *side, struct err *e)
{
	struct ip_net any = ip_net_any(side->family);

	if (!seen_has_primary_addr(p->seen, side->family))
		return 0;
	/* Connected ones first: a gateway is looked up among them. */
	copy_primary(p, side, false);
	copy_primary(p, side, true);
	if (custom_into(p, side, false, e) < 0)
		return -1;
	if (!copy_defaults(p, side) && side->primary.found) {
		struct nl_route r = plan_route_by(&side->primary, &any, MACVLAN_TABLE_PRIMARY);

		plan_route(p, &r);
	}
	return 0;
}

/* The connected routes that the kernel makes in main, again in the card's table. */
static void table_card_connected(struct planner *p, const struct side *side)
{
	struct seen_hop link = {.found = true, .oif = p->seen->card_index};
	struct nl_route r;

	if (side->addr->prefix < ip_bits(&side->addr->addr)) {
		r = plan_route_by(&link, side->addr, MACVLAN_TABLE_CARD);
		if (side->family == AF_INET)
			r.src = side->addr->addr;
		else
			r.metric = METRIC_CONNECTED6;
		plan_route(p, &r);
	}
	if (side->family == AF_INET6) {
		struct ip_net local = {.addr = {AF_INET6, {0xfe, 0x80}}, .prefix = 64};

		r = plan_route_by(&link, &local, MACVLAN_TABLE_CARD);
		r.metric = METRIC_CONNECTED6;
		plan_route(p, &r);
	}
}

static int table_card(struct planner *p, const struct side *side, struct err *e)
{
	struct seen_hop h = plan_card_hop(p, side, &side->gw);
	struct ip_net any = ip_net_any(side->family);

	if (!side->addr)
		return 0;
	table_card_connected(p, side);
	plan_host_routes(p, side, MACVLAN_TABLE_CARD);
	if (custom_into(p, side, true, e) < 0)
		return -1;
	if (side->to.found && side->to.oif == p->seen->card_index)
		h = side->to;
	if (ip_is_set(&h.gw) || macvlan_is_routed(p->card)) {
		struct nl_route r = plan_route_by(&h, &any, MACVLAN_TABLE_CARD);

		plan_route(p, &r);
	}
	return 0;
}

static void rules(struct planner *p, const struct side *side)
{
	size_t i;

	for (i = 0; i < p->seen->n_addrs; i++) {
		const struct nl_addr *a = &p->seen->addrs[i];

		if (seen_is_primary_addr(p->seen, a, side->family))
			rule(p, &a->addr.addr, MACVLAN_PREF_PRIMARY, MACVLAN_TABLE_PRIMARY);
	}
	if (side->addr)
		rule(p, &side->addr->addr, MACVLAN_PREF_CARD, MACVLAN_TABLE_CARD);
}

int plan_tables(struct planner *p, struct err *e)
{
	size_t i;

	if (p->card->single)
		return 0;
	for (i = 0; i < ARRAY_SIZE(p->sides); i++) {
		if (table_primary(p, &p->sides[i], e) < 0 || table_card(p, &p->sides[i], e) < 0)
			return -1;
		rules(p, &p->sides[i]);
	}
	return 0;
}
