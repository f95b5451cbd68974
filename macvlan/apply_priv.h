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

/** macvlan_card_conf6 - what it shall have of IPv6, MACVLAN_CONF6_*. */
unsigned int macvlan_card_conf6(const struct macvlan_card *card);
/** macvlan_link_set_ipv6 - in the pod, see macvlan/conf6.h. */
int macvlan_link_set_ipv6(struct macvlan_link *l, unsigned int wanted, struct err *e) FN_MUST;
/** macvlan_link_set_ipv4 - forwarding, rp_filter and those of ARP, in one message. */
int macvlan_link_set_ipv4(struct macvlan_link *l, const struct macvlan_card *card,
			  struct err *e) FN_MUST;

#endif
