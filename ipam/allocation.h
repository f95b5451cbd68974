/* SPDX-License-Identifier: Apache-2.0 */
/* The allocation record that stands in a subnet's status: what a new leader has to know. */
#ifndef IPAM_ALLOCATION_H
#define IPAM_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipam/claims.h"
#include "ipam/pool.h"
#include "lib/base/auto.h"
#include "lib/base/err.h"

struct jval;

#define IPAM_ALLOCATION_MAX_BYTES (200 * 1024) /* leaves room for the rest of a 256 KiB status */
#define IPAM_INFLIGHT_MAX         400          /* entries, some 120 bytes each, */
#define IPAM_INFLIGHT_BYTES       (96 * 1024)  /* and in all at most so much text */
#define IPAM_CONFLICTS_MAX        16
#define IPAM_CONFLICTS_S          3600

/* Committed as used, and perhaps not yet written into its MacvlanIP. */
struct ipam_inflight {
	struct ip_addr addr;
	struct ip_addr addr6; /* the second family of a dual-stack subnet, else unset */
	char *record_uid;
	char *pod_uid;
	char *ns;
	char *name;
};

/* An address was put in quarantine: kept for an hour, so that their number can be limited. */
struct ipam_conflict {
	int64_t at; /* seconds since 1970 */
	char *pod_uid;
	struct mac_addr mac; /* who answered for the address; zero = not told */
};

struct ipam_allocation {
	uint64_t term;   /* grows with every leader; 0 = never written */
	uint64_t commit; /* grows with every write of one leader */
	char *holder;    /* which process wrote it */
	bool lost; /* what stood here before was lost, and cards may live of which it does not tell */
	struct ipam_pool pool;
	struct ipam_claims claims;
	struct ipam_inflight *inflight;
	size_t n_inflight;
	size_t inflight_bytes;           /* about what the entries take as text */
	struct ipam_conflict *conflicts; /* oldest first */
	size_t n_conflicts;
};

void ipam_allocation_done(struct ipam_allocation *r);
DEFINE_AUTO_VALUE(struct ipam_allocation, ipam_allocation_done)
/** ipam_allocation_copy - *out becomes a copy of its own; what it held before is not freed. */
void ipam_allocation_copy(const struct ipam_allocation *r, struct ipam_allocation *out);

/**
 * ipam_allocation_decode - read status.allocation.
 * @v: the object, or NULL for a subnet that has none yet (an empty record with term 0)
 *
 * ERR_DECODE names the key; nothing is guessed. The caller ends *out.
 */
int ipam_allocation_decode(const struct jval *v, struct ipam_allocation *out,
			   struct err *e) FN_MUST;

/**
 * ipam_allocation_encode - the JSON text of the record, every key present, null where nothing is set.
 *
 * In a merge patch it replaces whatever stood there. When it would be over IPAM_ALLOCATION_MAX_BYTES
 * cooling runs are joined first (addresses cool longer, never shorter), in r itself.
 * ERR_CONFIG when it is too large even so. The caller frees *out.
 */
int ipam_allocation_encode(struct ipam_allocation *r, char **out, struct err *e) FN_MUST;

/** ipam_allocation_inflight_add - addr is on its way into the record; texts are copied. */
void ipam_allocation_inflight_add(struct ipam_allocation *r, const struct ipam_inflight *entry);
/** ipam_allocation_has_room - one more entry may be in flight. */
bool ipam_allocation_has_room(const struct ipam_allocation *r);
/** ipam_allocation_inflight_drop - by record UID and either address together; false when there was none. */
bool ipam_allocation_inflight_drop(struct ipam_allocation *r, const char *record_uid,
				   const struct ip_addr *addr);
/** ipam_allocation_inflight_find - the entry of this MacvlanIP, or NULL. Lent. */
const struct ipam_inflight *ipam_allocation_inflight_find(const struct ipam_allocation *r,
							  const char *record_uid);

/** ipam_allocation_conflict_add - the UID is copied; the oldest goes when there are too many. */
void ipam_allocation_conflict_add(struct ipam_allocation *r, const struct ipam_conflict *c);
/** ipam_allocation_conflicts_expire - forget those that are more than an hour old. */
void ipam_allocation_conflicts_expire(struct ipam_allocation *r, int64_t now);

#endif
