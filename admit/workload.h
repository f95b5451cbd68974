/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for what a pod, or a pod template, asks for. Pure. */
#ifndef ADMIT_WORKLOAD_H
#define ADMIT_WORKLOAD_H

#include <stdint.h>

#include "admit/review.h"
#include "admit/world.h"
#include "api/annotations.h"

/* The part of a request that counts. */
struct admit_workload {
	char *id; /* api_workload_id(), NULL for a bare pod */
	char *ns;
	struct api_annotations annotations;
	bool host_network;
	int64_t replicas;  /* pods that live side by side; 0 = not known */
	int64_t surge;     /* pods over that number while the template changes */
	bool only_numbers; /* all else has been checked before */
};

void admit_workload_done(struct admit_workload *w);
DEFINE_AUTO_VALUE(struct admit_workload, admit_workload_done)

/**
 * admit_workload_read - what a Deployment, StatefulSet, DaemonSet, Job, CronJob or Pod asks for.
 * @legacy: the older product's annotations count too
 * @a: gets warnings about annotations that have no effect where they stand
 *
 * False when there is nothing to check: it asks for no card, or for the same as before, or it is a pod
 * whose workload has been checked already.
 */
bool admit_workload_read(const struct admit_review *r, bool legacy, struct admit_workload *out,
			 struct admit_answer *a);

/**
 * admit_workload_check - what would never work is refused, what may come right is warned of.
 *
 * A subnet that is not there may stand in the same file; a pod on its way out gives its address back.
 */
void admit_workload_check(const struct admit_world *w, const struct admit_workload *in,
			  struct admit_answer *a);

#endif
