/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of any table. */
#ifndef LIB_NL_ROUTE_H
#define LIB_NL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct nl;
struct sb;

#define NL_ROUTE_RAW_MAX  512
#define NL_ROUTE_MORE_MAX 384

struct nl_route {
	struct ip_net dst;  /* base address; prefix 0 = a default route of that family */
	struct ip_addr gw;  /* unset: straight on the link */
	struct ip_addr src; /* preferred source, may be unset */
	struct ip_net from; /* IPv6: for packets from there alone; unset = for all */
	int oif;            /* 0 = none (blackhole), or next hops on several links */
	uint32_t table;     /* 0 = main when set, never 0 when listed */
	uint32_t metric;    /* 0: the lowest in IPv4; when set in IPv6 the kernel makes it 1024 */
	uint8_t scope;      /* RT_SCOPE_* */
	uint8_t type;       /* RTN_*; 0 = RTN_UNICAST when set */
	uint8_t protocol;   /* RTPROT_*; 0 = RTPROT_BOOT when set */
	uint8_t tos;
	bool onlink;    /* the gateway is on the link although no route says so */
	bool multipath; /* several next hops, which stand in more */
	/*
	 * What the kernel shows beside all that: mtu and the other metrics, next hops, encapsulation,
	 * preference. Attributes as they are put into a request. What does not fit is not there.
	 */
	uint16_t more_len;
	_Alignas(4) unsigned char more[NL_ROUTE_MORE_MAX];
	/* The kernel's own message when listed, so that it can be put back or removed exactly. */
	uint16_t raw_len; /* 0 = made by us, or longer than this */
	_Alignas(4) unsigned char raw[NL_ROUTE_RAW_MAX];
};

/** nl_route_replace - CREATE|REPLACE. The key is table, network, tos and metric: nothing else. */
int nl_route_replace(struct nl *nl, const struct nl_route *r, struct err *e) FN_MUST;
/** nl_route_add - CREATE|EXCL. ERR_KERNEL with EEXIST when network and metric are taken. */
int nl_route_add(struct nl *nl, const struct nl_route *r, struct err *e) FN_MUST;
/** nl_route_append - CREATE|APPEND: behind those of the same network and metric. */
int nl_route_append(struct nl *nl, const struct nl_route *r, struct err *e) FN_MUST;
/** nl_route_delete - exactly this one; success when it is not there. */
int nl_route_delete(struct nl *nl, const struct nl_route *r, struct err *e) FN_MUST;
/**
 * nl_route_list - routes of a table (0 = all), both families, in the kernel's order.
 *
 * Cached and cloned routes are left out. The caller frees *out.
 */
int nl_route_list(struct nl *nl, uint32_t table, struct nl_route **out, size_t *out_n,
		  struct err *e) FN_MUST;

/** nl_route_same_way - they differ in network, table, metric, type and protocol at most. */
bool nl_route_same_way(const struct nl_route *a, const struct nl_route *b);
/** nl_route_type_word - "unreachable" and the like, as ip-route(8) has it; NULL for a way to somewhere. */
const char *nl_route_type_word(const struct nl_route *r);
/** nl_route_format_more - r->more as text, in the order of names: " mtu 1450 hoplimit 9"; "" for none. */
void nl_route_format_more(const struct nl_route *r, struct sb *out);

#endif
