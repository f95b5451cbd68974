/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/apply.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/nl/addr.h"
#include "lib/nl/neigh.h"
#include "lib/nl/nl.h"
#include "macvlan/announce.h"
#include "macvlan/apply_priv.h"
#include "macvlan/made.h"

/* How often a MAC that is still held is asked for again. */
#define MAC_RETRY_MS 5

/* What was seen, with the memory that it lies in. */
struct observed {
	struct macvlan_seen seen;
	struct nl_route *routes;
	struct nl_addr *addrs;
	struct nl_rule *rules;
};

static void observed_done(struct observed *o)
{
	free(o->routes);
	free(o->addrs);
	free(o->rules);
}
DEFINE_AUTO_VALUE(struct observed, observed_done)

static int observe_primary(struct macvlan_link *l, const struct macvlan_card *card,
			   struct observed *o, struct err *e)
{
	struct nl_link primary = {0};
	int rc;

	if (card->single)
		return 0;
	rc = nl_link_find(l->pod, card->primary_ifname, &primary, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_DELEGATE, 0, "the primary plugin made no link %s",
			       card->primary_ifname);
	o->seen.primary_index = primary.index;
	o->seen.primary_enslaved = primary.master != 0;
	return 0;
}

/* Table main first, each part in the kernel's order; without the kernel's own table of local addresses. */
static void sort_routes(struct observed *o, const struct nl_route *all, size_t n)
{
	struct macvlan_seen *s = &o->seen;
	size_t i;

	o->routes = xcalloc(n + 1, sizeof(*o->routes));
	for (i = 0; i < n; i++) {
		if (all[i].table == RT_TABLE_MAIN)
			o->routes[s->n_routes++] = all[i];
	}
	for (i = 0; i < n; i++) {
		if (all[i].table != RT_TABLE_MAIN && all[i].table != RT_TABLE_LOCAL)
			o->routes[s->n_routes + s->n_others++] = all[i];
	}
	s->routes = o->routes;
	s->others = o->routes + s->n_routes;
}

static int observe(struct macvlan_link *l, const struct macvlan_card *card, struct observed *o,
		   struct err *e)
{
	AUTO(free) struct nl_route *all = NULL;
	size_t n = 0;

	o->seen.card_index = l->index;
	if (observe_primary(l, card, o, e) < 0)
		return -1;
	if (nl_route_list(l->pod, 0, &all, &n, e) < 0 ||
	    nl_addr_list(l->pod, 0, &o->addrs, &o->seen.n_addrs, e) < 0 ||
	    nl_rule_list(l->pod, &o->rules, &o->seen.n_rules, e) < 0)
		return err_wrap(e, "read the pod's routes");
	sort_routes(o, all, n);
	o->seen.addrs = o->addrs;
	o->seen.rules = o->rules;
	return 0;
}

static int pause_before_retry(const struct macvlan_link *l, struct err *e)
{
	struct pollfd p = {l->cancel_fd, POLLIN, 0};

	err_clear(e);
	if (poll(&p, 1, MAC_RETRY_MS) > 0)
		return err_set(e, ERR_CANCELLED, 0, "stopped while waiting for a former pod");
	return 0;
}

/* A pod that had this MAC is still being torn down; nothing tells when it is done. */
static int change_patiently(struct macvlan_link *l, const struct nl_link_change *change,
			    const struct mac_addr *mac, int64_t deadline_ms, struct err *e)
{
	char text[MAC_ADDR_LEN], itself[IFNAMSIZ + 8];

	snprintf(itself, sizeof(itself), "%s itself", l->parent);
	while (nl_link_set(l->pod, l->index, change, e) < 0) {
		if (e->num == EEXIST)
			return err_set(e, ERR_CONFLICT, EEXIST, "the pod already has a link %s",
				       change->name);
		if (e->num != EADDRINUSE)
			return -1;
		if (!clock_left_ms(deadline_ms))
			return err_set(e, ERR_AGAIN, EADDRINUSE,
				       "MAC %s is still held on %s, by %s%s", mac_format(mac, text),
				       l->parent,
				       l->disguised ? "another pod's question" : "a former pod or ",
				       l->disguised ? "" : itself);
		if (pause_before_retry(l, e) < 0)
			return -1;
	}
	return 0;
}

static int bring_up(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		    struct err *e)
{
	struct nl_link_change change = {
		.name = card->ifname, .flags = IFF_UP, .flags_mask = IFF_UP};

	/* Linux 6.1 refuses a name, be it the same, to a link that is up. */
	return l->up ? 0 : change_patiently(l, &change, &l->mac, deadline_ms, e);
}

int macvlan_link_raise(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		       struct err *e)
{
	if (bring_up(l, card, deadline_ms, e) < 0)
		return err_wrap(e, "bring %s up", card->ifname);
	l->up = true;
	return 0;
}

int macvlan_link_set_mac(struct macvlan_link *l, const struct mac_addr *mac, struct err *e)
{
	struct nl_link_change change = {.mac = mac};

	if (nl_link_set(l->pod, l->index, &change, e) < 0)
		return -1;
	l->mac = *mac;
	return 0;
}

int macvlan_link_wait_mac(struct macvlan_link *l, const struct mac_addr *mac, int64_t deadline_ms,
			  struct err *e)
{
	struct nl_link_change change = {.mac = mac};

	if (change_patiently(l, &change, mac, deadline_ms, e) < 0)
		return -1;
	l->mac = *mac;
	return 0;
}

/* IPv6 that somebody has switched on begins again with the MAC. */
int macvlan_link_unmask(struct macvlan_link *l, const struct macvlan_card *card,
			int64_t deadline_ms, struct err *e)
{
	if (!l->disguised)
		return 0;
	if (macvlan_link_set_ipv6(l, 0, e) < 0)
		return -1;
	l->disguised = false;
	if (macvlan_link_wait_mac(l, &card->mac, deadline_ms, e) < 0)
		return err_wrap(e, "set the card's MAC");
	return 0;
}

/* The route that a CREATE|REPLACE of r overwrites. */
static const struct nl_route *old_route(const struct macvlan_seen *s, const struct nl_route *r)
{
	size_t i;

	if (r->table && r->table != RT_TABLE_MAIN)
		return NULL;
	for (i = 0; i < s->n_routes; i++) {
		const struct nl_route *old = &s->routes[i];
		uint32_t metric = r->metric;

		if (!metric && r->dst.addr.family == AF_INET6)
			metric = 1024;
		if (old->metric == metric && old->tos == r->tos && ip_net_eq(&old->dst, &r->dst))
			return old;
	}
	return NULL;
}

static void remember(struct macvlan_link *l, const struct macvlan_op *op,
		     const struct macvlan_seen *s)
{
	struct done d = {.op = *op};
	const struct nl_route *old = NULL;

	if (op->kind == MACVLAN_OP_ROUTE || op->kind == MACVLAN_OP_DEFAULT)
		old = old_route(s, &op->route);
	if (old) {
		d.had_old = true;
		d.old = *old;
	}
	l->done = xreallocarray(l->done, l->n_done + 1, sizeof(*l->done));
	l->done[l->n_done++] = d;
}

/* Believe what the kernel shows, not that it said yes: a replace may have met another key. */
static int read_back(struct macvlan_link *l, const struct nl_route *want, struct err *e)
{
	AUTO(free) struct nl_route *routes = NULL;
	size_t n = 0, i;

	if (nl_route_list(l->pod, RT_TABLE_MAIN, &routes, &n, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		const struct nl_route *r = &routes[i];

		if (ip_net_eq(&r->dst, &want->dst) && r->oif == want->oif &&
		    r->metric == want->metric && !memcmp(&r->gw, &want->gw, sizeof(r->gw)))
			return 0;
	}
	return err_set(e, ERR_KERNEL, ENOENT, "the default route is missing after it was set");
}

/* Of ipvlan cards on one parent no two may have the same address; that of a former pod goes in a moment. */
static int add_addr(struct macvlan_link *l, const struct ip_net *addr, int64_t deadline_ms,
		    struct err *e)
{
	while (nl_addr_add(l->pod, l->index, addr, IFA_F_NODAD, e) < 0) {
		if (e->num != EADDRINUSE)
			return -1;
		if (!clock_left_ms(deadline_ms))
			return err_set(e, ERR_AGAIN, EADDRINUSE,
				       "the address is still held by another ipvlan card on %s",
				       l->parent);
		if (pause_before_retry(l, e) < 0)
			return -1;
	}
	return 0;
}

static int apply_op(struct macvlan_link *l, const struct macvlan_op *op, int64_t deadline_ms,
		    struct err *e)
{
	switch (op->kind) {
	case MACVLAN_OP_ADDR:
		return add_addr(l, &op->addr, deadline_ms, e);
	case MACVLAN_OP_ROUTE:
		return nl_route_replace(l->pod, &op->route, e);
	case MACVLAN_OP_RULE:
		return nl_rule_add(l->pod, &op->rule, e);
	case MACVLAN_OP_NEIGH:
		return nl_neigh_set(l->pod, l->index, &op->addr.addr, &op->mac, e);
	case MACVLAN_OP_DEFAULT:
		return nl_route_replace(l->pod, &op->route, e);
	case MACVLAN_OP_DELETE_ROUTE:
		return nl_route_delete(l->pod, &op->route, e);
	case MACVLAN_OP_UP:
		break;
	}
	return err_set(e, ERR_INTERNAL, 0, "unknown operation %d", op->kind);
}

static int wrap_op(const struct macvlan_op *op, const struct macvlan_card *card,
		   const struct macvlan_seen *s, struct err *e)
{
	AUTO(sb_done) struct sb text = SB_INIT;

	macvlan_op_format(op, card, s, &text);
	return err_wrap(e, "%s", sb_get(&text));
}

static int apply_plan(struct macvlan_link *l, const struct macvlan_card *card,
		      const struct macvlan_seen *s, int64_t deadline_ms, struct err *e)
{
	AUTO(macvlan_plan_done) struct macvlan_plan plan = {0};
	size_t i;

	if (macvlan_plan_make(card, s, &plan, e) < 0)
		return -1;
	for (i = 0; i < plan.n; i++) {
		const struct macvlan_op *op = &plan.ops[i];
		int rc = op->kind == MACVLAN_OP_UP ? bring_up(l, card, deadline_ms, e)
						   : apply_op(l, op, deadline_ms, e);

		if (rc < 0)
			return wrap_op(op, card, s, e);
		remember(l, op, s);
		if (op->kind == MACVLAN_OP_DEFAULT && read_back(l, &op->route, e) < 0)
			return wrap_op(op, card, s, e);
	}
	return 0;
}

/* Neighbour discovery has no question with the card's address in it that would do likewise. */
static int announce_arp(struct macvlan_link *l, const struct macvlan_card *card, struct err *e)
{
	if (macvlan_announce_arp(l->pod, l->index, &card->addr.addr, e) < 0)
		return -1;
	if (!ip_is_set(&card->gateway))
		return 0;
	return macvlan_announce_gateway(l->pod, l->index, &card->gateway, e);
}

static int announce(struct macvlan_link *l, const struct macvlan_card *card, struct err *e)
{
	const struct ip_addr *v6 = card->addr.addr.family == AF_INET6 ? &card->addr.addr
								      : &card->addr6.addr;
	int64_t start = clock_now_us();

	if (card->addr.addr.family == AF_INET && announce_arp(l, card, e) < 0)
		return -1;
	if (ip_is_set(v6) && macvlan_announce_na(l->netns_fd, l->index, &l->mac, v6, e) < 0)
		return -1;
	l->announce_us = clock_now_us() - start;
	return 0;
}

static void made_op(const struct macvlan_link *l, const struct macvlan_op *op,
		    const struct macvlan_card *card, struct sb *out)
{
	switch (op->kind) {
	case MACVLAN_OP_ADDR:
		made_addr(&op->addr, card->ifname, out);
		made_connected(&op->addr, card->ifname, out);
		break;
	case MACVLAN_OP_ROUTE:
	case MACVLAN_OP_DEFAULT:
		made_route(&op->route,
			   op->route.oif == l->index ? card->ifname : card->primary_ifname, out);
		break;
	case MACVLAN_OP_RULE:
		made_rule(&op->rule, out);
		break;
	case MACVLAN_OP_NEIGH:
	case MACVLAN_OP_UP:
	case MACVLAN_OP_DELETE_ROUTE:
		break;
	}
}

int macvlan_link_made(const struct macvlan_link *l, const struct macvlan_card *card, struct sb *out,
		      struct err *e)
{
	struct nl_link is = {0};
	int rc = nl_link_get(l->pod, l->index, &is, e);
	size_t i;

	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_KERNEL, ENODEV, "the new card has vanished");
	made_link(&is, card->ifname, out);
	for (i = 0; i < l->n_done; i++)
		made_op(l, &l->done[i].op, card, out);
	return 0;
}

/* ------------------------------------------------------------------ taking back */

static int undo_op(struct macvlan_link *l, const struct done *d, struct err *e)
{
	switch (d->op.kind) {
	case MACVLAN_OP_ROUTE:
	case MACVLAN_OP_DEFAULT:
		if (d->had_old)
			return nl_route_replace(l->pod, &d->old, e);
		return nl_route_delete(l->pod, &d->op.route, e);
	case MACVLAN_OP_DELETE_ROUTE:
		return nl_route_append(l->pod, &d->op.route, e);
	case MACVLAN_OP_RULE:
		return nl_rule_delete(l->pod, &d->op.rule, e);
	case MACVLAN_OP_ADDR:
	case MACVLAN_OP_UP:
	case MACVLAN_OP_NEIGH:
		break;
	}
	return 0; /* ends with the link */
}

/* Newest first; the first failure is told, all steps are tried. */
static int undo_all(struct macvlan_link *l, struct err *e)
{
	struct err first = {0};

	while (l->n_done) {
		struct err now = {0};

		if (undo_op(l, &l->done[--l->n_done], &now) < 0 && !first.kind)
			first = now;
	}
	if (!first.kind)
		return 0;
	*e = first;
	return err_wrap(e, "restore the pod's routes");
}

int macvlan_configure(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		      struct err *e)
{
	AUTO(observed_done) struct observed o = {0};
	struct err ignored = {0};

	/* Again: a primary may switch IPv6 or forwarding on for all of the pod's links (Calico does). */
	if (observe(l, card, &o, e) < 0 || macvlan_link_unmask(l, card, deadline_ms, e) < 0 ||
	    macvlan_link_set_ipv4(l, card, e) < 0 ||
	    macvlan_link_set_ipv6(l, macvlan_card_conf6(card), e) < 0)
		return -1;
	if (apply_plan(l, card, &o.seen, deadline_ms, e) == 0 &&
	    (macvlan_is_routed(card) || announce(l, card, e) == 0))
		return 0;
	IGNORE(undo_all(l, &ignored), "the first error counts");
	return -1;
}

int macvlan_rollback(struct macvlan_link *l, struct err *e)
{
	struct err link = {0};
	int rc = undo_all(l, e);

	if (nl_link_delete(l->pod, l->index, &link) == 0)
		return rc;
	if (rc == 0) {
		*e = link;
		err_wrap(e, "remove the card");
	}
	return -1;
}
