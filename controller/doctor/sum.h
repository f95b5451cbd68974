/* SPDX-License-Identifier: Apache-2.0 */
/* What many nodes say of one subnet. Pure. */
#ifndef CONTROLLER_DOCTOR_SUM_H
#define CONTROLLER_DOCTOR_SUM_H

#include <stddef.h>

#include "api/doctor.h"

#define SUM_NAMED 5 /* nodes that are named; of the others the number is told */

struct sum_fail {
	const char *node; /* lent */
	enum api_doctor_reason reason;
};

struct sum {
	size_t ok, failed, untested;
	struct sum_fail *v; /* those that fail */
};

void sum_done(struct sum *s);
DEFINE_AUTO_VALUE(struct sum, sum_done)

/** sum_add - what that node says; its name is lent. */
void sum_add(struct sum *s, const char *node, enum api_doctor_reason reason);
/** sum_sort - by the nodes' names, once all are there. */
void sum_sort(struct sum *s);
/** sum_json - for the status; NULL: no node has said anything. The caller frees it. */
char *sum_json(const struct sum *s);
/** sum_set - all that fail, each with its reason: to be compared. The caller frees it. */
char *sum_set(const struct sum *s);
/** sum_sentence - for an event. The caller frees it. */
char *sum_sentence(const struct sum *s);

#endif
