/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a subnet may give at all. */
#ifndef IPAM_RANGE_H
#define IPAM_RANGE_H

#include <stddef.h>

#include "ipam/set.h"
#include "lib/base/err.h"
#include "lib/base/ip.h"

#define IPAM_RANGE_MAX 65536 /* addresses that one subnet can give */

struct ipam_span {
	struct ip_addr start; /* both ends belong to it */
	struct ip_addr end;
};

struct ipam_range_spec {
	struct ip_net cidr;
	struct ip_addr gateway;         /* unset = none */
	const struct ipam_span *ranges; /* none: the whole CIDR, of IPv6 its first 65,536 addresses */
	size_t n_ranges;
	const struct ipam_span *exclude;
	size_t n_exclude;
};

/**
 * ipam_range_build - the allocatable set.
 *
 * Never in it: the network address and the IPv4 broadcast address (but for /31 and /32, /127 and
 * /128: RFC 3021, RFC 6164), the gateway, what is excluded, anything outside the CIDR.
 * ERR_CONFIG when there are more than 65,536 addresses. The caller ends *out.
 */
int ipam_range_build(const struct ipam_range_spec *spec, struct ipam_set *out,
		     struct err *e) FN_MUST;

/** ipam_range_default_gateway - the first host of a CIDR; unset where it has one address only. */
struct ip_addr ipam_range_default_gateway(const struct ip_net *cidr);

#endif
