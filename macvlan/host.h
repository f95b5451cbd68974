/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node and its own pods on one parent reach each other through "<parent>.host", a macvlan of the
 * host's: the kernel passes nothing between a link and the macvlans on it. The device is shared by
 * all pods on the parent, lets nobody on the LAN learn its MAC (IFF_NOARP), and bears the node's own
 * addresses.
 */
#ifndef MACVLAN_HOST_H
#define MACVLAN_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct ip_addr;
struct mac_addr;
struct macvlan_card;
struct macvlan_node;

/**
 * macvlan_host_join - the node's side for one card: the device, a route and a neighbour for the pod.
 * @parent: name of the link that the card sits on
 * @mac: the one that the card will have
 *
 * In the calling namespace, under the parent's lock, which the caller holds. The addresses of
 * the device follow the node's. A node without an address of the card's families: no device,
 * out->n_addrs is 0. On failure macvlan_host_leave() takes back what was done. ERR_AGAIN: the
 * device's name is taken by another link, or the parent has gone. ERR_KERNEL.
 */
int macvlan_host_join(const struct macvlan_card *card, const char *parent,
		      const struct mac_addr *mac, struct macvlan_node *out, struct err *e) FN_MUST;

/* What macvlan_host_leave() has to know; lent. */
struct macvlan_host_user {
	const char *parent;
	const char *device;
	const struct ip_addr *addrs; /* the pod's */
	size_t n_addrs;
};

/**
 * macvlan_host_leave - remove a pod's route and neighbour, and the device after its last pod.
 *
 * Under the parent's lock. What is not there is a success; a link of that name that is not ours
 * stays. ERR_TIMEOUT when the device is still there at the deadline.
 */
int macvlan_host_leave(const struct macvlan_host_user *u, int64_t deadline_ms,
		       struct err *e) FN_MUST;

#endif
