/* SPDX-License-Identifier: Apache-2.0 */
/* One pod's card, in the pod's namespace. */
#ifndef NODE_CARD_H
#define NODE_CARD_H

#include "lib/base/err.h"
#include "lib/base/ip.h"

/* Where a card is said to be, and what it is said to be. Lent. */
struct card_place {
	const char *netns; /* path */
	const char *name;
	struct mac_addr mac;     /* of a card that has one of its own */
	struct ip_addr addrs[2]; /* unset: none */
	int parent;              /* index of the host's link that it has to sit on; 0 = any */
};

/**
 * card_announce - tell the LAN of its addresses: gratuitous ARP in request form, unsolicited advertisement.
 *
 * 1 done; 0 there is no such card: no namespace or link, another kind or MAC, another parent, down, without
 * ARP (routed cards), or none of the addresses is on it. ERR_NETNS, ERR_KERNEL.
 */
int card_announce(const struct card_place *p, struct err *e) FN_MUST;

#endif
