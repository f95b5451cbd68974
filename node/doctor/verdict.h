/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen of a subnet on this node, and what it means: one reason. No I/O. */
#ifndef NODE_DOCTOR_VERDICT_H
#define NODE_DOCTOR_VERDICT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/doctor.h"
#include "lib/base/ip.h"

#define VERDICT_MACS 4

enum verdict_echo {
	VERDICT_ECHO_NONE = 0, /* no address to ask with, or no answer to a small one */
	VERDICT_ECHO_SMALL,    /* a small one was answered, one of full size was not */
	VERDICT_ECHO_FULL,
};

/* Of one family. */
struct verdict_asked {
	struct ip_addr gateway;             /* unset: not asked */
	bool card, nic;                     /* answered to the card's MAC, to the NIC's own */
	struct mac_addr macs[VERDICT_MACS]; /* that answered, each once */
	size_t n_macs;
	enum verdict_echo echo;
};

struct verdict_seen {
	const char *missing;  /* why no NIC was found; NULL: it was */
	const char *unfit;    /* why no card can be made on it; NULL: it can */
	const char *untested; /* why nobody was asked; NULL: somebody was */
	char nic[IFNAMSIZ], parent[IFNAMSIZ];
	bool up, carrier;
	uint16_t vlan;
	struct mac_addr card_mac, nic_mac;
	struct verdict_asked v[2];
	bool others; /* somebody else's frames were heard */
	uint32_t mtu;
};

/** verdict_add_mac - one that answered. */
void verdict_add_mac(struct verdict_asked *a, const struct mac_addr *mac);

/** verdict_give - reason, message, nic and mtu of an entry. */
void verdict_give(const struct verdict_seen *s, struct api_doctor_entry *out);

#endif
