/* SPDX-License-Identifier: Apache-2.0 */
/* Single values out of a checked JSON text, without a tree of all of it. */
#ifndef ADMIT_SPAN_H
#define ADMIT_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/json/jscan.h"

/** span_at - the value at a path of member names, ended by NULL. Absent or null: no span. */
struct jspan span_at(struct jspan root, const char *const *path);
/** span_get - the member of that name. Absent or null: no span. */
struct jspan span_get(struct jspan object, const char *name);
/** span_text - its decoded text, "" when it is absent or no string. The caller frees it. */
char *span_text(struct jspan object, const char *name);
/** span_number - a whole number that fits; otherwise what is absent. */
int64_t span_number(struct jspan object, const char *name, int64_t absent);
/** span_true - the member is the literal true. */
bool span_true(struct jspan object, const char *name);
/** span_eq - the same bytes, or both absent. */
bool span_eq(struct jspan a, struct jspan b);

#endif
