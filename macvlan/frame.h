/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that ask whether an address is in use, and those that say so. No I/O. */
#ifndef MACVLAN_FRAME_H
#define MACVLAN_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/ip.h"

#define FRAME_PROBE_MAX 78 /* Ethernet, IPv6, neighbour solicitation */

/**
 * frame_probe - "who has addr?" from a card that has no address.
 *
 * An ARP request with sender address 0.0.0.0 (RFC 5227, 2.1.1), or a neighbour solicitation from :: to
 * the address' solicited-node group (RFC 4862, 5.4.2): nobody learns anything from either. Returns
 * its length.
 */
size_t frame_probe(const struct ip_addr *addr, const struct mac_addr *own,
		   unsigned char out[FRAME_PROBE_MAX]);

/** frame_group - the Ethernet address of an IPv6 address' solicited-node group. */
struct mac_addr frame_group(const struct ip_addr *addr);

/**
 * frame_rival - another machine than the one with MAC own shows that it has addr or is about to take it.
 *
 * Any ARP with that sender address, a probe of another for it; an advertisement of it, a solicitation
 * from it, or from :: for it. What own itself has sent, which a switch may send back, is none.
 * @frame: as it came, from the Ethernet header on; may be cut or garbage
 */
bool frame_rival(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		 const struct mac_addr *own, struct mac_addr *out);

#endif
