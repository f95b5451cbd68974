/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A work queue: which keys are to be looked at, and when. Modelled on client-go's workqueue.
 *
 * An item is embedded in what it is about (a pod, a Service) and is in one of three states:
 *
 *	        mark            take                finish
 *	idle ---------> waiting ----> in flight ---------------> idle
 *	                   ^              |
 *	                   '--------------'  failed, later, or finish after a mark in the meantime
 *
 * - One look and one request for each key: what is in flight is not taken again before it has ended. A mark in
 *   the meantime is kept, and the key waits again afterwards, since the request was made before that change.
 * - Marks are level triggered: ten marks are one look. The earliest due time holds.
 * - A failure is followed by a pause of 0.25 s that doubles up to 30 s or the owner's maximum, for that key alone, and no mark shortens
 *   it. Success forgets it.
 * - The order is the due time, then first come, first served.
 *
 * Pure: the caller gives the time (CLOCK_MONOTONIC in ms, above 0). Nothing is allocated for an item but a
 * pointer in the queue's array. mark, take and the ends are O(log n).
 *
 *	while ((item = kube_queue_take(&q, now))) {
 *		struct job *job = CONTAINER_OF(item, struct job, item);
 *		if (look(job))           // a request is under way: its callback ends the item
 *			continue;
 *		kube_queue_finish(&q, item);
 *	}
 *	next = kube_queue_next_ms(&q);
 */
#ifndef LIB_KUBE_QUEUE_H
#define LIB_KUBE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/kube/heap.h"

enum kube_queue_state {
	KUBE_QUEUE_IDLE = 0,
	KUBE_QUEUE_WAITING,
	KUBE_QUEUE_IN_FLIGHT,
};

/* All zero is an idle item. Owners may read state and failures; everything is written by the queue alone. */
struct kube_queue_item {
	struct kube_heap_item heap; /* at_ms = the due time, while it waits */
	enum kube_queue_state state;
	unsigned int failures; /* in a row */
	int64_t not_before_ms; /* of the pause after a failure; 0 = none */
	int64_t again_ms;      /* marked while in flight: due then; 0 = not marked */
	bool checked;          /* it waits, or was taken, for kube_queue_check() alone */
};

/* All zero is an empty queue. */
struct kube_queue {
	struct kube_heap heap;
	uint64_t seq;
	size_t n_in_flight, n_retrying;
	/* Set by the owner. */
	size_t max_in_flight; /* take hands out nothing above that; 0 = no limit */
	int64_t pause_max_ms; /* after failures; 0 = 30 s */
};

/* What waits, for metrics. */
struct kube_queue_gauge {
	size_t waiting;    /* due, and not taken yet */
	size_t later;      /* due in the future */
	size_t in_flight;  /* taken, and not ended yet */
	size_t retrying;   /* of all these: failed the last time */
	int64_t oldest_ms; /* how long the first of those waiting has been due; 0 = none waits */
};

/** kube_queue_done - free the array. Items are not touched. */
void kube_queue_done(struct kube_queue *q);

/**
 * kube_queue_mark - have item looked at at due_ms: pass the current time for "at once".
 *
 * The earlier of this and a due time that it has already. Not before the end of its pause. While it is in flight
 * the mark is kept for afterwards.
 */
void kube_queue_mark(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms);

/**
 * kube_queue_check - the periodic look at everything: a mark that was lost leaves nothing waiting for ever.
 *
 * A mark for an item that is idle; others are looked at anyway, and stay as they are. See kube_queue_is_check().
 */
void kube_queue_check(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms);

/** kube_queue_is_check - item was taken for a check alone: if it has anything to do, a mark was lost. */
bool kube_queue_is_check(const struct kube_queue_item *item);

/** kube_queue_take - the first item that is due; in flight from now on. NULL = none. Lent. */
struct kube_queue_item *kube_queue_take(struct kube_queue *q, int64_t now_ms);

/* For an item in flight (asserted): how the look or its request ended. */

/** kube_queue_finish - nothing is left to do; failures are forgotten. Waits again if marked meanwhile. */
void kube_queue_finish(struct kube_queue *q, struct kube_queue_item *item);

/** kube_queue_later - look at it again at due_ms, or earlier if marked meanwhile. Failures stay as they are. */
void kube_queue_later(struct kube_queue *q, struct kube_queue_item *item, int64_t due_ms);

/**
 * kube_queue_failed - look at it again after a pause, which begins now.
 * @least_ms: the pause is at least that long (the server's Retry-After); 0 = no such wish
 */
void kube_queue_failed(struct kube_queue *q, struct kube_queue_item *item, int64_t now_ms,
		       int64_t least_ms);

/** kube_queue_forget - a request of item went through, but more is to do: it has no failures any more. */
void kube_queue_forget(struct kube_queue *q, struct kube_queue_item *item);

/** kube_queue_remove - out of the queue, whatever its state, and idle as if new: before its owner is freed. */
void kube_queue_remove(struct kube_queue *q, struct kube_queue_item *item);

/** kube_queue_next_ms - when take will have something; may be past. 0 = nothing waits, or too much is in flight. */
int64_t kube_queue_next_ms(const struct kube_queue *q);

/** kube_queue_gauge - O(n): for a scrape, not for each round of the loop. */
void kube_queue_gauge(const struct kube_queue *q, int64_t now_ms, struct kube_queue_gauge *out);

/** kube_queue_backoff_ms - the pause after so many failures in a row: 250, 500, ... 30000 ms; 0 for none. */
int64_t kube_queue_backoff_ms(unsigned int failures);

#endif
