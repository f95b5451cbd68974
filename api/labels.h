/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of an object, packed into one block: there are many objects and most have a few short ones. */
#ifndef API_LABELS_H
#define API_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct jval;

/**
 * api_labels_decode - an object of strings, obj[key], as "k\0v\0k\0v\0" and one more NUL.
 *
 * *out is NULL where there are none; the caller frees it. ERR_DECODE names the key.
 */
int api_labels_decode(const struct jval *obj, const char *key, char **out, struct err *e) FN_MUST;

/** api_labels_get - the value of a label, or NULL. Lent. */
const char *api_labels_get(const char *labels, const char *key);
/** api_labels_next - one after the other, from *pos = all of them on; false at the end. Lent. */
bool api_labels_next(const char **pos, const char **key, const char **value);
/** api_labels_have - all of wanted stand in labels. Of none wanted: true. */
bool api_labels_have(const char *labels, const char *wanted);
/** api_labels_eq - the same bytes in the same order. */
bool api_labels_eq(const char *a, const char *b);

#endif
