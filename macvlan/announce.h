/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tell the LAN where an address lives now: one frame to all that moves the MAC in switches and the
 * address in neighbours.
 *
 * No packet socket is used: closing one waits for a grace period of the kernel, 7 to 23 ms of an
 * ADD (packet_release() calls synchronize_net()).
 */
#ifndef MACVLAN_ANNOUNCE_H
#define MACVLAN_ANNOUNCE_H

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct nl;

/**
 * macvlan_announce_arp - a gratuitous ARP in request form (RFC 5227, 3).
 * @pod: a socket in the namespace of the link
 * @index: the link there; it must be up and hold addr
 *
 * The request form, since Linux takes it at any time, where it ignores most replies for a second
 * after a change. The kernel makes the frame. ERR_KERNEL.
 */
int macvlan_announce_arp(struct nl *pod, int index, const struct ip_addr *addr,
			 struct err *e) FN_MUST;

/**
 * macvlan_announce_gateway - have the kernel ask for the gateway, which it repeats until it is answered.
 *
 * A further frame to all with the card's address and MAC, thrice in two seconds as long as the gateway
 * does not answer: a lost announcement is made good without a process that stays. What the gateway
 * does is not waited for. ERR_KERNEL.
 */
int macvlan_announce_gateway(struct nl *pod, int index, const struct ip_addr *gateway,
			     struct err *e) FN_MUST;

/**
 * macvlan_announce_na - an unsolicited neighbour advertisement with the override flag (RFC 4861,
 * 7.2.6).
 * @netns_fd: the namespace of the link
 *
 * ERR_KERNEL.
 */
int macvlan_announce_na(int netns_fd, int index, const struct mac_addr *mac,
			const struct ip_addr *addr, struct err *e) FN_MUST;

#endif
