/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a controller becomes the leader, and how it meets a subnet that it did not know: in an order that leaves
 * nothing for another controller to change behind its back.
 *
 *	its term into every subnet's status	(no write of another controller to it succeeds any more)
 *	list records, then pods, then the rest	(each without resourceVersion, so from the quorum; what a standby
 *						 has known before is not enough)
 *	settle what was in flight, compare records with what is used
 *	only then grant or free			(a pod that is missing is asked for by name before it counts as gone)
 */
#ifndef CONTROLLER_TAKEOVER_H
#define CONTROLLER_TAKEOVER_H

#include <stdint.h>

#include "lib/base/auto.h"

struct cluster;
struct process;
struct records;
struct subnets;
struct takeover;

/* All lent for the life of struct takeover. */
struct takeover_in {
	struct process *process;
	struct cluster *cluster;
	struct subnets *subnets;
	struct records *records;
	int64_t hold_ms; /* an address that stands without a record is kept so long */
};

/** takeover_new - listens to the cluster. */
struct takeover *takeover_new(const struct takeover_in *in);
void takeover_free(struct takeover *t);
DEFINE_AUTO(struct takeover, takeover_free)

/** takeover_advance - go on to the next phase where the present one is complete. */
void takeover_advance(struct takeover *t);

/**
 * takeover_orphans - release what stood without a record, when no pod without one is left and its hold
 * is over. Returns the monotonic time at which to ask again, 0 = not before a pod goes.
 */
int64_t takeover_orphans(struct takeover *t, int64_t now_ms);

#endif
