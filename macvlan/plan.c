/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/plan.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/nl/addr.h"
#include "macvlan/plan_host.h"
#include "macvlan/seen.h"

/* IP6_RT_PRIO_ADDRCONF: the metric of the kernel's own connected IPv6 routes. */
#define METRIC_CONNECTED6 256
/* All that concerns one address family. */
struct side {
	uint8_t family;
	const struct ip_net *addr; /* of the card; NULL = it has none in this family */
	struct ip_addr gw;         /* of the subnet, may be unset */
	struct seen_hop primary;   /* the primary's gateway */
	struct seen_hop to;        /* where the default route shall lead; !found = leave it */
};

struct planner {
	const struct macvlan_card *card;
	const struct macvlan_seen *seen;
	struct macvlan_plan plan;
	struct side sides[2];
};

/* ------------------------------------------------------------------ collecting operations */

static void plan_push(struct planner *p, const struct macvlan_op *op)
{
	struct macvlan_plan *plan = &p->plan;

	plan->ops = xreallocarray(plan->ops, plan->n + 1, sizeof(*plan->ops));
	plan->ops[plan->n++] = *op;
}

static bool route_same(const struct nl_route *a, const struct nl_route *b)
{
	return a->oif == b->oif && a->onlink == b->onlink && a->scope == b->scope &&
	       a->metric == b->metric && !memcmp(&a->gw, &b->gw, sizeof(a->gw)) &&
	       !memcmp(&a->src, &b->src, sizeof(a->src));
}

/* A network named twice is set once; where the two differ the later one counts. */
static void plan_route(struct planner *p, const struct nl_route *r)
{
	struct macvlan_op op = {.kind = MACVLAN_OP_ROUTE, .route = *r};
	size_t i;

	for (i = 0; i < p->plan.n; i++) {
		struct macvlan_op *old = &p->plan.ops[i];

		if (old->kind != MACVLAN_OP_ROUTE || old->route.table != r->table ||
		    old->route.metric != r->metric || !ip_net_eq(&old->route.dst, &r->dst))
			continue;
		if (route_same(&old->route, r))
			return;
		memmove(old, old + 1, (--p->plan.n - i) * sizeof(*old));
		break;
	}
	plan_push(p, &op);
}

static struct nl_route route_by(const struct seen_hop *h, const struct ip_net *dst, uint32_t table)
{
	return (struct nl_route){
		.dst = {.addr = ip_net_base(dst), .prefix = dst->prefix},
		.gw = h->gw,
		.oif = h->oif,
		.onlink = h->onlink,
		.table = table,
		.scope = ip_is_set(&h->gw) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
}

/* ------------------------------------------------------------------ the card's wishes */

static struct side *side_of(struct planner *p, uint8_t family)
{
	return &p->sides[family == AF_INET6];
}

static void take_addr(struct planner *p, const struct ip_net *addr, const struct ip_addr *gw)
{
	struct side *side;

	if (!ip_is_set(&addr->addr))
		return;
	side = side_of(p, addr->addr.family);
	side->addr = addr;
	if (gw->family == side->family)
		side->gw = *gw;
}

static bool on_card(const struct planner *p, const struct macvlan_route *r)
{
	return p->card->single || r->iface == MACVLAN_IFACE_CARD;
}

/* The next hop of a custom route. */
static int custom_hop(struct planner *p, const struct macvlan_route *r, struct seen_hop *out,
		      struct err *e)
{
	const struct side *side = side_of(p, r->dst.addr.family);
	bool card = on_card(p, r);
	struct seen_hop h = {.found = true, .oif = p->seen->card_index, .gw = side->gw};
	char dst[IP_NET_LEN];

	ip_net_format(&r->dst, dst);
	if (ip_is_set(&r->gw) && r->gw.family != r->dst.addr.family)
		return err_set(e, ERR_CONFIG, 0, "route %s: its gateway is of the other family",
			       dst);
	if (card && !side->addr)
		return err_set(e, ERR_CONFIG, 0, "route %s: %s has no address of that family", dst,
			       p->card->ifname);
	if (!card) {
		h = side->primary;
		h.oif = p->seen->primary_index;
	}
	if (ip_is_set(&r->gw)) {
		h.gw = r->gw;
		/* A Calico-like gateway lies in no network; another one is taken at its word. */
		h.onlink = !card && side->primary.onlink && ip_eq(&r->gw, &side->primary.gw);
		h.found = true;
	}
	if (!h.found)
		return err_set(e, ERR_CONFIG, 0, "route %s: %s has no gateway", dst,
			       p->card->primary_ifname);
	if (card && r->dst.prefix == 0 && !ip_is_set(&h.gw) && !macvlan_is_routed(p->card))
		return err_set(e, ERR_CONFIG, 0, "route %s: there is no gateway", dst);
	*out = h;
	return 0;
}

/* Where the default route of a family shall lead: podDefaultGateway or a custom route to 0/0 says. */
static int take_custom_default(struct planner *p, const struct macvlan_route *r, struct err *e)
{
	struct side *side = side_of(p, r->dst.addr.family);
	struct seen_hop h = {0};

	if (custom_hop(p, r, &h, e) < 0)
		return -1;
	if (side->to.found && side->to.oif != h.oif)
		return err_set(e, ERR_CONFIG, 0,
			       "a default route through %s contradicts the one through %s",
			       p->card->primary_ifname, p->card->ifname);
	/* The primary's default as it stands. */
	if (!on_card(p, r) && !ip_is_set(&r->gw))
		return 0;
	side->to = h;
	return 0;
}

static int take_defaults(struct planner *p, struct err *e)
{
	bool any = false;
	size_t i;

	for (i = 0; p->card->default_gateway && i < ARRAY_SIZE(p->sides); i++) {
		struct side *side = &p->sides[i];

		if (!side->addr || (!ip_is_set(&side->gw) && !macvlan_is_routed(p->card)))
			continue;
		side->to = (struct seen_hop){true, side->gw, false, p->seen->card_index};
		any = true;
	}
	if (p->card->default_gateway && !any)
		return err_set(e, ERR_CONFIG, 0,
			       "podDefaultGateway is on, but the subnet has no gateway");
	for (i = 0; i < p->card->n_routes; i++) {
		if (p->card->routes[i].dst.prefix == 0 &&
		    take_custom_default(p, &p->card->routes[i], e) < 0)
			return -1;
	}
	return 0;
}

static int take_card(struct planner *p, struct err *e)
{
	size_t i;

	p->sides[0].family = AF_INET;
	p->sides[1].family = AF_INET6;
	take_addr(p, &p->card->addr, &p->card->gateway);
	take_addr(p, &p->card->addr6, &p->card->gateway6);
	if (!p->sides[0].addr && !p->sides[1].addr)
		return err_set(e, ERR_CONFIG, 0, "%s has no address", p->card->ifname);
	for (i = 0; i < ARRAY_SIZE(p->sides); i++)
		p->sides[i].primary = seen_gateway(p->seen, p->sides[i].family);
	return take_defaults(p, e);
}

/* The kernel or the primary made this route, and nothing else is asked for. */
static bool custom_stands(const struct planner *p, const struct macvlan_route *r)
{
	const struct side *side = &p->sides[r->dst.addr.family == AF_INET6];
	size_t i;

	if (on_card(p, r))
		return side->addr && ip_net_eq(&r->dst, side->addr);
	for (i = 0; !ip_is_set(&r->gw) && i < p->seen->n_routes; i++) {
		const struct nl_route *s = &p->seen->routes[i];

		if (seen_is_primary(p->seen, s, side->family) && ip_net_eq(&s->dst, &r->dst))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the primary's table, the card's */

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

/* A copy of one of main's routes, as our own. */
static void copy_route(struct planner *p, const struct nl_route *r, uint32_t table)
{
	struct nl_route copy = {
		.dst = r->dst,
		.gw = r->gw,
		.src = r->src,
		.oif = r->oif,
		.table = table,
		.metric = r->metric,
		.scope = r->scope,
		.tos = r->tos,
		.onlink = r->onlink,
	};

	plan_route(p, &copy);
}

/* Routes of main on the primary's card; with a gateway only those that differ from T0's default. */
static void copy_primary(struct planner *p, const struct side *side, bool with_gw)
{
	size_t i;

	for (i = 0; i < p->seen->n_routes; i++) {
		const struct nl_route *r = &p->seen->routes[i];

		if (!seen_is_primary(p->seen, r, side->family) || r->dst.prefix == 0 ||
		    ip_is_set(&r->gw) != with_gw)
			continue;
		if (!with_gw || !side->primary.found || !ip_eq(&r->gw, &side->primary.gw))
			copy_route(p, r, MACVLAN_TABLE_PRIMARY);
	}
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
		    on_card(p, r) != card)
			continue;
		if (card && custom_stands(p, r))
			continue;
		if (custom_hop(p, r, &h, e) < 0)
			return -1;
		if (!card && side->primary.found && ip_eq(&h.gw, &side->primary.gw))
			continue;
		route = route_by(&h, &r->dst, table);
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
	if (side->primary.found) {
		struct nl_route r = route_by(&side->primary, &any, MACVLAN_TABLE_PRIMARY);

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
		r = route_by(&link, side->addr, MACVLAN_TABLE_CARD);
		if (side->family == AF_INET)
			r.src = side->addr->addr;
		else
			r.metric = METRIC_CONNECTED6;
		plan_route(p, &r);
	}
	if (side->family == AF_INET6) {
		struct ip_net local = {.addr = {AF_INET6, {0xfe, 0x80}}, .prefix = 64};

		r = route_by(&link, &local, MACVLAN_TABLE_CARD);
		r.metric = METRIC_CONNECTED6;
		plan_route(p, &r);
	}
}

/*
 * The node's addresses that no connected route of the card covers. The node's side answers with its
 * own route; without this one what the pod sends would go by way of the LAN's router.
 */
static void host_routes(struct planner *p, const struct side *side, uint32_t table)
{
	struct seen_hop link = {.found = true, .oif = p->seen->card_index};
	const struct macvlan_node *host = &p->card->host;
	size_t i;

	for (i = 0; side->addr && i < host->n_addrs; i++) {
		struct ip_net node = ip_net_host(&host->addrs[i]);
		struct nl_route r = route_by(&link, &node, table);

		if (node.addr.family != side->family || ip_net_has(side->addr, &node.addr))
			continue;
		if (table == RT_TABLE_MAIN)
			r.metric = seen_metric(p->seen, &r.dst);
		plan_route(p, &r);
	}
}

static int table_card(struct planner *p, const struct side *side, struct err *e)
{
	struct seen_hop h = {.found = true, .oif = p->seen->card_index, .gw = side->gw};
	struct ip_net any = ip_net_any(side->family);

	if (!side->addr)
		return 0;
	table_card_connected(p, side);
	host_routes(p, side, MACVLAN_TABLE_CARD);
	if (custom_into(p, side, true, e) < 0)
		return -1;
	if (side->to.found && side->to.oif == p->seen->card_index)
		h = side->to;
	if (ip_is_set(&h.gw) || macvlan_is_routed(p->card)) {
		struct nl_route r = route_by(&h, &any, MACVLAN_TABLE_CARD);

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

/* ------------------------------------------------------------------ table main */

static void keep_on_primary(struct planner *p, const struct side *side, const struct ip_net *net)
{
	struct nl_route r;

	if (net->addr.family != side->family || net->prefix == 0 || seen_covers(p->seen, net))
		return;
	r = route_by(&side->primary, net, RT_TABLE_MAIN);
	r.metric = seen_metric(p->seen, &r.dst);
	plan_route(p, &r);
}

static void keep_list(struct planner *p, const struct side *side, const struct macvlan_nets *nets)
{
	size_t i;

	for (i = 0; i < nets->n; i++)
		keep_on_primary(p, side, &nets->v[i]);
}

/* What must not follow the default route to the card: services, pods, node-local name servers. */
static void main_kept(struct planner *p, const struct side *side)
{
	static const struct ip_net local = {.addr = {AF_INET, {169, 254}}, .prefix = 16};
	size_t i;

	if (p->card->single || !side->to.found || side->to.oif != p->seen->card_index ||
	    !side->primary.found)
		return;
	keep_list(p, side, &p->card->service_cidrs);
	keep_list(p, side, &p->card->via_primary);
	keep_list(p, side, &p->card->cluster_cidrs);
	for (i = 0; i < p->card->n_nameservers; i++) {
		struct ip_net host = ip_net_host(&p->card->nameservers[i]);

		if (ip_net_has(&local, &host.addr))
			keep_on_primary(p, side, &host);
	}
}

/* Services of a pod without a primary: the node's own kube-proxy is asked. */
static void main_services(struct planner *p, const struct side *side)
{
	const struct macvlan_nets *nets = &p->card->service_cidrs;
	const struct ip_addr *node = macvlan_host_src(&p->card->host, side->family);
	struct seen_hop hop = {.found = true, .oif = p->seen->card_index};
	size_t i;

	if (!p->card->single || !side->addr || !node)
		return;
	hop.gw = *node;
	for (i = 0; i < nets->n; i++) {
		struct nl_route r;

		if (nets->v[i].addr.family != side->family || nets->v[i].prefix == 0)
			continue;
		r = route_by(&hop, &nets->v[i], RT_TABLE_MAIN);
		plan_route(p, &r);
	}
}

static int main_custom(struct planner *p, struct err *e)
{
	size_t i;

	for (i = 0; i < p->card->n_routes; i++) {
		const struct macvlan_route *r = &p->card->routes[i];
		struct seen_hop h = {0};
		struct nl_route route;

		if (r->dst.prefix == 0 || custom_stands(p, r))
			continue;
		if (custom_hop(p, r, &h, e) < 0)
			return -1;
		route = route_by(&h, &r->dst, RT_TABLE_MAIN);
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
	op.route = route_by(&side->to, &any, RT_TABLE_MAIN);
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

/* ------------------------------------------------------------------ all of it */

/* Once it is up: going down takes neighbours away. The host's device never answers ARP. */
static void plan_neighbours(struct planner *p)
{
	const struct macvlan_node *host = &p->card->host;
	struct macvlan_op op = {.kind = MACVLAN_OP_NEIGH, .mac = host->mac};
	size_t i;

	for (i = 0; i < host->n_addrs; i++) {
		op.addr = ip_net_host(&host->addrs[i]);
		if (side_of(p, op.addr.addr.family)->addr)
			plan_push(p, &op);
	}
}

static void plan_card(struct planner *p)
{
	struct macvlan_op up = {.kind = MACVLAN_OP_UP};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(p->sides); i++) {
		struct macvlan_op op = {.kind = MACVLAN_OP_ADDR};

		if (!p->sides[i].addr)
			continue;
		op.addr = *p->sides[i].addr;
		plan_push(p, &op);
	}
	plan_push(p, &up);
	plan_neighbours(p);
}

static int plan_tables(struct planner *p, struct err *e)
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

static int plan_main(struct planner *p, struct err *e)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(p->sides); i++) {
		host_routes(p, &p->sides[i], RT_TABLE_MAIN);
		main_services(p, &p->sides[i]);
		main_kept(p, &p->sides[i]);
	}
	if (main_custom(p, e) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(p->sides); i++)
		main_default(p, &p->sides[i]);
	return 0;
}

int macvlan_plan_make(const struct macvlan_card *card, const struct macvlan_seen *seen,
		      struct macvlan_plan *out, struct err *e)
{
	struct planner p = {.card = card, .seen = seen};

	if (take_card(&p, e) < 0)
		return -1;
	plan_card(&p);
	if (plan_tables(&p, e) < 0 || plan_main(&p, e) < 0) {
		macvlan_plan_done(&p.plan);
		return -1;
	}
	*out = p.plan;
	return 0;
}

void macvlan_plan_done(struct macvlan_plan *p)
{
	free(p->ops);
	*p = (struct macvlan_plan){0};
}
