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

#include "controller/app.h"

/** takeover_advance - go on to the next phase where the present one is complete. */
void takeover_advance(struct app *app);
/** takeover_listed - a complete list of records has been taken in. */
void takeover_listed(struct app *app);

/**
 * takeover_inflight - hold the entries in flight against the records.
 *
 * A record that waits gets its address; one that has it needs the entry no more; where the record has gone
 * the address is released. Also after a read that followed an unknown outcome.
 */
void takeover_inflight(struct sub *sub);

/**
 * takeover_orphans - release what stood without a record, when no pod without one is left and its hold
 * is over. Returns the monotonic time at which to ask again, 0 = not before a pod goes.
 */
int64_t takeover_orphans(struct sub *sub, int64_t now_ms);

#endif
