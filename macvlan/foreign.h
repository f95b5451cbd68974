/* SPDX-License-Identifier: Apache-2.0 */
/* What is somebody else's: MACs, with which a card would get frames that are not its own, and the node's inner networks. */
#ifndef MACVLAN_FOREIGN_H
#define MACVLAN_FOREIGN_H

#include "lib/base/err.h"

struct macvlan_card;
struct nl;
struct nl_link;

/**
 * macvlan_foreign_check - the card's MAC is neither parent's, nor that of the node's own macvlan on it, nor the gateway's.
 *
 * The gateway's is known as far as the node has spoken with it on parent; nobody is asked. ERR_CONFIG says whose it is.
 */
int macvlan_foreign_check(struct nl *host, const struct macvlan_card *card,
			  const struct nl_link *parent, struct err *e) FN_MUST;

/**
 * macvlan_foreign_net_check - none of the card's addresses is one of a network that the node has inside of itself.
 *
 * That is one on a bridge without a NIC (docker0, the primary's cni0), a tunnel or a dummy, unless that is parent: who has
 * an address of it is looked for there. Networks on NICs, whichever, may be this LAN: a node may have two NICs on
 * it. Nor does a single address (/32, /128) make a network. ERR_CONFIG names both.
 */
int macvlan_foreign_net_check(struct nl *host, const struct macvlan_card *card,
			      const struct nl_link *parent, struct err *e) FN_MUST;

#endif
