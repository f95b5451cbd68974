/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/plan.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "macvlan/plan_priv.h"

/* ------------------------------------------------------------------ collecting operations */

void plan_push(struct planner *p, const struct macvlan_op *op)
{
	struct macvlan_plan *plan = &p->plan;

	plan->ops = xreallocarray(plan->ops, plan->n + 1, sizeof(*plan->ops));
	plan->ops[plan->n++] = *op;
}

/* A network named twice is set once; where the two differ the later one counts. */
void plan_route(struct planner *p, const struct nl_route *r)
{
	struct macvlan_op op = {.kind = MACVLAN_OP_ROUTE, .route = *r};
	size_t i;

	for (i = 0; i < p->plan.n; i++) {
		struct macvlan_op *old = &p->plan.ops[i];

		if (old->kind != MACVLAN_OP_ROUTE || old->route.table != r->table ||
		    old->route.metric != r->metric || old->route.tos != r->tos ||
		    !ip_net_eq(&old->route.dst, &r->dst))
			continue;
		if (nl_route_same_way(&old->route, r))
			return;
		memmove(old, old + 1, (--p->plan.n - i) * sizeof(*old));
		break;
	}
	plan_push(p, &op);
}

struct nl_route plan_route_by(const struct seen_hop *h, const struct ip_net *dst, uint32_t table)
{
	struct nl_route r = {
		.dst = {.addr = ip_net_base(dst), .prefix = dst->prefix},
		.gw = h->gw,
		.oif = h->oif,
		.onlink = h->onlink,
		.table = table,
		.scope = ip_is_set(&h->gw) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};

	if (!h->like)
		return r;
	r.src = h->like->src;
	r.multipath = h->like->multipath;
	if (r.multipath)
		r.scope = h->like->scope;
	memcpy(r.more, h->like->more, h->like->more_len);
	r.more_len = h->like->more_len;
	return r;
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

bool plan_on_card(const struct planner *p, const struct macvlan_route *r)
{
	return p->card->single || r->iface == MACVLAN_IFACE_CARD;
}

/* The card has no route to this gateway, as with a /32, or where the router is outside of the subnet. */
static bool is_beyond(const struct planner *p, const struct side *side, const struct ip_addr *gw)
{
	if (!ip_is_set(gw) || !side->addr || macvlan_is_routed(p->card) ||
	    (gw->family == AF_INET6 && ip_is_linklocal(gw)))
		return false;
	return !ip_net_has(side->addr, gw) || side->addr->prefix == ip_bits(gw);
}

struct seen_hop plan_card_hop(const struct planner *p, const struct side *side,
			      const struct ip_addr *gw)
{
	return (struct seen_hop){
		.found = true,
		.gw = *gw,
		.onlink = is_beyond(p, side, gw),
		.oif = p->seen->card_index,
	};
}

/* By another gateway of the primary's than the default's. */
static struct seen_hop primary_hop(const struct planner *p, const struct side *side,
				   const struct ip_addr *gw)
{
	struct seen_hop h = side->primary;

	h.found = true;
	h.oif = p->seen->primary_index;
	if (h.like && h.like->multipath)
		h.like = NULL;
	h.onlink = (h.onlink && ip_eq(gw, &h.gw)) || !seen_reaches(p->seen, gw);
	h.gw = *gw;
	return h;
}

/* Groups are on the link, whatever is said: as the next hop of a group a router would get it as its own. */
static bool is_onlink(const struct macvlan_route *r)
{
	return r->onlink || (r->dst.prefix > 0 && ip_is_multicast(&r->dst.addr));
}

bool plan_is_group6(const struct macvlan_route *r)
{
	return r->dst.addr.family == AF_INET6 && r->dst.prefix > 0 && ip_is_multicast(&r->dst.addr);
}

static int check_custom(const struct planner *p, const struct macvlan_route *r,
			const struct seen_hop *h, struct err *e)
{
	char dst[IP_NET_LEN];

	ip_net_format(&r->dst, dst);
	if (ip_is_set(&r->gw) && r->gw.family != r->dst.addr.family)
		return err_set(e, ERR_CONFIG, 0, "route %s: its gateway is of the other family",
			       dst);
	if (plan_on_card(p, r) && !p->sides[r->dst.addr.family == AF_INET6].addr)
		return err_set(e, ERR_CONFIG, 0, "route %s: %s has no address of that family", dst,
			       p->card->ifname);
	if (!h->found)
		return err_set(e, ERR_CONFIG, 0, "route %s: %s has no gateway", dst,
			       p->card->primary_ifname);
	if (plan_on_card(p, r) && r->dst.prefix == 0 && !ip_is_set(&h->gw) && !r->onlink &&
	    !macvlan_is_routed(p->card))
		return err_set(e, ERR_CONFIG, 0, "route %s: there is no gateway", dst);
	return 0;
}

/* The next hop of a custom route. */
int plan_custom_hop(struct planner *p, const struct macvlan_route *r, struct seen_hop *out,
		    struct err *e)
{
	const struct side *side = side_of(p, r->dst.addr.family);
	bool card = plan_on_card(p, r);
	struct seen_hop h = {0};

	if (is_onlink(r))
		h = (struct seen_hop){.found = true,
				      .oif = card ? p->seen->card_index : p->seen->primary_index};
	else if (card)
		h = plan_card_hop(p, side, ip_is_set(&r->gw) ? &r->gw : &side->gw);
	else if (ip_is_set(&r->gw))
		h = primary_hop(p, side, &r->gw);
	else
		h = side->primary;
	if (check_custom(p, r, &h, e) < 0)
		return -1;
	*out = h;
	return 0;
}

/* Where the default route of a family shall lead: podDefaultGateway or a custom route to 0/0 says. */
static int take_custom_default(struct planner *p, const struct macvlan_route *r, struct err *e)
{
	struct side *side = side_of(p, r->dst.addr.family);
	struct seen_hop h = {0};

	if (plan_custom_hop(p, r, &h, e) < 0)
		return -1;
	if (side->to.found && side->to.oif != h.oif)
		return err_set(e, ERR_CONFIG, 0,
			       "a default route through %s contradicts the one through %s",
			       p->card->primary_ifname, p->card->ifname);
	/* The primary's default as it stands. */
	if (!plan_on_card(p, r) && !ip_is_set(&r->gw) && !r->onlink)
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
		side->to = plan_card_hop(p, side, &side->gw);
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
	for (i = 0; i < ARRAY_SIZE(p->sides); i++) {
		struct side *side = &p->sides[i];

		side->primary = seen_gateway(p->seen, p->card, side->family);
		side->own = seen_own(p->seen, side->family, &side->n_own);
	}
	return take_defaults(p, e);
}

/* The kernel or the primary made this route, and nothing else is asked for. */
bool plan_custom_stands(const struct planner *p, const struct macvlan_route *r)
{
	const struct side *side = &p->sides[r->dst.addr.family == AF_INET6];
	size_t i;

	if (plan_on_card(p, r))
		return side->addr && ip_net_eq(&r->dst, side->addr);
	for (i = 0; !ip_is_set(&r->gw) && !r->onlink && i < p->seen->n_routes; i++) {
		const struct nl_route *s = &p->seen->routes[i];

		if (seen_is_primary(p->seen, s, side->family) && ip_net_eq(&s->dst, &r->dst))
			return true;
	}
	return false;
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

int macvlan_plan_make(const struct macvlan_card *card, const struct macvlan_seen *seen,
		      struct macvlan_plan *out, struct err *e)
{
	struct planner p = {.card = card, .seen = seen};

	int rc = take_card(&p, e);
	size_t i;

	if (rc == 0)
		plan_card(&p);
	if (rc == 0)
		rc = plan_tables(&p, e);
	if (rc == 0)
		rc = plan_main(&p, e);
	for (i = 0; i < ARRAY_SIZE(p.sides); i++)
		free(p.sides[i].own);
	if (rc < 0)
		macvlan_plan_done(&p.plan);
	else
		*out = p.plan;
	return rc;
}

void macvlan_plan_done(struct macvlan_plan *p)
{
	free(p->ops);
	*p = (struct macvlan_plan){0};
}
