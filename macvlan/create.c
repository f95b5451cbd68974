/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/apply_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ip.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/netns.h"
#include "lib/nl/nl.h"
#include "macvlan/conf6.h"
#include "macvlan/foreign.h"
#include "macvlan/parent.h"
#include "macvlan/plan_host.h"
#include "macvlan/temp.h"

/* ip-sysctl: a sender counts when any card leads to it. */
#define RP_FILTER_LOOSE 2

/* A second try under another name, should the first be taken. */
#define TEMP_NAME_TRIES 5

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

void macvlan_link_set_cancel_fd(struct macvlan_link *l, int fd)
{
	l->cancel_fd = fd;
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

static int check_card(const struct macvlan_card *card, int64_t deadline_ms, struct err *e)
{
	if (card->host_access && !nl_link_mode_get(card->mode)->meets_host)
		return err_set(e, ERR_CONFIG, 0, "hostAccess needs a macvlan of the mode bridge");
	if (!nl_ifname_ok(card->ifname))
		return err_set(e, ERR_CONFIG, 0, "\"%.32s\" is not a name for a card",
			       card->ifname);
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

/* Where the MAC is the parent's, setting it would set that. */
static bool is_disguise_wanted(const struct macvlan_card *card)
{
	static const struct mac_addr none;

	return card->detect && nl_link_type_of(card->mode)->own_mac &&
	       !nl_link_mode_get(card->mode)->alone && !mac_eq(&card->mac, &none);
}

/* @l: its mac is the one to make it with */
static int add_link(struct nl *host, const struct macvlan_link *l, const struct macvlan_card *card,
		    const struct nl_link *parent, const char *name, struct err *e)
{
	const struct nl_card c = {
		.name = name,
		.parent = parent->index,
		.netns_fd = l->netns_fd,
		.mode = card->mode,
		.mtu = card->mtu ? card->mtu : parent->mtu,
		.mac = l->mac,
	};

	return nl_link_add_card(host, &c, e);
}

/* RTM_NEWLINK gives no index back when it creates in another namespace: the name finds it. */
static int make_link(struct nl *host, struct macvlan_link *l, const struct macvlan_card *card,
		     const struct nl_link *parent, struct err *e)
{
	const struct nl_link_type *type = nl_link_type_of(card->mode);
	struct nl_link made = {0};
	char name[IFNAMSIZ];
	int rc, i;

	l->disguised = is_disguise_wanted(card);
	l->mac = l->disguised ? macvlan_probe_mac(parent) : card->mac;
	for (i = 0; i < TEMP_NAME_TRIES; i++) {
		err_clear(e);
		if (macvlan_temp_name(name, e) < 0)
			return -1;
		rc = add_link(host, l, card, parent, name, e);
		if (rc == 0 || e->num != EEXIST)
			break;
	}
	if (rc < 0 && e->num == EOPNOTSUPP)
		return err_set(e, ERR_UNSUPPORTED, EOPNOTSUPP, "the node's kernel has no %s",
			       type->kind);
	if (rc < 0) {
		macvlan_parent_explain(host, parent, e);
		return err_wrap(e, "make %s %s on %s", type->article, type->kind, parent->name);
	}
	rc = nl_link_find(l->pod, name, &made, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_KERNEL, ENODEV, "%s is not in the pod", name);
	l->index = made.index;
	l->mac = made.mac;
	l->mtu = made.mtu;
	return 0;
}

int macvlan_link_set_ipv4(struct macvlan_link *l, const struct macvlan_card *card, struct err *e)
{
	/*
	 * The pod inherits ip_forward: a neighbour on the LAN could walk through it into the
	 * cluster. And the card speaks for its own address only. It believes senders that it would
	 * answer by another card: those of groups, beyond the router, where the default is eth0's; an
	 * answer to one leaves by the rule of its address. The kernel takes the higher of this value
	 * and that of "all", which is the pod's own.
	 */
	const struct nl_ipv4_conf conf[] = {
		{IPV4_DEVCONF_FORWARDING, card->forwarding},
		{IPV4_DEVCONF_RP_FILTER, RP_FILTER_LOOSE},
		{IPV4_DEVCONF_ARP_IGNORE, 1},
		{IPV4_DEVCONF_ARP_ANNOUNCE, 2},
		{IPV4_DEVCONF_ARP_NOTIFY, 1},
	};

	/* A routed card does no ARP. */
	size_t n = macvlan_is_routed(card) ? 2 : ARRAY_SIZE(conf);

	if (nl_link_set_ipv4_conf(l->pod, l->index, conf, n, e) < 0)
		return err_wrap(e, "set the card's IPv4 settings");
	return 0;
}

struct ipv6_conf {
	struct nl_link link;
	unsigned int wanted;
};

/* IPv6 has no netlink for these: /proc/sys shows the settings of the namespace that one is in. */
static int set_ipv6_there(void *ctx, struct err *e)
{
	const struct ipv6_conf *c = ctx;

	return macvlan_conf6_set(c->link.name, c->wanted, e);
}

unsigned int macvlan_card_conf6(const struct macvlan_card *card)
{
	if (!macvlan_card_has_ipv6(card))
		return 0;
	return MACVLAN_CONF6_ON | (card->accept_ra ? MACVLAN_CONF6_RA : 0) |
	       (card->forwarding ? MACVLAN_CONF6_FORWARD : 0);
}

int macvlan_link_set_ipv6(struct macvlan_link *l, unsigned int wanted, struct err *e)
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
	    macvlan_foreign_check(host, card, &parent, e) < 0 ||
	    macvlan_foreign_net_check(host, card, &parent, e) < 0 ||
	    check_name_free(l->pod, card->ifname, e) < 0)
		return -1;
	memcpy(l->parent, parent.name, sizeof(l->parent));
	if (make_link(host, l, card, &parent, e) < 0)
		return -1;
	/* A link-local address made of a MAC that is not to stay would be seen on the LAN. */
	if (macvlan_link_set_ipv4(l, card, e) == 0 &&
	    macvlan_link_set_ipv6(l, l->disguised ? 0 : macvlan_card_conf6(card), e) == 0)
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
	l->cancel_fd = -1;
	l->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, 3);
	if (l->netns_fd < 0)
		return err_errno(e, ERR_NETNS, errno, "keep the network namespace");
	if (nl_open_in(netns_fd, &l->pod, e) < 0 || create_into(host, l, card, e) < 0)
		return -1;
	*out = STEAL(l);
	return 0;
}
