/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as the API server sends it. */
#ifndef LIB_KUBE_JSON_H
#define LIB_KUBE_JSON_H

#include <stddef.h>

#include "lib/base/err.h"

struct jdoc;
struct jval;

/**
 * kube_json_parse - jdoc_parse() of a text that it changes first by kube_mend().
 *
 * The API lets users write what the strict reader refuses, and so one pod could keep a whole list
 * from being read. The managedFields are empty in *out.
 */
int kube_json_parse(const char *what, char *text, size_t len, struct jdoc **out,
		    struct err *e) FN_MUST;

/** kube_json_meta - a string in metadata, lent; NULL when absent, empty or of another type. */
const char *kube_json_meta(const struct jval *obj, const char *key);

#endif
