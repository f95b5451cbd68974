/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ask the LAN whether anybody has an address before it is given to a card.
 *
 * Only a packet socket hears the answers, and closing one waits for a grace period of the kernel, 7 to 23 ms,
 * at the end of the process too. So a child holds the sockets as well and closes them last.
 */
#ifndef MACVLAN_PROBE_H
#define MACVLAN_PROBE_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

#define PROBE_ADDRS 2

struct probe {
	int netns_fd;
	int index;           /* the card: up, without any of the addresses */
	struct mac_addr mac; /* the card's at present */
	struct ip_addr addrs[PROBE_ADDRS];
	size_t n_addrs;
	int cancel_fd; /* readable = stop; -1 = none */
};

/* Who has it. */
struct probe_answer {
	struct ip_addr addr;
	struct mac_addr mac;
};

/**
 * probe_run - two probes 20 ms apart, 50 ms of listening in all; more on a node that is overloaded.
 *
 * 1 and *out at the first answer, 0 = nobody answered, -1 = error. Takes ARP and neighbour
 * discovery from anybody but p->mac, see macvlan/frame.h. ERR_CANCELLED, ERR_KERNEL. The sockets may keep the
 * network namespace alive for the length of a grace period after this has returned.
 */
int probe_run(const struct probe *p, struct probe_answer *out, struct err *e) FN_MUST;

#endif
