/* SPDX-License-Identifier: Apache-2.0 */
/* The node's side of hostAccess: under the parent's lock, and in the state file before it is there. */
#ifndef META_PLUGIN_HOST_H
#define META_PLUGIN_HOST_H

#include "lib/base/err.h"

struct app;
struct card;
struct macvlan_link;
struct state;

/**
 * host_join - what the card needs on the node, when it asks for it; fills in c->m.host.
 *
 * The state file is written first, so that DEL finds all of it. On failure host_leave() takes back.
 */
int host_join(struct app *app, struct state *s, const struct macvlan_link *l, struct card *c,
	      struct err *e) FN_MUST;

/**
 * host_leave - take that away; the device goes with its last pod. Nothing there is a success.
 * @s: forgets what it said of it, and is not written
 *
 * Only for a state file of this boot: another pod may have the address after the next.
 */
int host_leave(struct app *app, struct state *s, struct err *e) FN_MUST;

#endif
