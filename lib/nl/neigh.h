/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour entries. */
#ifndef LIB_NL_NEIGH_H
#define LIB_NL_NEIGH_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct nl;

/** nl_neigh_set - make or change a permanent entry. */
int nl_neigh_set(struct nl *nl, int index, const struct ip_addr *addr, const struct mac_addr *mac,
		 struct err *e) FN_MUST;
/** nl_neigh_probe - have the kernel ask the link for addr now, as if somebody had wanted it. */
int nl_neigh_probe(struct nl *nl, int index, const struct ip_addr *addr, struct err *e) FN_MUST;
/** nl_neigh_delete - remove the entry; success when it is not there. */
int nl_neigh_delete(struct nl *nl, int index, const struct ip_addr *addr, struct err *e) FN_MUST;

/**
 * nl_neigh_find - whose MAC the kernel takes addr for on that link, as it has learnt or been told.
 *
 * 1 and *out, 0 when it does not know it (kernels before 5.0 never tell), -1.
 */
int nl_neigh_find(struct nl *nl, int index, const struct ip_addr *addr, struct mac_addr *out,
		  struct err *e) FN_MUST;

struct nl_neigh {
	struct ip_addr addr;
	struct mac_addr mac;
};

/** nl_neigh_list - a link's permanent entries, both families. The caller frees *out. */
int nl_neigh_list(struct nl *nl, int index, struct nl_neigh **out, size_t *out_n,
		  struct err *e) FN_MUST;

/**
 * nl_fdb_list - the MAC addresses, unicast and multicast, that a link takes frames for besides its own.
 *
 * Those of macvlan cards on it that are up are among them, in whatever namespace. The caller frees *out.
 */
int nl_fdb_list(struct nl *nl, int index, struct mac_addr **out, size_t *out_n,
		struct err *e) FN_MUST;

#endif
