/* What a subnet's status says, apart from the allocation record. Pure. */
#ifndef CONTROLLER_STATUS_H
#define CONTROLLER_STATUS_H

#include "controller/app.h"

struct status_in {
	const struct subnet_obj *obj;
	const struct ipam_record *record;
	const struct ipam_set *range;
	const struct ipam_set *range6; /* NULL where the subnet is not dual stack */
	const struct ipam_set *named;  /* kept for workloads that name them */
	const char *overlap;           /* "" or what is shared with whom */
	size_t n_held;
	size_t n_waiting;
	int64_t now_s;
};

/**
 * status_counts - the numbers of a subnet. In a dual-stack one a card takes an address of each family, so
 * they are those of the family that has fewer left (of two alike IPv4).
 * @family: may be NULL; out: that family, 0 where there is only one
 */
struct ipam_counts status_counts(const struct ipam_pool *pool, const struct ipam_set *range,
				 const struct ipam_set *range6, const struct ipam_set *named,
				 uint8_t *family);

/**
 * status_text - the members of status without the braces, for a merge patch: every key is present.
 *
 * A condition that has not changed keeps its time. The caller frees it.
 */
char *status_text(const struct status_in *in);

#endif
