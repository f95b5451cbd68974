/* SPDX-License-Identifier: Apache-2.0 */
/* Which NIC of a node a network is on, where the subnet tells it by what the NIC is and not by its name. */
#ifndef MACVLAN_NIC_H
#define MACVLAN_NIC_H

#include <net/if.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"
#include "lib/nl/addr.h"
#include "lib/nl/driver.h"
#include "lib/nl/link.h"

struct nl;

enum macvlan_nic_by {
	MACVLAN_NIC_ADDRESS, /* it has an address of that network */
	MACVLAN_NIC_MAC,
	MACVLAN_NIC_DRIVER,
	MACVLAN_NIC_PATTERN, /* its name fits that pattern of a shell */
};

struct macvlan_nic_want {
	enum macvlan_nic_by by;
	const char *text; /* a driver's name, a pattern */
	struct ip_net net;
	struct mac_addr mac;
	const char *node, *told; /* the node's name and the selector, for messages */
};

/* What a node has. All lent. */
struct macvlan_nic_seen {
	const struct nl_link *links;
	size_t n_links;
	const struct nl_addr *addrs;
	size_t n_addrs;
	const char (*drivers)[NL_DRIVER_MAX]; /* of each link; NULL unless they are asked for */
};

/**
 * macvlan_nic_choose - the one NIC that fits; pure.
 *
 * Never: links of ours, cards, what speaks no ARP, and by MAC or driver a VLAN's link, which has those of the NIC below. A port
 * of a bridge, bond or team is passed over where another fits: it bears the MAC of what it is a port of.
 * ERR_AGAIN, naming those that fit, or else those that there are.
 */
int macvlan_nic_choose(const struct macvlan_nic_want *want, const struct macvlan_nic_seen *seen,
		       char out[IFNAMSIZ], struct err *e) FN_MUST;

/** macvlan_nic_find - the same, of the node as it is. Its errors, and those of netlink. */
int macvlan_nic_find(struct nl *host, const struct macvlan_nic_want *want, char out[IFNAMSIZ],
		     struct err *e) FN_MUST;

#endif
