/* SPDX-License-Identifier: Apache-2.0 */
/* What a subnet's status says, apart from the allocation record. Pure. */
#ifndef CONTROLLER_RULES_STATUS_H
#define CONTROLLER_RULES_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/subnet.h"
#include "ipam/allocation.h"
#include "ipam/nets.h"

struct largest;

struct status_in {
	const struct api_meta *meta;   /* of the MacvlanSubnet */
	const struct api_subnet *spec; /* NULL while it breaks a rule: */
	const struct err *why;
	const struct ipam_allocation *record;
	const struct ipam_set *range;
	const struct ipam_set *range6; /* NULL where the subnet is not dual stack */
	const struct ipam_set *named;  /* kept for workloads that name them */
	const char *overlap;           /* "" or what is shared with whom */
	/* The cluster's own networks, and the addresses of the Service kubernetes; NULL = none known */
	const struct ipam_nets *services, *pods, *kubernetes;
	bool networks_settled; /* what is not known of them now may never be */
	size_t n_held;
	size_t n_waiting;
	const struct largest *largest; /* may be NULL: none */
	const char *doctor;        /* what nodes found of its LAN, a JSON object; NULL: nothing */
	const char *conditions;    /* as they stood, JSON, may be NULL */
	int64_t conflicts_until_s; /* so long conflicts_reason and _why hold */
	const char *conflicts_reason;
	const char *conflicts_why;
	int64_t now_s;
};

/**
 * status_text - the members of status without the braces, for a merge patch: every key is present.
 *
 * A condition that has not changed keeps its time. The caller frees it.
 */
char *status_text(const struct status_in *in);

#endif
