/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of a program that runs on its own: descriptors, what to do about each, and signals to end. */
#ifndef LIB_DAEMON_LOOP_H
#define LIB_DAEMON_LOOP_H

#include <stdint.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct loop;

/* Called when the descriptor is readable. -1 ends the loop. It may add and remove descriptors. */
typedef int loop_fn(void *ctx, struct err *e);

/**
 * loop_new - an empty loop. From here on SIGTERM and SIGINT end it, and nothing else; see daemon_signals().
 *
 * To be called before there are threads. ERR_IO. End it with loop_free().
 */
int loop_new(struct loop **out, struct err *e) FN_MUST;
void loop_free(struct loop *l);
DEFINE_AUTO(struct loop, loop_free)

/** loop_add - from now on ready(ctx) whenever fd is readable; fd and ctx are lent until loop_remove(). ERR_IO. */
int loop_add(struct loop *l, int fd, loop_fn *ready, void *ctx, struct err *e) FN_MUST;

/** loop_remove - no more; to be called before fd is closed. One that is not there is fine. */
void loop_remove(struct loop *l, int fd);

/**
 * loop_turn - wait until a descriptor is readable or the deadline (CLOCK_MONOTONIC) has come, and do what there is.
 *
 * 1: go on. 0: a signal asked to end, and nothing else was done. -1: of a descriptor's function, or ERR_IO.
 */
int loop_turn(struct loop *l, int64_t deadline_ms, struct err *e) FN_MUST;

#endif
