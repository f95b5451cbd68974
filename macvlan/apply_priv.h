/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a card's link, for create.c, which makes it, and apply.c, which sets it up. */
#ifndef MACVLAN_APPLY_PRIV_H
#define MACVLAN_APPLY_PRIV_H

#include "macvlan/apply.h"
#include "macvlan/plan.h"

/* An operation that was done, and what stood there before. */
struct done {
	struct macvlan_op op;
	bool had_old;
	struct nl_route old;
};

struct macvlan_link {
	struct nl *pod;
	int netns_fd;
	int cancel_fd; /* lent */
	int index;
	uint32_t mtu;
	struct mac_addr mac;
	bool disguised; /* mac is for detection alone */
	bool up;        /* already, under its final name */
	char parent[IFNAMSIZ];
	int64_t announce_us;
	struct done *done;
	size_t n_done;
};

/** macvlan_card_has_ipv6 - one of its addresses is IPv6. */
bool macvlan_card_has_ipv6(const struct macvlan_card *card);
/** macvlan_link_set_ipv6 - accept_ra and autoconf off, IPv6 itself on or off. */
int macvlan_link_set_ipv6(struct macvlan_link *l, bool wanted, struct err *e) FN_MUST;
/** macvlan_link_set_ipv4 - forwarding, arp_ignore, arp_announce and arp_notify, in one message. */
int macvlan_link_set_ipv4(struct macvlan_link *l, const struct macvlan_card *card,
			  struct err *e) FN_MUST;

#endif
