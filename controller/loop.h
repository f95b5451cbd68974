/* SPDX-License-Identifier: Apache-2.0 */
/* The one loop: answers and watches of the API server, signals, and what is due. */
#ifndef CONTROLLER_LOOP_H
#define CONTROLLER_LOOP_H

#include "lib/base/err.h"

struct app;

/** loop_run - until SIGTERM or SIGINT: 0. ERR_IO, ERR_INTERNAL. */
int loop_run(struct app *app, struct err *e) FN_MUST;

#endif
