/* SPDX-License-Identifier: Apache-2.0 */
/* What the card changes in table main, by which all goes whose source is not chosen yet. */
#include <linux/rtnetlink.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "macvlan/plan_host.h"
#include "macvlan/plan_priv.h"

/* Before the kernel's own routes to groups, which are at 256. */
#define METRIC_GROUP6 128

/*
 * The node's addresses that no connected route of the card covers. The node's side answers with its
 * own route; without this one what the pod sends would go by way of the LAN's router.
 */
void plan_host_routes(struct planner *p, const struct side *side, uint32_t table)
{
	struct seen_hop link = {.found = true, .oif = p->seen->card_index};
	const struct macvlan_node *host = &p->card->host;
	size_t i;

	for (i = 0; side->addr && i < host->n_addrs; i++) {
		struct ip_net node = ip_net_host(&host->addrs[i]);
		struct nl_route r = plan_route_by(&link, &node, table);

		if (node.addr.family != side->family || ip_net_has(side->addr, &node.addr))
			continue;
		if (table == RT_TABLE_MAIN)
			r.metric = seen_metric(p->seen, &r.dst);
		plan_route(p, &r);
	}
}

/*
 * Of the card's routes and of the primary's, the custom ones among them: which covers all of net most closely. Of two as
 * wide as each other it is the card's: a custom one takes the place of the primary's, and a connected one has the lower
 * metric.
 */
static bool leaves_by_card(const struct planner *p, const struct side *side,
			   const struct ip_net *net)
{
	int primary = seen_prefix(p->seen, net);
	int card = side->to.found && side->to.oif == p->seen->card_index ? 0 : -1;
	size_t i;

	if (side->addr && side->addr->prefix < net->prefix && ip_net_has(side->addr, &net->addr))
		card = side->addr->prefix;
	for (i = 0; i < p->card->n_routes; i++) {
		const struct macvlan_route *r = &p->card->routes[i];
		int *best = plan_on_card(p, r) ? &card : &primary;

		if (r->dst.prefix > *best && r->dst.prefix < net->prefix &&
		    ip_net_has(&r->dst, &net->addr))
			*best = r->dst.prefix;
	}
	return card >= primary;
}

static int without_gateway(const struct planner *p, const struct side *side,
			   const struct ip_net *net, struct err *e)
{
	AUTO(sb_done) struct sb tables = SB_INIT;
	char text[IP_NET_LEN];
	struct seen_tables t;
	size_t i;

	seen_tables(p->seen, side->family, &t);
	for (i = 0; i < t.n; i++) {
		if (t.v[i] == RT_TABLE_DEFAULT)
			sb_puts(&tables, ", default");
		else
			sb_printf(&tables, ", %u", t.v[i]);
	}
	return err_set(
		e, ERR_CONFIG, 0,
		"network %s of the cluster would leave by %s, since %s has no IPv%d gateway: there is none in "
		"the tables that its rules name (main%s), nor in the primary's result",
		ip_net_format(net, text), p->card->ifname, p->card->primary_ifname,
		side->family == AF_INET ? 4 : 6, sb_get(&tables));
}

/* Unless the primary has no address of that family: then nothing of it is the pod's way. */
static int keep_on_primary(struct planner *p, const struct side *side, const struct ip_net *net,
			   struct err *e)
{
	struct nl_route r;

	if (net->addr.family != side->family || net->prefix == 0 || !leaves_by_card(p, side, net))
		return 0;
	if (!side->primary.found)
		return seen_has_primary_addr(p->seen, side->family)
			       ? without_gateway(p, side, net, e)
			       : 0;
	r = plan_route_by(&side->primary, net, RT_TABLE_MAIN);
	r.metric = seen_metric(p->seen, &r.dst);
	plan_route(p, &r);
	return 0;
}

static int keep_list(struct planner *p, const struct side *side, const struct macvlan_nets *nets,
		     struct err *e)
{
	size_t i;

	for (i = 0; i < nets->n; i++) {
		if (keep_on_primary(p, side, &nets->v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* What no route of the card takes away: services, pods, node-local name servers. */
static int main_kept(struct planner *p, const struct side *side, struct err *e)
{
	static const struct ip_net local = {.addr = {AF_INET, {169, 254}}, .prefix = 16};
	size_t i;

	if (p->card->single)
		return 0;
	if (keep_list(p, side, &p->card->service_cidrs, e) < 0 ||
	    keep_list(p, side, &p->card->via_primary, e) < 0 ||
	    keep_list(p, side, &p->card->cluster_cidrs, e) < 0)
		return -1;
	for (i = 0; i < p->card->n_nameservers; i++) {
		struct ip_net host = ip_net_host(&p->card->nameservers[i]);

		if (ip_net_has(&local, &host.addr) && keep_on_primary(p, side, &host, e) < 0)
			return -1;
	}
	return 0;
}

static void by_node(struct planner *p, const struct side *side, const struct macvlan_nets *nets,
		    const struct ip_addr *node)
{
	struct seen_hop hop = {.found = true, .gw = *node, .oif = p->seen->card_index};
	size_t i;

	for (i = 0; i < nets->n; i++) {
		struct nl_route r;

		if (nets->v[i].addr.family != side->family || nets->v[i].prefix == 0)
			continue;
		r = plan_route_by(&hop, &nets->v[i], RT_TABLE_MAIN);
		plan_route(p, &r);
	}
}

/* Services and pods, for a pod without a primary: the node's own kube-proxy is asked, and it knows the way. */
static void main_by_node(struct planner *p, const struct side *side)
{
	const struct ip_addr *node = macvlan_host_src(&p->card->host, side->family);

	if (!p->card->single || !side->addr || !node)
		return;
	by_node(p, side, &p->card->service_cidrs, node);
	by_node(p, side, &p->card->cluster_cidrs, node);
}

/*
 * The kernel looks for IPv6 groups in its table of local addresses first, where each card has all of them at
 * metric 256; elsewhere the route would never be found.
 */
static void route_group6(struct nl_route *r)
{
	r->table = RT_TABLE_LOCAL;
	r->type = RTN_MULTICAST;
	r->metric = METRIC_GROUP6;
}

static int main_custom(struct planner *p, struct err *e)
{
	size_t i;

	for (i = 0; i < p->card->n_routes; i++) {
		const struct macvlan_route *r = &p->card->routes[i];
		struct seen_hop h = {0};
		struct nl_route route;

		if (r->dst.prefix == 0 || plan_custom_stands(p, r))
			continue;
		if (plan_custom_hop(p, r, &h, e) < 0)
			return -1;
		route = plan_route_by(&h, &r->dst, RT_TABLE_MAIN);
		if (plan_is_group6(r))
			route_group6(&route);
		else
			route.metric = seen_metric(p->seen, &route.dst);
		plan_route(p, &route);
	}
	return 0;
}

/*
 * REPLACE changes only the first default of its metric, so the others go one by one, and only once
 * ours stands.
 */
static void main_default(struct planner *p, const struct side *side)
{
	const struct nl_route *old = seen_default(p->seen, side->family, 0);
	struct ip_net any = ip_net_any(side->family);
	struct macvlan_op op = {.kind = MACVLAN_OP_DEFAULT};
	bool replaced = false;
	size_t i;

	if (!side->to.found)
		return;
	op.route = plan_route_by(&side->to, &any, RT_TABLE_MAIN);
	op.route.metric = seen_metric(p->seen, &any);
	if (old)
		op.route.metric = old->metric;
	plan_push(p, &op);
	for (i = 0; i < p->seen->n_routes; i++) {
		const struct nl_route *r = &p->seen->routes[i];
		struct macvlan_op gone = {.kind = MACVLAN_OP_DELETE_ROUTE, .route = *r};

		if (!seen_is_default(r, side->family))
			continue;
		if (!replaced && r->metric == op.route.metric && !r->tos)
			replaced = true;
		else
			plan_push(p, &gone);
	}
}

int plan_main(struct planner *p, struct err *e)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(p->sides); i++) {
		plan_host_routes(p, &p->sides[i], RT_TABLE_MAIN);
		main_by_node(p, &p->sides[i]);
		if (main_kept(p, &p->sides[i], e) < 0)
			return -1;
	}
	if (main_custom(p, e) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(p->sides); i++)
		main_default(p, &p->sides[i]);
	return 0;
}
