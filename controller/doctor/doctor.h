/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the nodes' LAN doctors have found: an annotation of each Node, gathered into the subnets' status, an event when the
 * nodes that fail are others, and numbers. Anybody who may write to a Node may have written it: no address hangs on it.
 */
#ifndef CONTROLLER_DOCTOR_DOCTOR_H
#define CONTROLLER_DOCTOR_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

struct cluster;
struct doctor;
struct process;
struct subnets;

/* All lent. */
struct doctor_in {
	struct process *process;
	struct cluster *cluster;
	struct subnets *subnets;
};

/** doctor_new - listens to the cluster's nodes and subnets. */
struct doctor *doctor_new(const struct doctor_in *in);
/** doctor_free - NULL is ignored. */
void doctor_free(struct doctor *d);

/** doctor_run - gather what has changed. The monotonic time of the next thing to do, 0 = none. */
int64_t doctor_run(struct doctor *d);

/* How many nodes say what of a subnet. */
struct doctor_numbers {
	size_t ok, failed, untested;
};

/** doctor_numbers - of that subnet, as last gathered. */
struct doctor_numbers doctor_numbers(const struct doctor *d, const char *subnet);

#endif
