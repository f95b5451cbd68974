/* SPDX-License-Identifier: Apache-2.0 */
/* One question at the node's door, that is to tandem-node by its socket. */
#ifndef LIB_DOOR_CALL_H
#define LIB_DOOR_CALL_H

#include <stdint.h>

#include "lib/base/err.h"

struct door_answer;
struct door_request;

struct door_call {
	const char *path;    /* of the socket */
	int64_t deadline_ms; /* CLOCK_MONOTONIC: an answer that comes later is none */
	int cancel_fd;       /* readable = ERR_CANCELLED; -1 = none */
};

/**
 * door_ask - 1: *out is the answer, which may be an error. 0: there is no door, or it broke; e says why. -1: cancelled.
 *
 * Nothing but root's daemon is asked. After 0 a patch may have been done all the same.
 */
int door_ask(const struct door_call *call, const struct door_request *req, struct door_answer *out,
	     struct err *e) FN_MUST;

#endif
