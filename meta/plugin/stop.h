/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that ask a call to end: it does so as at any other failure, with everything taken back. */
#ifndef META_PLUGIN_STOP_H
#define META_PLUGIN_STOP_H

#include <stdbool.h>

#include "lib/base/err.h"

/**
 * stop_open - from here on SIGTERM, SIGINT and SIGHUP end nothing by themselves.
 * @out_fd: readable once one of them has come, and then for good; the caller owns it
 *
 * To be called before there are threads. One that was ignored when we were started stays so. What
 * is executed later starts with all signals as they should be, see spawn_start(). ERR_IO.
 */
int stop_open(int *out_fd, struct err *e) FN_MUST;

/** stop_asked - has one come? */
bool stop_asked(int fd);

/** stop_check - ERR_CANCELLED if one has. */
int stop_check(int fd, struct err *e) FN_MUST;

/** stop_explain - put the signal's name in front of what it has made fail; nothing without one. */
void stop_explain(int fd, struct err *e);

#endif
