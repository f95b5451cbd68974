/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for an address of a subnet. It is embedded in what it stands for, of which a subnet knows nothing but
 * the four questions of struct waiter_ops.
 */
#ifndef CONTROLLER_SUBNETS_WAITER_H
#define CONTROLLER_SUBNETS_WAITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/ip.h"

struct plan_want;
struct subnet;
struct waiter;

enum waiter_step {
	WAITER_IDLE = 0,
	WAITER_QUEUED,     /* waits in its subnet's queue */
	WAITER_COMMITTING, /* part of the write that is under way */
	WAITER_COMMITTED,  /* addr and mac are its own; to be written into the record */
};

struct waiter_ops {
	/* Who it is and what it asks for, as it is now: all but the outputs. Lent until something changes. */
	void (*want)(const struct waiter *w, struct plan_want *out);
	/* It is WAITER_COMMITTED now. */
	void (*granted)(struct waiter *w);
	/* It goes on waiting: want->result says why. */
	void (*refused)(struct waiter *w, const struct plan_want *want);
	/* The subnet has let go of it, or the outcome of a write is not known: look at it again. */
	void (*look_again)(struct waiter *w);
};

/* Zero but ops = idle. Written by waiter.c and choose.c of this room alone. */
struct waiter {
	const struct waiter_ops *ops;
	enum waiter_step step;
	struct subnet *subnet; /* while step is not idle */
	char *record_uid;      /* the record that it is queued or committed for */
	int64_t since;         /* oldest first; seconds since 1970 */
	bool in_vain;          /* refused the last time for what it names */
	struct ip_addr addr;   /* while committed */
	struct ip_addr addr6;  /* dual stack, else unset */
	struct mac_addr mac;
};

/** waiter_enqueue - wait for an address for the record with this UID. Only while idle. */
void waiter_enqueue(struct waiter *w, struct subnet *subnet, const char *record_uid, int64_t since);
/** waiter_dequeue - it no longer waits; whoever is further than the queue stays. */
void waiter_dequeue(struct waiter *w);
/** waiter_grant - addr, addr6 and mac of want are committed for its record, and its own now. */
void waiter_grant(struct waiter *w, struct subnet *subnet, const struct plan_want *want);
/**
 * waiter_hold - addr and addr6 stand committed for the record with this UID, to be taken back: what is committed
 * may not come true any more. Its MAC is not known.
 */
void waiter_hold(struct waiter *w, struct subnet *subnet, const struct plan_want *want);
/** waiter_leave - it is idle; what was committed for it is settled elsewhere. Not while it is queued. */
void waiter_leave(struct waiter *w);
/** waiter_done - free what it has. Only while idle. */
void waiter_done(struct waiter *w);

#endif
