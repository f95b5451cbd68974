/* SPDX-License-Identifier: Apache-2.0 */
/* The readiness probe: asks the daemon of this node, and is a process of its own. */
#ifndef NODE_READINESS_H
#define NODE_READINESS_H

/** readiness_ask - the exit code: 0 when the door at that socket answers that pods can be served. Else it logs why. */
int readiness_ask(const char *socket);

#endif
