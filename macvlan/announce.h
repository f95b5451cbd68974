/* Tell the LAN where an address lives now. */
#ifndef MACVLAN_ANNOUNCE_H
#define MACVLAN_ANNOUNCE_H

#include "lib/base/err.h"
#include "lib/base/ip.h"

/**
 * macvlan_announce - one broadcast frame that moves the address and the MAC to this card.
 * @netns_fd: the namespace of the link
 * @index: the link there; it must be up
 *
 * IPv4: a gratuitous ARP in request form (RFC 5227, 3), which Linux takes at any time, where a reply
 * is ignored for a second after a change. IPv6: an unsolicited neighbour advertisement with the
 * override flag (RFC 4861, 7.2.6). ERR_KERNEL; ENETDOWN: the link is down.
 */
int macvlan_announce(int netns_fd, int index, const struct mac_addr *mac,
		     const struct ip_addr *addr, struct err *e) FN_MUST;

#endif
