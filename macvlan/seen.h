/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to what was seen in a pod's namespace. No I/O. */
#ifndef MACVLAN_SEEN_H
#define MACVLAN_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/ip.h"

struct macvlan_card;
struct macvlan_seen;
struct nl_addr;
struct nl_route;

/* So many tables of rules are looked at. */
#define SEEN_TABLES_MAX 16

/* The tables beside main that rules name for an address of the primary's card, in the rules' order. */
struct seen_tables {
	uint32_t v[SEEN_TABLES_MAX];
	size_t n;
	size_t n_from; /* so many of them by that address, the rest by something else */
};

/* The way to other networks through one card. */
struct seen_hop {
	bool found;
	struct ip_addr gw; /* unset: "default dev eth0 scope link" */
	bool onlink;
	int oif;
	const struct nl_route
		*like; /* the route that leads there: metrics, source, several hops; or NULL */
};

/** seen_is_default - a unicast default route of that family. */
bool seen_is_default(const struct nl_route *r, uint8_t family);
/** seen_default - the default that counts (none for one TOS alone), through oif unless that is 0; NULL when there is none. */
const struct nl_route *seen_default(const struct macvlan_seen *s, uint8_t family, int oif);
/** seen_is_primary - a unicast route on the primary's card. */
bool seen_is_primary(const struct macvlan_seen *s, const struct nl_route *r, uint8_t family);
/** seen_is_nowhere - unreachable, blackhole, prohibit, throw: no link, and of whoever made it. */
bool seen_is_nowhere(const struct nl_route *r);
/** seen_has_gateway - it leads to a router, or to several. */
bool seen_has_gateway(const struct nl_route *r);
/** seen_tables - of that family. */
void seen_tables(const struct macvlan_seen *s, uint8_t family, struct seen_tables *out);
/**
 * seen_gateway - the primary's gateway: that of its default route in table main, or in a table that a rule names;
 * else that of the first route there that has one (a primary that leaves the default to somebody else still routes
 * the pod network); else the one of its result.
 */
struct seen_hop seen_gateway(const struct macvlan_seen *s, const struct macvlan_card *card,
			     uint8_t family);
/** seen_reaches - table main has gw on the primary's link, so that a route by gw may be set there. */
bool seen_reaches(const struct macvlan_seen *s, const struct ip_addr *gw);
/**
 * seen_own - the routes that what leaves with an address of the primary's card has followed: those of tables of
 * `from` rules, then those of main, up to the first table with a default; without those that an earlier table
 * answers before them. NULL: none. The caller frees the list.
 */
const struct nl_route **seen_own(const struct macvlan_seen *s, uint8_t family, size_t *out_n);
/** seen_prefix - of the routes of main that cover all of net, defaults and those for one TOS aside, the longest
 * prefix; 0: none. */
int seen_prefix(const struct macvlan_seen *s, const struct ip_net *net);
/** seen_is_primary_addr - an address of the primary's card that the pod talks to others with. */
bool seen_is_primary_addr(const struct macvlan_seen *s, const struct nl_addr *a, uint8_t family);
/** seen_has_primary_addr - there is one. */
bool seen_has_primary_addr(const struct macvlan_seen *s, uint8_t family);
/** seen_metric - the metric at which a route of ours for dst replaces or precedes what is there. */
uint32_t seen_metric(const struct macvlan_seen *s, const struct ip_net *dst);

#endif
