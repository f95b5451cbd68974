/* SPDX-License-Identifier: Apache-2.0 */
/* The link on the host that a card sits on. */
#ifndef MACVLAN_PARENT_H
#define MACVLAN_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/nl/link.h"

struct nl;
struct macvlan_card;
struct macvlan_vlan;

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

/**
 * macvlan_parent_name - how that link is called, whether it is there or not; makes nothing.
 *
 * Its master must be there and alive. Errors as macvlan_parent_find().
 */
int macvlan_parent_name(struct nl *host, const struct macvlan_card *card, struct macvlan_vlan *out,
			struct err *e) FN_MUST;

/** macvlan_parent_takes_frames - a link of that kind keeps for itself what its ports hear. */
bool macvlan_parent_takes_frames(const char *kind);

/**
 * macvlan_parent_explain - put the likely reason before the kernel's bare EBUSY or EINVAL, when a card could
 * not be made: what sits on the parent already, as far as the host's namespace shows it.
 */
void macvlan_parent_explain(struct nl *host, const struct nl_link *parent, struct err *e);

#endif
