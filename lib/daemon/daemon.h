/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that run on their own have in common: texts for people, values of options, signals to end. */
#ifndef LIB_DAEMON_DAEMON_H
#define LIB_DAEMON_DAEMON_H

#include <stdint.h>

#include "lib/base/err.h"

/** daemon_say - print a text on standard output. The exit code: 1 when it cannot be printed, which is logged. */
int daemon_say(const char *text);

/** daemon_say_version - "<program> <version> (<libraries>)", as daemon_say(). */
int daemon_say_version(const char *program, const char *version);

/** daemon_seconds - "30" or "30s", at most max. -1 if it is not that. */
int daemon_seconds(const char *text, uint32_t max, uint32_t *out) FN_MUST;

/** daemon_verbosity - the value of --v, 0 to 10, as the log's level: 4 and above has details. -1 if it is none. */
int daemon_verbosity(const char *text) FN_MUST;

/** daemon_node_name - of the Node that this runs on: $NODE_NAME, else the host's name; "" = unknown. Static. */
const char *daemon_node_name(void);

/**
 * daemon_signals - a descriptor that is readable once SIGTERM or SIGINT has come; -1.
 *
 * Both are blocked from now on, in threads that are started later too, and SIGPIPE is ignored. The
 * caller closes it. ERR_IO.
 */
int daemon_signals(struct err *e) FN_MUST;

#endif
