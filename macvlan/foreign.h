/* SPDX-License-Identifier: Apache-2.0 */
/* MACs that belong to the node or to the gateway: a card with one of them would get frames that are not its own. */
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

#endif
