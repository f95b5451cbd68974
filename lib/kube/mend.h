/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server takes and the strict JSON reader does not. No I/O. */
#ifndef LIB_KUBE_MEND_H
#define LIB_KUBE_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/json/jscan.h"

/* A namespace has at most 63 characters, a name 253. */
#define KUBE_KEY_MAX 512

/**
 * kube_mend - change, in place, what would keep an answer of the API server from being read.
 *
 * A NUL in a string becomes U+FFFD. The arrays called managedFields lose their content, which is any
 * JSON that a client makes up; nothing here reads them. So does what is more than JSON_MAX_DEPTH levels
 * deep. Text that is no JSON stays as unreadable as it is.
 */
void kube_mend(char *text, size_t len);

/** kube_mend_find - an object's member, in text that need not be valid. False: absent. */
bool kube_mend_find(struct jspan object, const char *name, struct jspan *out);

/** kube_mend_key - "namespace/name" of an object that need not be valid. False: it cannot be told. */
bool kube_mend_key(struct jspan object, char out[KUBE_KEY_MAX]);

/**
 * kube_mend_items - make each item of a list null that cannot be read by itself.
 * @bad: told of each; key as from kube_mend_key() or a word that says that it is not known
 *
 * The number of these items.
 */
size_t kube_mend_items(char *list, size_t len,
		       void (*bad)(void *ctx, const char *key, const struct err *why), void *ctx);

#endif
