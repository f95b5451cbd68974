/* SPDX-License-Identifier: Apache-2.0 */
/* Asking and hearing a LAN by packet sockets. How many frames are sent at most is said here, and in tandem-node(8). */
#ifndef NODE_DOCTOR_LAN_H
#define NODE_DOCTOR_LAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct frames_echo;
struct lldp;
struct verdict_asked;

#define LAN_ASKED      3 /* frames that ask for a gateway, from each MAC */
#define LAN_ECHO_SMALL 2 /* small echo requests */
#define LAN_ECHO_FULL  3 /* of full size */

enum lan_ear {
	LAN_ANSWERS, /* ARP, neighbour advertisements, echo replies */
	LAN_OTHERS,  /* a few frames, whatever they are */
	LAN_LLDP,
};

/**
 * lan_open - a socket that hears and speaks on that link, without what its other VLANs carry.
 * @netns_fd: where the link is; -1 = here
 *
 * The caller closes *out. ERR_KERNEL, ERR_NETNS.
 */
int lan_open(int netns_fd, int index, enum lan_ear what, int *out, struct err *e) FN_MUST;

/**
 * lan_ask - ask for a->gateway from that MAC, until it is answered, and hear for a moment who else does.
 * @out_answered: an answer came to that MAC
 *
 * Who answers goes to a->macs. ERR_KERNEL.
 */
int lan_ask(int fd, const struct mac_addr *own, struct verdict_asked *a, bool *out_answered,
	    struct err *e) FN_MUST;

/** lan_echo - at most tries times. 1: it was answered; 0: not; -1: error. */
int lan_echo(int fd, struct frames_echo *q, int tries, struct err *e) FN_MUST;

/** lan_hears_others - somebody but these MACs has been heard, or is within so long. */
bool lan_hears_others(int fd, const struct mac_addr *own, size_t n_own, int ms);

/** lan_hears_switch - a switch has told of itself since the socket was opened; does not wait. */
bool lan_hears_switch(int fd, struct lldp *out);

#endif
