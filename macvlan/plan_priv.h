/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a plan, for plan.c, which collects it, plan_tables.c and plan_main.c. No I/O. */
#ifndef MACVLAN_PLAN_PRIV_H
#define MACVLAN_PLAN_PRIV_H

#include "macvlan/plan.h"
#include "macvlan/seen.h"

/* All that concerns one address family. */
struct side {
	uint8_t family;
	const struct ip_net *addr;   /* of the card; NULL = it has none in this family */
	struct ip_addr gw;           /* of the subnet, may be unset */
	struct seen_hop primary;     /* the primary's gateway */
	struct seen_hop to;          /* where the default route shall lead; !found = leave it */
	const struct nl_route **own; /* seen_own(); ours to free */
	size_t n_own;
};

struct planner {
	const struct macvlan_card *card;
	const struct macvlan_seen *seen;
	struct macvlan_plan plan;
	struct side sides[2];
};

/** plan_push - one more operation. */
void plan_push(struct planner *p, const struct macvlan_op *op);
/** plan_route - a route; of two for one network and TOS in one table at one metric the later counts. */
void plan_route(struct planner *p, const struct nl_route *r);
/** plan_route_by - the route to dst by that hop. */
struct nl_route plan_route_by(const struct seen_hop *h, const struct ip_net *dst, uint32_t table);
/** plan_on_card - a custom route leads through the card, not through the primary's. */
bool plan_on_card(const struct planner *p, const struct macvlan_route *r);
/** plan_card_hop - by that gateway of the card's, or straight on its link. */
struct seen_hop plan_card_hop(const struct planner *p, const struct side *side,
			      const struct ip_addr *gw);
/** plan_custom_hop - the next hop of a custom route. ERR_CONFIG. */
int plan_custom_hop(struct planner *p, const struct macvlan_route *r, struct seen_hop *out,
		    struct err *e) FN_MUST;
/** plan_is_group6 - a custom route to IPv6 groups: one table serves all sources. */
bool plan_is_group6(const struct macvlan_route *r);
/** plan_custom_stands - the kernel or the primary made this route, and nothing else is asked for. */
bool plan_custom_stands(const struct planner *p, const struct macvlan_route *r);
/** plan_host_routes - to the node's addresses that no connected route of the card covers. */
void plan_host_routes(struct planner *p, const struct side *side, uint32_t table);

/** plan_tables - the two tables and their rules; nothing for a single card. */
int plan_tables(struct planner *p, struct err *e) FN_MUST;
/** plan_main - table main, the default route last. */
int plan_main(struct planner *p, struct err *e) FN_MUST;

#endif
