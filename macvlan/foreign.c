/* SPDX-License-Identifier: Apache-2.0 */
#include "macvlan/foreign.h"

#include <net/if.h>
#include <unistd.h>

#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/nl/addr.h"
#include "lib/nl/link.h"
#include "lib/nl/neigh.h"
#include "macvlan/macvlan.h"
#include "macvlan/plan_host.h"

static int refuse(const struct macvlan_card *card, struct err *e, const char *what,
		  const char *whose)
{
	char mac[MAC_ADDR_LEN];

	return err_set(e, ERR_CONFIG, 0, "MAC %s is that of %s %s; the pod needs another",
		       mac_format(&card->mac, mac), what, whose);
}

static int check_gateway(struct nl *host, const struct macvlan_card *card,
			 const struct nl_link *parent, const struct ip_addr *gateway, struct err *e)
{
	struct mac_addr mac;
	char text[IP_ADDR_LEN];
	int rc;

	if (!ip_is_set(gateway))
		return 0;
	rc = nl_neigh_find(host, parent->index, gateway, &mac, e);
	if (rc < 0)
		return err_wrap(e, "look for the gateway's MAC");
	return rc && mac_eq(&mac, &card->mac)
		       ? refuse(card, e, "the gateway", ip_format(gateway, text))
		       : 0;
}

int macvlan_foreign_check(struct nl *host, const struct macvlan_card *card,
			  const struct nl_link *parent, struct err *e)
{
	struct mac_addr own = macvlan_host_mac(parent);
	char name[IFNAMSIZ];

	/* Made by the kernel, or to be the parent's. */
	if (!mac_is_usable(&card->mac) || !nl_link_type_of(card->mode)->own_mac ||
	    nl_link_mode_get(card->mode)->alone)
		return 0;
	macvlan_host_name(parent->name, name);
	if (mac_eq(&card->mac, &parent->mac))
		return refuse(card, e, "the node's", parent->name);
	if (mac_eq(&card->mac, &own))
		return refuse(card, e, "the node's", name);
	if (check_gateway(host, card, parent, &card->gateway, e) < 0)
		return -1;
	return check_gateway(host, card, parent, &card->gateway6, e);
}

/* ------------------------------------------------------------------------------- networks */

static bool is_one_of(const char *kind, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(kind, list[i]))
			return true;
	}
	return false;
}

/* What pods, guests and overlays are behind. */
static bool is_soft_port(const struct nl_link *l)
{
	static const char *const kinds[] = {"veth",   "tun",    "dummy",     "vxlan",
					    "geneve", "gretap", "ip6gretap", "ifb"};

	return is_one_of(l->kind, kinds, ARRAY_SIZE(kinds));
}

/* 1: all that is on that link is on this node, or beyond a tunnel of it. 0: it may be a LAN. */
static int is_inner(struct nl *host, const struct nl_link *l, struct err *e)
{
	static const char *const kinds[] = {"dummy",  "vxlan",     "geneve", "wireguard", "tun",
					    "ipip",   "sit",       "gre",    "gretap",    "ip6tnl",
					    "ip6gre", "ip6gretap", "vti",    "vti6",      "xfrm"};
	AUTO(free) struct nl_link *links = NULL;
	size_t n = 0;

	if (is_one_of(l->kind, kinds, ARRAY_SIZE(kinds)))
		return 1;
	if (!str_eq(l->kind, "bridge"))
		return 0;
	if (nl_link_list(host, &links, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (links[i].master == l->index && !is_soft_port(&links[i]))
			return 0;
	}
	return 1;
}

static int refuse_net(const struct macvlan_card *card, const struct ip_net *addr,
		      const struct nl_link *l, const struct nl_addr *there, struct err *e)
{
	struct ip_net net = {ip_net_base(&there->addr), there->addr.prefix};
	char a[IP_NET_LEN], b[IP_NET_LEN], name[65] = "?";

	if (!card->node && gethostname(name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	return err_set(e, ERR_CONFIG, 0,
		       "address %s is in %s, the network of %s %s of node %.64s itself, where it "
		       "would be looked for; set other ranges in the MacvlanSubnet and recreate "
		       "the pod",
		       ip_net_format(addr, a), ip_net_format(&net, b), l->kind, l->name,
		       card->node ? card->node : name);
}

static int check_net(struct nl *host, const struct macvlan_card *card, const struct ip_net *addr,
		     const struct nl_addr *there, struct err *e)
{
	struct nl_link l = {0};
	int rc;

	if (!ip_is_set(&addr->addr) || there->addr.prefix == ip_bits(&there->addr.addr) ||
	    !ip_net_has(&there->addr, &addr->addr))
		return 0;
	rc = nl_link_get(host, there->index, &l, e);
	if (rc > 0)
		rc = is_inner(host, &l, e);
	return rc > 0 ? refuse_net(card, addr, &l, there, e) : rc;
}

int macvlan_foreign_net_check(struct nl *host, const struct macvlan_card *card,
			      const struct nl_link *parent, struct err *e)
{
	AUTO(free) struct nl_addr *addrs = NULL;
	size_t n = 0;

	if (nl_addr_list(host, 0, &addrs, &n, e) < 0)
		return err_wrap(e, "look at the node's networks");
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].index == parent->index)
			continue;
		if (check_net(host, card, &card->addr, &addrs[i], e) < 0 ||
		    check_net(host, card, &card->addr6, &addrs[i], e) < 0)
			return -1;
	}
	return 0;
}
