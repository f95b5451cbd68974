/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that workloads name and that their pods have had: kept for them when they have no pods. */
#ifndef IPAM_CLAIMS_H
#define IPAM_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "ipam/set.h"

#define IPAM_CLAIMS_MAX_BYTES (48 * 1024) /* of the text of all, about */

struct ipam_claim {
	char *owner; /* "Deployment default/web" */
	struct ipam_set set;
};

/* All zero = none. */
struct ipam_claims {
	struct ipam_claim *items;
	size_t n;
};

void ipam_claims_done(struct ipam_claims *c);
DEFINE_AUTO_VALUE(struct ipam_claims, ipam_claims_done)
/** ipam_claims_copy - *out becomes a copy of its own; what it held before is not freed. */
void ipam_claims_copy(const struct ipam_claims *c, struct ipam_claims *out);
bool ipam_claims_eq(const struct ipam_claims *a, const struct ipam_claims *b);
/** ipam_claims_owner - whose the address is, NULL = nobody's. Lent. */
const char *ipam_claims_owner(const struct ipam_claims *c, const struct ip_addr *addr);

/**
 * ipam_claims_add - it is that owner's from now on.
 *
 * When their text would be too long, the namespace that takes most of it loses what it claimed last, a block of
 * addresses at a time, as long as the owner's namespace has less; else false, and nothing is added.
 */
bool ipam_claims_add(struct ipam_claims *c, const char *owner, const struct ip_addr *addr);
/** ipam_claims_keep - those alone of which keep() says so. */
void ipam_claims_keep(struct ipam_claims *c,
		      bool (*keep)(void *ctx, const char *owner, const struct ip_addr *addr),
		      void *ctx);

#endif
