/* SPDX-License-Identifier: Apache-2.0 */
/* The VLAN links on the host that cards sit on: made on demand, shared, removed with their last user. */
#ifndef MACVLAN_VLAN_H
#define MACVLAN_VLAN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct mac_addr;
struct nl;
struct nl_link;

/* A VLAN as a state file remembers it. */
struct macvlan_vlan {
	char name[IFNAMSIZ];   /* what macvlan_vlan_name() gave */
	char master[IFNAMSIZ]; /* the link below */
	uint16_t id;
};

/** macvlan_vlan_name - "<master>.<vlan>", or "tv" and a hash of it where that is over 15 bytes. */
void macvlan_vlan_name(const char *master, uint16_t vlan, char out[IFNAMSIZ]);

/** macvlan_vlan_is_ours - we made it: its alias is "tandem <master>.<vlan>". */
bool macvlan_vlan_is_ours(const struct nl_link *l);

/**
 * macvlan_vlan_list - those that we made and that have the name which their master gives them, or none yet.
 *
 * A name of theirs that is not finished is told as it will be. The caller frees *out.
 */
int macvlan_vlan_list(struct nl *host, struct macvlan_vlan **out, size_t *out_n,
		      struct err *e) FN_MUST;

/**
 * macvlan_vlan_ensure - the VLAN link of that id on master, made where there is none, and up if it is ours.
 * @routed: a new one gets IPv6 of its own, which routed cards send by; else it has none
 *
 * Somebody else's link is taken as it is. ERR_AGAIN when the name belongs to another link, which
 * the text names. Whoever may remove it at the same time must be kept out by the caller.
 */
int macvlan_vlan_ensure(struct nl *host, const struct nl_link *master, uint16_t id, bool routed,
			struct nl_link *out, struct err *e) FN_MUST;

/**
 * macvlan_vlan_remove - take a VLAN of ours away, now that no card that we know of is on it.
 * @own: MAC of the card that has just gone and may still be in its death throes; NULL = unknown
 * @deadline_ms: so long other cards on it are given to go, CLOCK_MONOTONIC
 *
 * 1: it is gone, or never was, or is not ours. 0: it stays, since something that we do not know of
 * sits on it: a card whose state was lost, a link or an address of the host. -1 error.
 */
int macvlan_vlan_remove(struct nl *host, const struct macvlan_vlan *v, const struct mac_addr *own,
			int64_t deadline_ms, struct err *e) FN_MUST;

#endif
