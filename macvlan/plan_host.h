/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of hostAccess on the node's side, as data. No I/O. */
#ifndef MACVLAN_PLAN_HOST_H
#define MACVLAN_PLAN_HOST_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/ip.h"

struct macvlan_node;
struct nl_addr;
struct nl_link;
struct nl_route;

/* What the host's namespace holds. Lent. */
struct macvlan_host_seen {
	const struct nl_link *parent;
	const struct nl_link *links;
	size_t n_links;
	const struct nl_addr *addrs; /* of all links */
	size_t n_addrs;
	const struct nl_route *routes; /* table main, both families */
	size_t n_routes;
};

/** macvlan_host_name - "<parent>.host"; two letters, a hash and ".host" where that is over 15 bytes. */
void macvlan_host_name(const char *parent, char out[IFNAMSIZ]);

/** macvlan_host_mac - the device's MAC, the same each time that it is made on this parent. */
struct mac_addr macvlan_host_mac(const struct nl_link *parent);

/**
 * macvlan_probe_mac - the MAC that all cards of this node ask the LAN with, on this parent, one after the other: a
 * switch that counts MACs, for ever where it is told to, counts one for them all.
 */
struct mac_addr macvlan_probe_mac(const struct nl_link *parent);

/** macvlan_host_is_ours - a link of that name on that parent is one that we made. */
bool macvlan_host_is_ours(const struct nl_link *l, const struct nl_link *parent);

/**
 * macvlan_host_addrs - the node's own addresses, into out->addrs. In each family
 *
 * 1. the source of the default route of the lowest metric: its "src", else its device's address;
 * 2. the parent's own address;
 * 3. with neither, the address of the first link that may be a NIC (no bridge, no veth, no tunnel).
 *
 * The first of a family is the one that the node speaks to its pods with; it is what the kubelet
 * takes for the node's InternalIP too. Only one address of a device counts and never a secondary
 * one: a floating address must not stay here when it moves to another node.
 */
void macvlan_host_addrs(const struct macvlan_host_seen *s, struct macvlan_node *out);

/** macvlan_host_src - the address that the node speaks to pods of that family with; NULL: none. */
const struct ip_addr *macvlan_host_src(const struct macvlan_node *n, uint8_t family);

/** macvlan_host_has - addr is one of the node's own. */
bool macvlan_host_has(const struct macvlan_node *n, const struct ip_addr *addr);

/** macvlan_host_route - the node's route to a pod through the device. */
struct nl_route macvlan_host_route(const struct ip_addr *pod, const struct ip_addr *src,
				   int device);

/** macvlan_host_route_is_pods - a route on the device that a pod uses: not one of the kernel's own. */
bool macvlan_host_route_is_pods(const struct nl_route *r, int device);

#endif
