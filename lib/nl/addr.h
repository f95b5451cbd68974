/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses on links. */
#ifndef LIB_NL_ADDR_H
#define LIB_NL_ADDR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/ip.h"

struct nl;

struct nl_addr {
	int index;          /* of its link */
	struct ip_net addr; /* host bits set */
	uint8_t scope;      /* RT_SCOPE_* */
	uint32_t flags;     /* IFA_F_* */
};

/**
 * nl_addr_add - put an address on a link; one that stands there already is a success.
 * @flags: IFA_F_NODAD, IFA_F_NOPREFIXROUTE or 0
 *
 * An IPv4 network with room for it (/30 and larger) gets its broadcast address.
 */
int nl_addr_add(struct nl *nl, int index, const struct ip_net *addr, uint32_t flags,
		struct err *e) FN_MUST;
/** nl_addr_delete - take it off; success when it is not there. */
int nl_addr_delete(struct nl *nl, int index, const struct ip_net *addr, struct err *e) FN_MUST;
/** nl_addr_list - of a link (0 = all), both families, kernel's order; the caller frees *out. */
int nl_addr_list(struct nl *nl, int index, struct nl_addr **out, size_t *out_n,
		 struct err *e) FN_MUST;

#endif
