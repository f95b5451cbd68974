/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of the LAN doctor beside those of macvlan/frame.h, and what is read in an answer. No I/O. */
#ifndef NODE_DOCTOR_FRAMES_H
#define NODE_DOCTOR_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/ip.h"

#define FRAMES_MAX 9300 /* Ethernet's header and a packet of 9000 bytes, and some */

/** frames_linklocal - the address of fe80::/64 that a MAC makes (RFC 4291, appendix A). */
struct ip_addr frames_linklocal(const struct mac_addr *mac);

/**
 * frames_ask - "who has gateway?" without an address of the subnet. Returns its length.
 *
 * IPv4: an ARP request from 0.0.0.0 (RFC 5227). IPv6: a neighbour solicitation from the link-local address of own:
 * one from :: would tell a router that is just starting that its address is taken.
 */
size_t frames_ask(const struct ip_addr *gateway, const struct mac_addr *own,
		  unsigned char out[FRAMES_MAX]);

/** frames_answers - that frame says which MAC has the address: an ARP with it as sender, or an advertisement of it. */
bool frames_answers(const unsigned char *frame, size_t n, const struct ip_addr *addr,
		    struct mac_addr *out);

/** frames_is_for - sent to that MAC, or an ARP reply that names it. */
bool frames_is_for(const unsigned char *frame, size_t n, const struct mac_addr *mac);

/* An echo request, and the reply that belongs to it. */
struct frames_echo {
	struct mac_addr from_mac, to_mac;
	struct ip_addr from, to;
	uint16_t id, seq;
	size_t size; /* of the IP packet */
};

/** frames_echo - not to be fragmented. Returns its length; 0: a size that cannot be. */
size_t frames_echo(const struct frames_echo *q, unsigned char out[FRAMES_MAX]);
/** frames_is_reply - whole and as long as the request. */
bool frames_is_reply(const unsigned char *frame, size_t n, const struct frames_echo *q);

/** frames_is_others - that frame shows that somebody else is on the LAN: not from these MACs, not a switch's own. */
bool frames_is_others(const unsigned char *frame, size_t n, const struct mac_addr *own,
		      size_t n_own);

#endif
