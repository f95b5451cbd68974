/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ADD has made, as text: one line for each thing. The kernel's own answers make the same lines, so
 * that CHECK is a comparison of lines, and a line is what people are told. No I/O.
 *
 *	link eth1 mac e6:56:1c:96:94:09
 *	address 192.168.100.50/24 dev eth1
 *	route 172.16.18.0/24 via 192.168.100.1 dev eth1
 *	rule 1001 from 192.168.100.50 lookup 2001
 */
#ifndef MACVLAN_MADE_H
#define MACVLAN_MADE_H

#include <stdbool.h>

struct ip_net;
struct nl_link;
struct nl_route;
struct nl_rule;
struct sb;

/** made_link - a line for each property of a link that is ours to keep, under that name. */
void made_link(const struct nl_link *l, const char *name, struct sb *out);
void made_addr(const struct ip_net *addr, const char *dev, struct sb *out);
/** made_connected - the route that the kernel makes of an address; nothing for a single one. */
void made_connected(const struct ip_net *addr, const char *dev, struct sb *out);
/** made_route - nothing for what is no unicast route with one next hop: we make no other. */
void made_route(const struct nl_route *r, const char *dev, struct sb *out);
void made_rule(const struct nl_rule *r, struct sb *out);

/** made_routes_net - among the lines there is a route of table main to exactly this network. */
bool made_routes_net(const char *made, const struct ip_net *dst);

#endif
