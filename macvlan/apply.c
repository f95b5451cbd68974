#include "macvlan/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/sb.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/neigh.h"
#include "lib/nl/netns.h"
#include "lib/nl/nl.h"
#include "macvlan/announce.h"
#include "macvlan/conf6.h"
#include "macvlan/made.h"
#include "macvlan/parent.h"
#include "macvlan/plan.h"

/* A second try under another name, should the first be taken. */
#define TEMP_NAME_TRIES 5

/* How often a MAC that is still held is asked for again. */
#define MAC_RETRY_MS 5

/* An operation that was done, and what stood there before. */
struct done {
	struct macvlan_op op;
	bool had_old;
	struct nl_route old;
};

struct macvlan_link {
	struct nl *pod;
	int netns_fd;
	int index;
	uint32_t mtu;
	struct mac_addr mac;
	bool disguised; /* mac is for detection alone */
	bool up;        /* already, under its final name */
	char parent[IFNAMSIZ];
	int64_t announce_us;
	struct done *done;
	size_t n_done;
};

void macvlan_link_free(struct macvlan_link *l)
{
	if (!l)
		return;
	nl_close(l->pod);
	if (l->netns_fd >= 0)
		close(l->netns_fd);
	free(l->done);
	free(l);
}

struct mac_addr macvlan_link_mac(const struct macvlan_link *l)
{
	return l->mac;
}

int macvlan_link_index(const struct macvlan_link *l)
{
	return l->index;
}

uint32_t macvlan_link_mtu(const struct macvlan_link *l)
{
	return l->mtu;
}

const char *macvlan_link_parent(const struct macvlan_link *l)
{
	return l->parent;
}

int macvlan_link_netns(const struct macvlan_link *l)
{
	return l->netns_fd;
}

bool macvlan_link_is_disguised(const struct macvlan_link *l)
{
	return l->disguised;
}

int64_t macvlan_link_announce_us(const struct macvlan_link *l)
{
	return l->announce_us;
}

/* ------------------------------------------------------------------ phase 1 */

static uint32_t kernel_mode(enum macvlan_card_mode mode)
{
	switch (mode) {
	case MACVLAN_CARD_PRIVATE:
		return MACVLAN_MODE_PRIVATE;
	case MACVLAN_CARD_VEPA:
		return MACVLAN_MODE_VEPA;
	case MACVLAN_CARD_PASSTHRU:
		return MACVLAN_MODE_PASSTHRU;
	case MACVLAN_CARD_BRIDGE:
		break;
	}
	return MACVLAN_MODE_BRIDGE;
}

static uint16_t kernel_ipvlan_mode(enum macvlan_ipvlan_mode mode)
{
	switch (mode) {
	case MACVLAN_IPVLAN_L3:
		return IPVLAN_MODE_L3;
	case MACVLAN_IPVLAN_L3S:
		return IPVLAN_MODE_L3S;
	case MACVLAN_IPVLAN_L2:
		break;
	}
	return IPVLAN_MODE_L2;
}

static int check_card(const struct macvlan_card *card, int64_t deadline_ms, struct err *e)
{
	if (card->host_access &&
	    (card->type != MACVLAN_TYPE_MACVLAN || card->mode != MACVLAN_CARD_BRIDGE))
		return err_set(e, ERR_CONFIG, 0, "hostAccess needs a macvlan of the mode bridge");
	if (!nl_ifname_ok(card->ifname))
		return err_set(e, ERR_CONFIG, 0, "\"%.32s\" is no name for a card", card->ifname);
	if (!clock_left_ms(deadline_ms))
		return err_set(e, ERR_TIMEOUT, 0, "no time left to make %s", card->ifname);
	return 0;
}

static int check_name_free(struct nl *pod, const char *name, struct err *e)
{
	struct nl_link there;
	int rc = nl_link_find(pod, name, &there, e);

	if (rc < 0)
		return err_wrap(e, "look for %s in the pod", name);
	if (rc)
		return err_set(e, ERR_CONFLICT, EEXIST, "the pod already has a link %s (%s)", name,
			       there.kind[0] ? there.kind : "device");
	return 0;
}

/* In passthru, and of an ipvlan, the MAC is the parent's, and setting it would set that. */
static bool is_disguise_wanted(const struct macvlan_card *card)
{
	static const struct mac_addr none;

	return card->detect && card->type == MACVLAN_TYPE_MACVLAN &&
	       card->mode != MACVLAN_CARD_PASSTHRU && !mac_eq(&card->mac, &none);
}

/* Locally administered, unicast. */
static int random_mac(struct mac_addr *out, struct err *e)
{
	if (getrandom(out->b, sizeof(out->b), 0) != sizeof(out->b))
		return err_errno(e, ERR_IO, errno, "getrandom");
	out->b[0] = (uint8_t)((out->b[0] & 0xfc) | 2);
	return 0;
}

/* @l: its mac is the one to make it with */
static int add_link(struct nl *host, const struct macvlan_link *l, const struct macvlan_card *card,
		    const struct nl_link *parent, const char *name, struct err *e)
{
	uint32_t mtu = card->mtu ? card->mtu : parent->mtu;
	struct nl_macvlan m = {
		.name = name,
		.parent = parent->index,
		.netns_fd = l->netns_fd,
		.mode = kernel_mode(card->mode),
		.mtu = mtu,
		.mac = l->mac,
	};
	struct nl_ipvlan v = {
		.name = name,
		.parent = parent->index,
		.netns_fd = l->netns_fd,
		.mode = kernel_ipvlan_mode(card->ipvlan_mode),
		.mtu = mtu,
	};

	return card->type == MACVLAN_TYPE_IPVLAN ? nl_link_add_ipvlan(host, &v, e)
						 : nl_link_add_macvlan(host, &m, e);
}

/* RTM_NEWLINK gives no index back when it creates in another namespace: the name finds it. */
static int make_link(struct nl *host, struct macvlan_link *l, const struct macvlan_card *card,
		     const struct nl_link *parent, struct err *e)
{
	struct nl_link made = {0};
	char name[IFNAMSIZ];
	int rc, i;

	l->mac = card->mac;
	l->disguised = is_disguise_wanted(card);
	if (l->disguised && random_mac(&l->mac, e) < 0)
		return -1;
	for (i = 0; i < TEMP_NAME_TRIES; i++) {
		uint32_t random = 0;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_errno(e, ERR_IO, errno, "getrandom");
		snprintf(name, sizeof(name), MACVLAN_TEMP_PREFIX "%08" PRIx32, random);
		err_clear(e);
		rc = add_link(host, l, card, parent, name, e);
		if (rc == 0 || e->num != EEXIST)
			break;
	}
	if (rc < 0) {
		macvlan_parent_explain(host, parent, e);
		return err_wrap(e, "make %s on %s",
				card->type == MACVLAN_TYPE_IPVLAN ? "an ipvlan" : "a macvlan",
				parent->name);
	}
	rc = nl_link_find(l->pod, name, &made, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_KERNEL, ENODEV, "%s is not in the pod", name);
	l->index = made.index;
	l->mac = made.mac;
	l->mtu = made.mtu;
	return 0;
}

static int set_ipv4(struct macvlan_link *l, const struct macvlan_card *card, struct err *e)
{
	/*
	 * The pod inherits ip_forward: a neighbour on the LAN could walk through it into the
	 * cluster. And the card speaks for its own address only.
	 */
	static const struct nl_ipv4_conf conf[] = {
		{IPV4_DEVCONF_FORWARDING, 0},
		{IPV4_DEVCONF_ARP_IGNORE, 1},
		{IPV4_DEVCONF_ARP_ANNOUNCE, 2},
		{IPV4_DEVCONF_ARP_NOTIFY, 1},
	};

	/* A routed card does no ARP. */
	size_t n = macvlan_is_routed(card) ? 1 : ARRAY_SIZE(conf);

	if (nl_link_set_ipv4_conf(l->pod, l->index, conf, n, e) < 0)
		return err_wrap(e, "set the card's IPv4 settings");
	return 0;
}

struct ipv6_conf {
	struct nl_link link;
	bool wanted;
};

/* IPv6 has no netlink for these: /proc/sys shows the settings of the namespace that one is in. */
static int set_ipv6_there(void *ctx, struct err *e)
{
	const struct ipv6_conf *c = ctx;

	return macvlan_conf6_set(c->link.name, c->wanted, e);
}

static bool is_ipv6_wanted(const struct macvlan_card *card)
{
	return card->addr.addr.family == AF_INET6 || card->addr6.addr.family == AF_INET6;
}

static int set_ipv6(struct macvlan_link *l, bool wanted, struct err *e)
{
	struct ipv6_conf c = {.wanted = wanted};
	int rc = nl_link_get(l->pod, l->index, &c.link, e);

	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_KERNEL, ENODEV, "the new card has vanished");
	return netns_call(l->netns_fd, set_ipv6_there, &c, e);
}

static int create_into(struct nl *host, struct macvlan_link *l, const struct macvlan_card *card,
		       struct err *e)
{
	struct nl_link parent = {0};
	struct err ignored = {0};

	if (macvlan_parent_find(host, card, &parent, e) < 0 ||
	    check_name_free(l->pod, card->ifname, e) < 0)
		return -1;
	memcpy(l->parent, parent.name, sizeof(l->parent));
	if (make_link(host, l, card, &parent, e) < 0)
		return -1;
	/* A link-local address made of a MAC that is not to stay would be seen on the LAN. */
	if (set_ipv4(l, card, e) == 0 && set_ipv6(l, is_ipv6_wanted(card) && !l->disguised, e) == 0)
		return 0;
	IGNORE(nl_link_delete(l->pod, l->index, &ignored), "the first error counts");
	return -1;
}

int macvlan_create(const struct macvlan_card *card, int netns_fd, int64_t deadline_ms,
		   struct macvlan_link **out, struct err *e)
{
	AUTO(macvlan_link_free) struct macvlan_link *l = NULL;
	AUTO(nl_close) struct nl *host = NULL;

	if (check_card(card, deadline_ms, e) < 0 || nl_open(&host, e) < 0)
		return -1;
	l = xcalloc(1, sizeof(*l));
	l->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 3);
	if (l->netns_fd < 0)
		return err_errno(e, ERR_NETNS, errno, "keep the network namespace");
	if (nl_open_in(netns_fd, &l->pod, e) < 0 || create_into(host, l, card, e) < 0)
		return -1;
	*out = STEAL(l);
	return 0;
}

/* ------------------------------------------------------------------ phase 2 */

/* What was seen, with the memory that it lies in. */
struct observed {
	struct macvlan_seen seen;
	struct nl_route *routes;
	struct nl_addr *addrs;
};

static void observed_done(struct observed *o)
{
	free(o->routes);
	free(o->addrs);
}
DEFINE_AUTO_VALUE(struct observed, observed_done)

static int observe(struct macvlan_link *l, const struct macvlan_card *card, struct observed *o,
		   struct err *e)
{
	struct nl_link primary = {0};
	int rc;

	o->seen.card_index = l->index;
	if (!card->single) {
		rc = nl_link_find(l->pod, card->primary_ifname, &primary, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return err_set(e, ERR_DELEGATE, 0, "the primary plugin made no link %s",
				       card->primary_ifname);
		o->seen.primary_index = primary.index;
	}
	if (nl_route_list(l->pod, RT_TABLE_MAIN, &o->routes, &o->seen.n_routes, e) < 0 ||
	    nl_addr_list(l->pod, 0, &o->addrs, &o->seen.n_addrs, e) < 0)
		return err_wrap(e, "read the pod's routes");
	o->seen.routes = o->routes;
	o->seen.addrs = o->addrs;
	return 0;
}

/* A pod that had this MAC is still being torn down; nothing tells when it is done. */
static int change_patiently(struct macvlan_link *l, const struct nl_link_change *change,
			    const struct mac_addr *mac, int64_t deadline_ms, struct err *e)
{
	char text[MAC_ADDR_LEN];

	while (nl_link_set(l->pod, l->index, change, e) < 0) {
		if (e->num == EEXIST)
			return err_set(e, ERR_CONFLICT, EEXIST, "the pod already has a link %s",
				       change->name);
		if (e->num != EADDRINUSE)
			return -1;
		if (!clock_left_ms(deadline_ms))
			return err_set(e, ERR_AGAIN, EADDRINUSE,
				       "MAC %s is still held on %s, by a former pod or %s itself",
				       mac_format(mac, text), l->parent, l->parent);
		err_clear(e);
		poll(NULL, 0, MAC_RETRY_MS);
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

int macvlan_link_raise(struct macvlan_link *l, const struct macvlan_card *card, struct err *e)
{
	if (bring_up(l, card, 0, e) < 0)
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

/* After the detection: the MAC that stays. IPv6 that somebody has switched on begins anew with it. */
static int unmask(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		  struct err *e)
{
	struct nl_link_change change = {.mac = &card->mac};

	if (!l->disguised)
		return 0;
	if (set_ipv6(l, false, e) < 0)
		return -1;
	if (change_patiently(l, &change, &card->mac, deadline_ms, e) < 0)
		return err_wrap(e, "set the card's MAC");
	l->mac = card->mac;
	l->disguised = false;
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
	return err_set(e, ERR_KERNEL, ENOENT, "the default route is not there after setting it");
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
		err_clear(e);
		poll(NULL, 0, MAC_RETRY_MS);
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
	if (!ip_is_set(&card->gateway) || !ip_net_has(&card->addr, &card->gateway))
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
	return err_wrap(e, "take back the pod's routes");
}

int macvlan_configure(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		      struct err *e)
{
	AUTO(observed_done) struct observed o = {0};
	struct err ignored = {0};

	/* Again: a primary may switch IPv6 or forwarding on for all of the pod's links (Calico does). */
	if (observe(l, card, &o, e) < 0 || unmask(l, card, deadline_ms, e) < 0 ||
	    set_ipv4(l, card, e) < 0 || set_ipv6(l, is_ipv6_wanted(card), e) < 0)
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
