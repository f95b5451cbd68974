/* SPDX-License-Identifier: Apache-2.0 */
/* Take a card away: idempotent, and without waiting for the kernel's grace period. */
#ifndef MACVLAN_DELETE_H
#define MACVLAN_DELETE_H

#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct macvlan_deletion;

/**
 * macvlan_delete - remove our card, its leftovers under temporary names, our rules and tables.
 * @mac: only a card with this MAC, where its type has one of its own; NULL = any
 *
 * A link of that name that is of no type of card is not ours and stays. Nothing there is a success.
 * Takes ~17 ms, which the kernel spends waiting; see macvlan_delete_start().
 */
int macvlan_delete(int netns_fd, const char *ifname, const struct mac_addr *mac,
		   struct err *e) FN_MUST;

/**
 * macvlan_delete_start - the same, by a child that waits in the kernel in our stead.
 *
 * The child closes every descriptor, is in a session of its own and may outlive the caller. On
 * success the caller goes on with macvlan_delete_wait(), maybe after other work.
 */
int macvlan_delete_start(int netns_fd, const char *ifname, const struct mac_addr *mac,
			 struct macvlan_deletion **out, struct err *e) FN_MUST;

/**
 * macvlan_delete_wait - until the card is invisible (under 1 ms) or the deadline has passed.
 *
 * ERR_TIMEOUT then. Does not free d.
 */
int macvlan_delete_wait(struct macvlan_deletion *d, int64_t deadline_ms, struct err *e) FN_MUST;

/** macvlan_delete_own - remove a link of the calling namespace, without waiting for the kernel. */
int macvlan_delete_own(int index, int64_t deadline_ms, struct err *e) FN_MUST;

/** macvlan_deletion_free - forget it; a child that is still at work goes on. */
void macvlan_deletion_free(struct macvlan_deletion *d);
DEFINE_AUTO(struct macvlan_deletion, macvlan_deletion_free)

#endif
