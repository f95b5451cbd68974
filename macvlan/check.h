/* SPDX-License-Identifier: Apache-2.0 */
/* Is what an ADD has made still there? */
#ifndef MACVLAN_CHECK_H
#define MACVLAN_CHECK_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

/**
 * macvlan_check - every line of what was made (macvlan_link_made()) is true in that namespace.
 *
 * Whatever else is there does not matter. ERR_MISSING names the first thing that is not as it was
 * ("route 172.16.18.0/24 via 192.168.100.1 dev eth1 is missing") and how many more there are.
 */
int macvlan_check(int netns_fd, const char *made, struct err *e) FN_MUST;

/* A card of which no more than this is known. */
struct macvlan_check_card {
	const char *ifname;
	const struct mac_addr *mac; /* NULL = any */
	bool optional;              /* no macvlan of that name is fine */
};

/** macvlan_check_card - a card that is a macvlan, up, with that MAC and an address. Errors as above. */
int macvlan_check_card(int netns_fd, const struct macvlan_check_card *card, struct err *e) FN_MUST;

#endif
