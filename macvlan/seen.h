/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to what was seen in a pod's namespace. No I/O. */
#ifndef MACVLAN_SEEN_H
#define MACVLAN_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/ip.h"

struct macvlan_seen;
struct nl_addr;
struct nl_route;

/* The way to other networks through one card. */
struct seen_hop {
	bool found;
	struct ip_addr gw; /* unset: "default dev eth0 scope link" */
	bool onlink;
	int oif;
};

/** seen_is_default - a unicast default route of that family. */
bool seen_is_default(const struct nl_route *r, uint8_t family);
/** seen_default - the default that counts, through oif unless that is 0; NULL when there is none. */
const struct nl_route *seen_default(const struct macvlan_seen *s, uint8_t family, int oif);
/** seen_is_primary - a unicast route on the primary's card. */
bool seen_is_primary(const struct macvlan_seen *s, const struct nl_route *r, uint8_t family);
/** seen_gateway - the primary's gateway. */
struct seen_hop seen_gateway(const struct macvlan_seen *s, uint8_t family);
/** seen_covers - the primary routes all of net already, its default route aside. */
bool seen_covers(const struct macvlan_seen *s, const struct ip_net *net);
/** seen_is_primary_addr - an address of the primary's card that the pod talks to others with. */
bool seen_is_primary_addr(const struct macvlan_seen *s, const struct nl_addr *a, uint8_t family);
/** seen_has_primary_addr - there is one. */
bool seen_has_primary_addr(const struct macvlan_seen *s, uint8_t family);
/** seen_metric - the metric at which a route of ours for dst replaces or precedes what is there. */
uint32_t seen_metric(const struct macvlan_seen *s, const struct ip_net *dst);

#endif
