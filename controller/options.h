/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's command line. */
#ifndef CONTROLLER_OPTIONS_H
#define CONTROLLER_OPTIONS_H

#include "controller/app.h"
#include "lib/base/err.h"

struct options options_defaults(void);

/** options_read - the command line, and whether it makes sense as a whole. -1: go on, else the exit code. */
int options_read(int argc, char **argv, struct options *o) FN_MUST;

#endif
