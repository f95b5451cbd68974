/* Neighbour entries. */
#ifndef LIB_NL_NEIGH_H
#define LIB_NL_NEIGH_H

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

#endif
