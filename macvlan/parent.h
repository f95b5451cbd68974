/* The link on the host that a card sits on. */
#ifndef MACVLAN_PARENT_H
#define MACVLAN_PARENT_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/nl/link.h"

struct nl;
struct macvlan_card;

/**
 * macvlan_parent_find - the master itself, or its VLAN link, which is made where it is missing.
 * @host: a socket in the host's namespace
 *
 * ERR_AGAIN with a text that names the node, the link and the reason: missing, down, no carrier,
 * MTU below card->mtu, port of another device, itself a macvlan. ERR_CONFIG for a VLAN or a name
 * that cannot be.
 */
int macvlan_parent_find(struct nl *host, const struct macvlan_card *card, struct nl_link *out,
			struct err *e) FN_MUST;

/** macvlan_vlan_name - "<master>.<vlan>", or "tv" and a hash of it where that is over 15 bytes. */
void macvlan_vlan_name(const char *master, uint16_t vlan, char out[IFNAMSIZ]);

#endif
