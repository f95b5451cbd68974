/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which address and MAC: the index over everything that holds some. */
#ifndef CONTROLLER_ADDRESSES_HOLDERS_H
#define CONTROLLER_ADDRESSES_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/ip.h"

struct api_network;
struct holder;
struct holders;

/* Where an address is: the same one in two networks is no conflict. */
struct holder_wire {
	const char *subnet;                /* NULL = not known: any */
	const struct api_network *network; /* NULL = not known: any. Lent */
};

/* Asked of the holder as it is at that moment; nothing of it is kept here. */
struct holder_ops {
	/* The holder is, or was, the record with this UID. */
	bool (*bears)(const struct holder *h, const char *record_uid);
	/* The network that its address is in. Lent. */
	struct holder_wire (*wire)(const struct holder *h);
};

/* Embedded in what holds; all zero but ops = holds nothing. Written by holders.c alone. */
struct holder {
	const struct holder_ops *ops;
	struct ip_addr addr; /* unset = holds nothing */
	struct ip_addr addr6;
	struct mac_addr mac;
	struct holder_share *share; /* that it is counted in; NULL = in none */
};

/** holders_new - nobody holds anything. */
struct holders *holders_new(void);
/** holders_free - when no holder holds anything any more. NULL is ignored. */
void holders_free(struct holders *all);

/**
 * holder_set - it holds these now and nothing else; addr unset = nothing.
 * @h: lent until it holds nothing
 */
void holder_set(struct holders *all, struct holder *h, const struct ip_addr *addr,
		const struct ip_addr *addr6, const struct mac_addr *mac);

/**
 * holder_count - from now on it counts as one card of that namespace in that subnet, and of no other.
 * @subnet: NULL = of none
 */
void holder_count(struct holders *all, struct holder *h, const char *subnet, const char *ns);
/** holders_count - how many cards of the namespace are in the subnet. */
size_t holders_count(const struct holders *all, const char *subnet, const char *ns);

/** holders_each_ns - the namespaces that have some in the subnet, in no particular order; *pos 0 first. Lent. */
const char *holders_each_ns(const struct holders *all, const char *subnet, size_t *pos, size_t *n);

/**
 * holders_addr_taken - somebody other than the record with this UID has the address in that network: in the subnet
 * itself or where api_master_may_meet() says that it may be the same LAN.
 */
bool holders_addr_taken(const struct holders *all, const struct holder_wire *in,
			const struct ip_addr *addr, const char *record_uid);
/** holders_mac_taken - somebody other than the record with this UID has the MAC. */
bool holders_mac_taken(const struct holders *all, const struct mac_addr *mac,
		       const char *record_uid);

#endif
