/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in a YAML (or JSON) file, with errors that name the file and the key. */
#ifndef LIB_KUBE_YAML_H
#define LIB_KUBE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/err.h"

struct yaml_tree;

/* One value and where it stands. Valid while the tree lives. */
struct yaml_at {
	struct yaml_tree *tree;
	int node;        /* libyaml's number of it */
	char where[192]; /* "clusters[home].cluster"; "" for the whole file */
};

/** yaml_tree_load - parse one document. @file: named in errors, copied. ERR_DECODE. */
int yaml_tree_load(const char *file, const char *text, size_t len, struct yaml_tree **out,
		   struct err *e) FN_MUST;
void yaml_tree_free(struct yaml_tree *t);
DEFINE_AUTO(struct yaml_tree, yaml_tree_free)

/** yaml_root - the whole document, which must be a mapping. ERR_CONFIG. */
int yaml_root(struct yaml_tree *t, struct yaml_at *out, struct err *e) FN_MUST;

/* These return 1 = found, 0 = the key is absent or null, -1 = ERR_CONFIG: wrong type, key twice. */

/** yaml_map - the mapping below key. */
int yaml_map(const struct yaml_at *in, const char *key, struct yaml_at *out, struct err *e) FN_MUST;
/** yaml_string - the scalar below key; *out is the caller's. */
int yaml_string(const struct yaml_at *in, const char *key, char **out, struct err *e) FN_MUST;
/** yaml_bool - true or false below key. */
int yaml_bool(const struct yaml_at *in, const char *key, bool *out, struct err *e) FN_MUST;
/** yaml_has - the key is there and not null. */
int yaml_has(const struct yaml_at *in, const char *key, struct err *e) FN_MUST;
/** yaml_named - of the list below key, the entry whose "name" is name. */
int yaml_named(const struct yaml_at *in, const char *key, const char *name, struct yaml_at *out,
	       struct err *e) FN_MUST;

/** yaml_item - of the list below key, the entry number i, which must be a mapping. */
int yaml_item(const struct yaml_at *in, const char *key, size_t i, struct yaml_at *out,
	      struct err *e) FN_MUST;
/** yaml_word - of the list below key, the entry number i, which must be a scalar; *out is the caller's. */
int yaml_word(const struct yaml_at *in, const char *key, size_t i, char **out,
	      struct err *e) FN_MUST;

/** yaml_file - the file that it stands in. Lent by the tree. */
const char *yaml_file(const struct yaml_at *at);

/** yaml_err - an error about a key: "file: where.key: text". Returns -1. */
int yaml_err(struct err *e, enum err_kind kind, const struct yaml_at *in, const char *key,
	     const char *text);

#endif
