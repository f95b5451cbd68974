/* SPDX-License-Identifier: Apache-2.0 */
/* How long each step of a verb takes: a line of the log, and for tandem-node's metrics a record of the whole call. */
#ifndef META_PLUGIN_STEP_H
#define META_PLUGIN_STEP_H

#include <stdint.h>

#include "lib/door/timing.h"

struct app;

/** step_took - the step has taken us microseconds. */
void step_took(struct app *app, enum call_step step, int64_t us);
/** step_done - the step that began at start_us (clock_now_us()) is through. Returns the time now. */
int64_t step_done(struct app *app, enum call_step step, int64_t start_us);
/**
 * step_tell - the call is through: its record for tandem-node, where that wants one.
 *
 * Nothing here can fail a call.
 */
void step_tell(struct app *app, int64_t start_us, bool failed);

#endif
