/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin's calls have taken, counted from the records that they leave (lib/door/timing.h). */
#ifndef NODE_CALLS_H
#define NODE_CALLS_H

#include "lib/base/auto.h"
#include "lib/base/sb.h"

struct calls;

/** calls_new - nothing is read or made yet. @socket: the door's path; lent. */
struct calls *calls_new(const char *socket);
void calls_free(struct calls *c);
DEFINE_AUTO(struct calls, calls_free)

/**
 * calls_read - take in what has been written since the last time, and have the file made if there is none.
 *
 * To be called at least once a minute, when the folder of the socket is there. A failure is logged once.
 */
void calls_read(struct calls *c);

/** calls_write - the families tandem_cni_*. */
void calls_write(const struct calls *c, struct sb *out);

#endif
