/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the log for each step of a verb, with its duration. */
#ifndef META_PLUGIN_STEP_H
#define META_PLUGIN_STEP_H

#include <stdint.h>

struct app;

/** step_took - the step has taken us microseconds. */
void step_took(const struct app *app, const char *step, int64_t us);
/** step_done - the step that began at start_us (clock_now_us()) is through. Returns the time now. */
int64_t step_done(const struct app *app, const char *step, int64_t start_us);

#endif
