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
	const char *conditions;    /* as they stood, JSON, may be NULL */
	int64_t conflicts_until_s; /* so long conflicts_reason and _why hold */
	const char *conflicts_reason;
	const char *conflicts_why;
	int64_t now_s;
};

/** status_of - what is known of a subnet now, with that record in its status. All lent. */
struct status_in status_of(const struct sub *sub, const struct ipam_record *record);

/**
 * status_counts - the numbers of a subnet. In a dual-stack one a card takes an address of each family, so
 * they are those of the family that has fewer left (of two alike IPv4).
 * @family: may be NULL; out: that family, 0 where there is only one
 */
struct ipam_counts status_counts(const struct ipam_pool *pool, const struct ipam_set *range,
				 const struct ipam_set *range6, const struct ipam_set *named,
				 uint8_t *family);

/* The numbers as status shows them: what is held for a pod that nobody saw end counts as reserved, not as used. */
struct status_numbers {
	size_t total, used, free, reserved, cooling, quarantined;
};

/** status_numbers - those of a subnet. */
struct status_numbers status_numbers(const struct status_in *in);
/** status_quarantined - addresses of both families that another machine uses. */
size_t status_quarantined(const struct ipam_record *r);

/**
 * status_text - the members of status without the braces, for a merge patch: every key is present.
 *
 * A condition that has not changed keeps its time. The caller frees it.
 */
char *status_text(const struct status_in *in);

#endif
