/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's MacvlanIP: the address that the controller has given it. */
#ifndef META_PLUGIN_RECORD_H
#define META_PLUGIN_RECORD_H

#include "lib/base/err.h"

struct api_ip;
struct app;
struct pod;
struct state;

/* Whose record is waited for. All lent. */
struct record_want {
	const struct pod *pod;
	struct state *state; /* of this ADD, as it is saved: what it gives up is noted there */
	int cancel_fd;       /* readable = stop waiting with ERR_CANCELLED */
};

/**
 * record_wait - wait until the pod's record carries an address, another one than in *ip where that is set.
 * @ip: NULL, or the record that is in conflict; its card has been taken back. On success replaced.
 *
 * One GET when it is there already, a watch on its name otherwise. A record of a former pod of that
 * name is "not there yet". One whose end has begun, or whose card is said to be down, is written before
 * it is returned (one PATCH of its status more): whoever would free its address has to look again. One whose
 * end has begun for a conflict is given up: the state file says so first, and from then on it is not returned.
 * ERR_AGAIN with the reason (the record's own message where it has one) when the deadline runs out. The caller
 * frees *ip.
 */
int record_wait(struct app *app, const struct record_want *want, struct api_ip **ip,
		struct err *e) FN_MUST;

#endif
