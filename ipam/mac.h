/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC that belongs to an address. */
#ifndef IPAM_MAC_H
#define IPAM_MAC_H

#include "lib/base/ip.h"

/**
 * ipam_mac_compute - a locally administered unicast MAC for an address of a subnet.
 * @ns, @name: the subnet
 * @try: 0 first; 1, 2, ... when the one before is in use elsewhere
 *
 * The same arguments always give the same MAC, so that neighbours' caches stay right when an address
 * moves to another pod, and a subnet that was deleted and made again gives the same ones.
 */
struct mac_addr ipam_mac_compute(const char *ns, const char *name, const struct ip_addr *addr,
				 unsigned int try);

#endif
