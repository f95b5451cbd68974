/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod's macvlan card shall be. */
#ifndef MACVLAN_MACVLAN_H
#define MACVLAN_MACVLAN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/ip.h"
#include "lib/nl/link.h"

/* Tables and preferences of the two rules that every pod with two cards gets, in the pod's namespace. */
#define MACVLAN_TABLE_PRIMARY 2000 /* for what leaves with an address of the primary's card */
#define MACVLAN_TABLE_CARD    2001 /* for what leaves with the macvlan's address */
#define MACVLAN_PREF_PRIMARY  1000
#define MACVLAN_PREF_CARD     1001

/* Alias of links on the host that we made. */
#define MACVLAN_ALIAS "tandem"

enum macvlan_iface { MACVLAN_IFACE_CARD = 0 /* "eth1" */, MACVLAN_IFACE_PRIMARY /* "eth0" */ };

struct macvlan_route {
	struct ip_net dst;
	struct ip_addr gw; /* unset: the subnet's gateway on the card, the primary's on eth0 */
	bool onlink;       /* by no gateway at all */
	enum macvlan_iface iface;
};

/* A list of networks, lent. */
struct macvlan_nets {
	const struct ip_net *v;
	size_t n;
};

/* Of each family the source of the default route and the parent's own. */
#define MACVLAN_NODE_ADDRS 4

/* The node as its own pods on one parent reach it, see macvlan/host.h. */
struct macvlan_node {
	struct mac_addr mac; /* of the host's device */
	struct ip_addr addrs[MACVLAN_NODE_ADDRS];
	size_t n_addrs; /* 0 = no hostAccess */
};

/* All pointers are lent for the calls that take the card. */
struct macvlan_card {
	char ifname[IFNAMSIZ];       /* its final name, "eth1" or "eth0" */
	char master[NL_ALTNAME_MAX]; /* NIC of the host: name or altname */
	const char *node;            /* the node's name, for messages; NULL = the host name */
	uint16_t vlan;               /* 0 = untagged */
	enum nl_mode mode;           /* and with it the type of link */
	uint32_t mtu;                /* 0 = the parent's */
	struct mac_addr mac;         /* all zero = the kernel makes one */
	struct ip_net addr;          /* either family; host bits set */
	struct ip_net addr6;         /* the second family of a dual-stack subnet, may be unset */
	struct ip_addr gateway;      /* of addr's family, may be unset */
	struct ip_addr gateway6;     /* of addr6's family, may be unset */
	const struct macvlan_route *routes;
	size_t n_routes;
	bool detect;          /* see whether anybody has the address first, macvlan/detect.h */
	bool forwarding;      /* it forwards what is not its own */
	bool accept_ra;       /* it has IPv6, and listens to routers */
	bool any_carrier;     /* a parent without one will do */
	bool default_gateway; /* gateway mode */
	/* What no route of the card takes away from the primary's card: services, pods, others. */
	struct macvlan_nets service_cidrs;
	struct macvlan_nets cluster_cidrs;
	struct macvlan_nets via_primary;
	const struct ip_addr *nameservers; /* the pod's, for those in 169.254.0.0/16 */
	size_t n_nameservers;
	bool single;                   /* no other card in the pod */
	char primary_ifname[IFNAMSIZ]; /* the primary's card, "eth0"; unused when single */
	/* The gateways that the primary's result names, for where no route does; may be unset. */
	struct ip_addr primary_gateway, primary_gateway6;
	bool host_access;         /* the node and this card shall reach each other */
	struct macvlan_node host; /* what macvlan_host_join() found, when they shall */
};

/** macvlan_is_routed - no ARP, no neighbours, no gateway; the node routes. */
static inline bool macvlan_is_routed(const struct macvlan_card *card)
{
	return nl_link_mode_get(card->mode)->routed;
}

/** macvlan_card_has_ipv6 - one of its addresses is IPv6, or routers may give it one. */
static inline bool macvlan_card_has_ipv6(const struct macvlan_card *card)
{
	return card->accept_ra || card->addr.addr.family == AF_INET6 ||
	       card->addr6.addr.family == AF_INET6;
}

#endif
