/* SPDX-License-Identifier: Apache-2.0 */
/* Used and cooling addresses of one subnet, and the choice of the next. */
#ifndef IPAM_POOL_H
#define IPAM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipam/set.h"
#include "lib/base/auto.h"
#include "lib/base/ip.h"

struct ipam_cooling_run {
	int64_t until;   /* seconds since 1970 */
	bool quarantine; /* after a conflict on the LAN, not after a release */
	struct ipam_set set;
};

/* Absolute addresses throughout, so that an edit of the subnet moves nothing. */
struct ipam_pool {
	struct ipam_set used;
	/* The search for the next address of each family starts here; unset = at the start. */
	struct ip_addr cursor;
	struct ip_addr cursor6;
	struct ipam_cooling_run *cooling; /* ascending by until */
	size_t n_cooling;
	struct ipam_set cooling_all; /* the union of the runs */
	/* Nobody saw the card go that had it last: whoever gets it has to ask the LAN first. */
	struct ipam_set unproven;
};

void ipam_pool_done(struct ipam_pool *p);
DEFINE_AUTO_VALUE(struct ipam_pool, ipam_pool_done)
/** ipam_pool_copy - *out becomes a copy of its own; what it held before is not freed. */
void ipam_pool_copy(const struct ipam_pool *p, struct ipam_pool *out);

/**
 * ipam_pool_take_next - next-fit: the first free address from the cursor on, wrapping once.
 * @range: what may be given, of one family
 * @avoid: further sets that must not be hit, n_avoid of them (at most 14)
 *
 * So the address that has been free the longest comes first. It is used afterwards and the
 * cursor stands behind it. 1, or 0 when none is free.
 */
int ipam_pool_take_next(struct ipam_pool *p, const struct ipam_set *range,
			const struct ipam_set *const *avoid, size_t n_avoid, struct ip_addr *out);

/** ipam_pool_is_free - in range, neither used nor cooling. */
bool ipam_pool_is_free(const struct ipam_pool *p, const struct ipam_set *range,
		       const struct ip_addr *a);

/** ipam_pool_use - mark as used, whatever it was; also outside of any range (adoption). */
void ipam_pool_use(struct ipam_pool *p, const struct ip_addr *a);

/**
 * ipam_pool_release - no longer used; free at once when delay_s is 0, else cooling.
 * @now: seconds since 1970
 *
 * The end is rounded up to delay/64 seconds, so that there are few runs however long the delay.
 */
void ipam_pool_release(struct ipam_pool *p, const struct ip_addr *a, int64_t now, uint32_t delay_s);

/** ipam_pool_expire - end what has cooled by now. Addresses that became free. */
size_t ipam_pool_expire(struct ipam_pool *p, int64_t now);
/** ipam_pool_cool - put an address into the run that ends at until; the later of two ends counts. */
void ipam_pool_cool(struct ipam_pool *p, const struct ip_addr *a, int64_t until);
/** ipam_pool_quarantine - likewise, because another machine on the LAN has it. */
void ipam_pool_quarantine(struct ipam_pool *p, const struct ip_addr *a, int64_t until);
/** ipam_pool_is_quarantined - and will be for a while. */
bool ipam_pool_is_quarantined(const struct ipam_pool *p, const struct ip_addr *a);
/** ipam_pool_coarsen - join neighbouring runs, the later end counts; false when one is left. */
bool ipam_pool_coarsen(struct ipam_pool *p);
/** ipam_pool_next_expiry - when the next address of range cools down; 0 = none is cooling. */
int64_t ipam_pool_next_expiry(const struct ipam_pool *p, const struct ipam_set *range);

struct ipam_counts {
	size_t total;       /* allocatable */
	size_t used;        /* also those outside the range after an edit */
	size_t cooling;     /* in the range */
	size_t quarantined; /* of those */
	size_t named;       /* in the range, neither used nor cooling, and kept for somebody */
	size_t free;
};
/**
 * ipam_pool_count
 * @named: what is kept for those who name it; NULL = nothing
 * @family: of range; 0: whatever the subnet's only family is or was
 */
struct ipam_counts ipam_pool_count(const struct ipam_pool *p, const struct ipam_set *range,
				   const struct ipam_set *named, uint8_t family);

#endif
