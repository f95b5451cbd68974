/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types of links that a pod's card can be, and what each of them is like. One table: nobody else
 * asks for a type by its name.
 */
#ifndef LIB_NL_LINK_TYPE_H
#define LIB_NL_LINK_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nl_type { NL_TYPE_MACVLAN = 0, NL_TYPE_IPVLAN, NL_TYPES };

/* Of all types; those of one follow each other, and the first of them is its default. */
enum nl_mode {
	NL_MODE_BRIDGE = 0,
	NL_MODE_PRIVATE,
	NL_MODE_VEPA,
	NL_MODE_PASSTHRU,
	NL_MODE_L2,
	NL_MODE_L3,
	NL_MODE_L3S,
	NL_MODES,
};

struct nl_link_type {
	const char *kind;         /* the kernel's and the objects' word: "macvlan" */
	const char *article;      /* "a" or "an", before it */
	enum nl_mode first, last; /* its modes */
	uint16_t mode_attr;       /* IFLA_MACVLAN_MODE, ... */
	size_t mode_size;         /* of its value: 2 or 4 bytes */
	bool own_mac;             /* else a card has its parent's, which may change under it */
	bool probes;   /* the card can ask whether an address is in use before it has it */
	bool one_mode; /* a new card changes the mode of all others on its parent */
};

struct nl_link_mode {
	const char *name; /* "bridge" */
	enum nl_type type;
	uint32_t kernel; /* MACVLAN_MODE_*, IPVLAN_MODE_* */
	const char *
		sort; /* cards on one parent are of one sort; unlike the name it tells the type too */
	bool alone;   /* it has its parent for itself, and that one's MAC */
	bool meets_host; /* it reaches other links of the type on its parent: the node can have one there */
	bool routed; /* no ARP, no neighbours, no gateway, no announcements; the node routes */
};

/** nl_link_type_get, nl_link_mode_get - its row. Never NULL. */
const struct nl_link_type *nl_link_type_get(enum nl_type type);
const struct nl_link_mode *nl_link_mode_get(enum nl_mode mode);

/** nl_link_type_of - the type that a mode is of. Never NULL. */
const struct nl_link_type *nl_link_type_of(enum nl_mode mode);

/** nl_link_type_find - by kind; NULL: no card can be of it. */
const struct nl_link_type *nl_link_type_find(const char *kind);
/** nl_link_mode_find - by the type and its name there; NULL: it has no such mode. */
const struct nl_link_mode *nl_link_mode_find(const struct nl_link_type *type, const char *name);
/** nl_link_mode_find_sort - any of that sort; NULL: there is none. */
const struct nl_link_mode *nl_link_mode_find_sort(const char *sort);

/** nl_link_type_number, nl_link_mode_number - the number of a row. */
enum nl_type nl_link_type_number(const struct nl_link_type *type);
enum nl_mode nl_link_mode_number(const struct nl_link_mode *mode);

#endif
