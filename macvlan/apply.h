/* SPDX-License-Identifier: Apache-2.0 */
/* Make the card, set it up, take it away. */
#ifndef MACVLAN_APPLY_H
#define MACVLAN_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

struct macvlan_card;
struct macvlan_link;
struct sb;

/**
 * macvlan_create - phase 1: the link, under a temporary name, down, in the pod's namespace.
 * @netns_fd: the pod's namespace; lent, not kept
 * @deadline_ms: CLOCK_MONOTONIC, see lib/base/clock.h
 *
 * Called from the host's namespace; may run while the primary works in the pod. On failure there is
 * no link. ERR_AGAIN: the parent is not fit (macvlan/parent.h). ERR_CONFLICT: the pod already has
 * a link of the final name. ERR_KERNEL.
 * The caller frees *out, which does not remove the link.
 */
int macvlan_create(const struct macvlan_card *card, int netns_fd, int64_t deadline_ms,
		   struct macvlan_link **out, struct err *e) FN_MUST;

/**
 * macvlan_configure - phase 2, once the primary is done: name, address, up, rules, routes, announce.
 * @card: the one of phase 1, now with all that is known of the primary (nameservers)
 *
 * On failure routes, rules and tables are as they were before; the link itself stays for
 * macvlan_rollback(). ERR_AGAIN: the MAC is still held by a former pod when the deadline comes.
 */
int macvlan_configure(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		      struct err *e) FN_MUST;

/**
 * macvlan_rollback - take back all that was done with this link: the old default route first, then
 * rules and tables, then the link. Every step is tried; -1 with the first failure.
 */
int macvlan_rollback(struct macvlan_link *l, struct err *e) FN_MUST;

/**
 * macvlan_link_made - what now has to be there, a line for each (macvlan/made.h), for a CHECK later.
 *
 * To be called after macvlan_configure(). Appends to *out. ERR_KERNEL.
 */
int macvlan_link_made(const struct macvlan_link *l, const struct macvlan_card *card, struct sb *out,
		      struct err *e) FN_MUST;

/** macvlan_link_free - forget the link; it stays as it is. */
void macvlan_link_free(struct macvlan_link *l);
DEFINE_AUTO(struct macvlan_link, macvlan_link_free)

/** macvlan_link_set_cancel_fd - macvlan_configure() waits no longer (ERR_CANCELLED) once fd is readable. Lent. */
void macvlan_link_set_cancel_fd(struct macvlan_link *l, int fd);

/** macvlan_link_mac - the MAC in use (passthru and ipvlan: the parent's). */
struct mac_addr macvlan_link_mac(const struct macvlan_link *l);
/** macvlan_link_index, macvlan_link_mtu - as the pod sees them. */
int macvlan_link_index(const struct macvlan_link *l);
uint32_t macvlan_link_mtu(const struct macvlan_link *l);
/** macvlan_link_parent - the name of the link that it sits on, on the host. Lent. */
const char *macvlan_link_parent(const struct macvlan_link *l);

/* For macvlan/detect.c. A card with detect set has a MAC of its own until macvlan_configure(). */

/** macvlan_link_netns - the pod's namespace, lent. */
int macvlan_link_netns(const struct macvlan_link *l);
/** macvlan_link_is_disguised - its MAC is not the one that it shall have. */
bool macvlan_link_is_disguised(const struct macvlan_link *l);
/**
 * macvlan_link_raise - final name and up, still without address.
 *
 * Where another card of the node asks at this moment, waits until it is through: the kernel lets one card at a time
 * have a MAC on a parent. ERR_CONFLICT: the name is taken. ERR_AGAIN: the deadline came. ERR_CANCELLED.
 */
int macvlan_link_raise(struct macvlan_link *l, const struct macvlan_card *card, int64_t deadline_ms,
		       struct err *e) FN_MUST;
/** macvlan_link_set_mac - ERR_KERNEL with EADDRINUSE: another card on this NIC has it and is up. */
int macvlan_link_set_mac(struct macvlan_link *l, const struct mac_addr *mac, struct err *e) FN_MUST;
/** macvlan_link_wait_mac - the same, but waits as macvlan_link_raise() does. */
int macvlan_link_wait_mac(struct macvlan_link *l, const struct mac_addr *mac, int64_t deadline_ms,
			  struct err *e) FN_MUST;
/** macvlan_link_unmask - the MAC that stays, so that the next card may ask. IPv6 begins again with it. */
int macvlan_link_unmask(struct macvlan_link *l, const struct macvlan_card *card,
			int64_t deadline_ms, struct err *e) FN_MUST;
/** macvlan_link_announce_us - how long the announcing took, the last thing that macvlan_configure() does. */
int64_t macvlan_link_announce_us(const struct macvlan_link *l);

#endif
