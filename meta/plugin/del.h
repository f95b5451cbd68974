/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an attachment back, for DEL and for an ADD that finds a dead one's remains. */
#ifndef META_PLUGIN_DEL_H
#define META_PLUGIN_DEL_H

#include "lib/base/err.h"

struct app;
struct state;

/**
 * del_attachment - undo what a state file tells, and remove the file when all of it is undone.
 * @s: may be changed (the time of the first try without the primary's binary)
 *
 * Everything is tried whatever fails; the first failure is returned. ERR_AGAIN while the primary's
 * binary is missing, for ten minutes after the first try; then it is given up with a warning.
 */
int del_attachment(struct app *app, struct state *s, struct err *e) FN_MUST;

/**
 * del_without_state - the same for an attachment of which there is no (readable) file, by app->args.
 *
 * The primary runs with its conf as it is now; a card of ours in the namespace goes, too.
 */
int del_without_state(struct app *app, struct err *e) FN_MUST;

#endif
