/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does anybody use the address that a card is about to get?
 *
 * Asked with the card itself, up and without an address, under a MAC made for this: behind its final one a
 * card of ours that still has the address on another node would stay unseen, since its answers would
 * look like our own. It is the same for all cards of a node on a parent, so that a switch counts one and not one for each
 * pod; a card has it for as long as it asks, the next one waits. macvlan_create() gives such a card that MAC,
 * macvlan_detect() the final one.
 */
#ifndef MACVLAN_DETECT_H
#define MACVLAN_DETECT_H

#include <net/if.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct macvlan_card;
struct macvlan_link;

struct macvlan_rival {
	struct ip_addr addr; /* which of the card's addresses */
	struct mac_addr mac; /* who has it */
	char link[IFNAMSIZ]; /* a link of this very node that has it; "" = another machine */
};

struct macvlan_patience {
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	int cancel_fd;       /* readable = stop with ERR_CANCELLED; -1 = none */
};

/**
 * macvlan_detect - between macvlan_create() and macvlan_configure(); may run while the primary works.
 * @card: with detect set
 *
 * 1 and *out: somebody has one of the addresses; 0: nobody answered within 50 ms; -1: error. A card of
 * ours on this node that is just going away is waited for: ERR_AGAIN when it stays until the
 * deadline. The modes private and vepa do not hear cards of the same node.
 */
int macvlan_detect(struct macvlan_link *l, const struct macvlan_card *card,
		   const struct macvlan_patience *patience, struct macvlan_rival *out,
		   struct err *e) FN_MUST;

#endif
