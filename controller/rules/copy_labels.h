/* SPDX-License-Identifier: Apache-2.0 */
/* Which labels of a Service its -macvlan half bears too, for policies that ask for them. Pure. */
#ifndef CONTROLLER_RULES_COPY_LABELS_H
#define CONTROLLER_RULES_COPY_LABELS_H

#include <stdbool.h>

#include "lib/base/err.h"

struct jw;

/** copy_labels_check - keys, or beginnings of keys that end in "*", joined by commas; NULL = none. ERR_CONFIG. */
int copy_labels_check(const char *list, struct err *e) FN_MUST;

/** copy_labels_eq - of what the list names, have (api/labels.h) has what from has, and nothing else. */
bool copy_labels_eq(const char *list, const char *from, const char *have);

/**
 * copy_labels_write - as members of an open object: what from has, and null for what have alone has.
 * @have: the object's own at present; NULL for a new one
 */
void copy_labels_write(struct jw *w, const char *list, const char *from, const char *have);

#endif
