/* What a subnet's status says, apart from the allocation record. Pure. */
#ifndef CONTROLLER_STATUS_H
#define CONTROLLER_STATUS_H

#include "controller/app.h"

struct status_in {
	const struct subnet_obj *obj;
	const struct ipam_record *record;
	const struct ipam_set *range;
	const struct ipam_set *named; /* kept for workloads that name them */
	const char *overlap;          /* "" or what is shared with whom */
	size_t n_held;
	size_t n_waiting;
	int64_t now_s;
};

/**
 * status_text - the members of status without the braces, for a merge patch: every key is present.
 *
 * A condition that has not changed keeps its time. The caller frees it.
 */
char *status_text(const struct status_in *in);

#endif
