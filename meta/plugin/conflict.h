/* SPDX-License-Identifier: Apache-2.0 */
/* What the pod's record says about another user of its address: told and taken back. */
#ifndef META_PLUGIN_CONFLICT_H
#define META_PLUGIN_CONFLICT_H

#include "lib/base/err.h"

struct api_ip;
struct app;
struct macvlan_rival;

/**
 * conflict_tell - log it, and put it into the record's status for the controller.
 *
 * On return the controller may have ended the record already: record_wait_other() tells what comes
 * instead. A record that is gone or is another by now is no error. ERR_AGAIN with the conflict in it when the
 * API server does not take the report.
 */
int conflict_tell(struct app *app, const struct api_ip *ip, const struct macvlan_rival *rival,
		  struct err *e) FN_MUST;

/**
 * conflict_clear - nobody has the address any more: a record that says so must not do it longer.
 *
 * Costs nothing where it does not. From then on the controller will not end this record for it.
 * ERR_AGAIN: the record has changed meanwhile, the controller may have ended it.
 */
int conflict_clear(struct app *app, const struct api_ip *ip, struct err *e) FN_MUST;

#endif
